package server

import (
	"context"
	"database/sql"
)

type work struct{}

func migrations() []func(ctx context.Context, driver string, db *sql.DB) error { return nil }

func (s *Server) newWork() (*work, error) { return &work{}, nil }

func (s *Server) startWork(context.Context) error { s.working.Store(true); return nil }

func (s *Server) stopWork(context.Context) error { return nil }
