package api

// CountRoutes counts the rows of the table.
func CountRoutes() int { return len(routes()) }
