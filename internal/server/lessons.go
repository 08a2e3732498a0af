package server

import (
	"sync"

	"windlass"
	"windlass/bitbucket"
)

// mostLessons bounds what is remembered of workspaces: beyond it all is learnt
// anew, at two requests for each workspace with projects.
const mostLessons = 10_000

// lessons remembers what the endpoints of each workspace have shown, so that a
// scheduled read does not pay again for finding out.
type lessons struct {
	mu   sync.Mutex // guards what follows
	byID map[string]*bitbucket.Lessons
}

// of returns what is shared by all who read a connection's workspace. A
// connection that is moved to another one begins anew.
func (l *lessons) of(c windlass.Connection) *bitbucket.Lessons {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := c.ID + " " + c.WorkspacePath()
	known, ok := l.byID[key]
	if !ok {
		if l.byID == nil || len(l.byID) >= mostLessons {
			l.byID = map[string]*bitbucket.Lessons{}
		}
		known = &bitbucket.Lessons{}
		l.byID[key] = known
	}
	return known
}
