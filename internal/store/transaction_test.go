package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestTransactions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		project := func(name string) windlass.Project {
			return windlass.Project{ID: newID(t), Name: name, Created: noon, Updated: noon}
		}
		sorry := errors.New("sorry")
		for _, test := range []struct {
			name string
			do   func(ctx context.Context) error
			want string // part of the error
			kept []string
		}{
			{
				"what returns nil is kept",
				func(ctx context.Context) error { return s.CreateProject(ctx, project("a1")) }, "",
				[]string{"a1"},
			},
			{"what fails is undone", func(ctx context.Context) error {
				return errors.Join(s.CreateProject(ctx, project("b1")), sorry)
			}, "sorry", nil},
			{"an inner one joins", func(ctx context.Context) error {
				return errors.Join(s.CreateProject(ctx, project("c1")), s.In(ctx, func(ctx context.Context) error {
					return s.CreateProject(ctx, project("c2"))
				}))
			}, "", []string{"c1", "c2"}},
			{"the outer one undoes the inner one", func(ctx context.Context) error {
				must(t, s.In(ctx, func(ctx context.Context) error { return s.CreateProject(ctx, project("d1")) }))
				return sorry
			}, "sorry", nil},
			{"a failed inner one undoes the outer one, even if that shrugs", func(ctx context.Context) error {
				must(t, s.CreateProject(ctx, project("e1")))
				_ = s.In(ctx, func(context.Context) error { return sorry })
				return nil
			}, "sorry", nil},
			{"so does a failed statement, as PostgreSQL has it", func(ctx context.Context) error {
				must(t, s.CreateProject(ctx, project("f1")))
				wantKind(t, s.CreateProject(ctx, project("f1")), windlass.Conflict)
				return nil
			}, "constraint", nil},
			{"looking for what is not there fails nothing", func(ctx context.Context) error {
				_, err := s.Project(ctx, "none")
				wantKind(t, err, windlass.NotFound)
				return s.CreateProject(ctx, project("g1"))
			}, "", []string{"g1"}},
			{"one sees what it wrote", func(ctx context.Context) error {
				must(t, s.CreateProject(ctx, project("h1")))
				_, err := s.Project(ctx, "h1")
				return err
			}, "", []string{"h1"}},
		} {
			t.Run(test.name, func(t *testing.T) {
				before := len(got(s.Projects(t.Context(), windlass.Page{}))(t))
				wantText(t, inside(t, s, test.do), test.want)
				wantSame(t, len(got(s.Projects(t.Context(), windlass.Page{}))(t)), before+len(test.kept))
				for _, name := range test.kept {
					got(s.Project(t.Context(), name))(t)
				}
			})
		}

		t.Run("a panic undoes it and lets go of the connection", func(t *testing.T) {
			func() {
				defer func() { _ = recover() }()
				_ = inside(t, s, func(ctx context.Context) error {
					must(t, s.CreateProject(ctx, project("p1")))
					panic("oh")
				})
			}()
			_, err := s.Project(t.Context(), "p1")
			wantKind(t, err, windlass.NotFound)
			must(t, s.CreateProject(t.Context(), project("p2")))
		})

		t.Run("a cancelled one says so", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := s.In(ctx, func(ctx context.Context) error {
				cancel()
				return s.CreateProject(ctx, project("q1"))
			})
			if !errors.Is(err, windlass.Canceled) {
				t.Errorf("got %v, want it cancelled", err)
			}
		})
	})
}

// What is read in a transaction stays until it ends, so that read, change and
// write lose nothing.
// A context that ends between the last statement and the commit undoes the transaction:
// that is how a process stops, and no fault of the database.
func TestAContextThatEndsBeforeTheCommitCancels(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		ctx, cancel := context.WithCancel(t.Context())
		err := s.In(ctx, func(inner context.Context) error {
			must(t, s.CreateProject(inner, windlass.Project{ID: newID(t), Name: "undone", Created: noon, Updated: noon}))
			cancel()
			for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
				if _, err := s.Tx(inner).ExecContext(t.Context(), "SELECT 1"); errors.Is(err, sql.ErrTxDone) {
					return nil
				}
			}
			return errors.New("the transaction goes on without its context")
		})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, windlass.Canceled) {
			t.Errorf("got %v", err)
		}
		if all, err := s.Projects(t.Context(), windlass.Page{}); err != nil || len(all) != 0 {
			t.Errorf("kept %+v, %v", all, err)
		}
	})
}

func TestReadChangeWriteLosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		const writers = 8
		var group sync.WaitGroup
		errs := make([]error, writers)
		for i := range writers {
			group.Go(func() {
				key := fmt.Sprint("k", i)
				errs[i] = inside(t, s, func(ctx context.Context) error {
					c, err := s.Connection(ctx, w.project.ID, w.connection.ID)
					if err != nil {
						return err
					}
					c.Metadata[key] = windlass.MetadataValue{Value: key}
					if err := s.UpdateConnection(ctx, c); err != nil {
						return err
					}
					in, err := s.Installation(ctx, w.project.ID, w.installation.ID)
					if err != nil {
						return err
					}
					in.LastStatus += "x"
					if err := s.UpdateInstallation(ctx, in, nil); err != nil {
						return err
					}
					n, err := s.Integration(ctx, w.project.ID, "repos")
					if err != nil {
						return err
					}
					n.Latest.ID, n.Latest.SpecVersion, n.Updated = newID(t), n.Latest.SpecVersion+"x", noon.Add(time.Minute)
					return s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{n})
				})
			})
		}
		group.Wait()
		must(t, errors.Join(errs...))
		in := got(s.Installation(t.Context(), w.project.ID, w.installation.ID))(t)
		wantSame(t, len(in.Connection.Metadata), 1+writers)
		wantSame(t, len(in.LastStatus), writers)
		n := got(s.Integration(t.Context(), w.project.ID, "repos"))(t)
		wantSame(t, n.Latest.SpecVersion, w.integration.Latest.SpecVersion+"xxxxxxxx")
	})
}
