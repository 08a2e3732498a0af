module windlass

go 1.26
