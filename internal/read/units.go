package read

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
	"windlass/manifest"
)

// maxRefusals is how many parents that are passed over one turn logs.
const maxRefusals = 5

// lineages are, for each object of each provider, the objects that it is below, the
// uppermost first, and itself.
func lineages(providers connector.Providers) map[[2]string][]connector.Object {
	all := map[[2]string][]connector.Object{}
	for _, provider := range providers {
		byName := map[string]connector.Object{}
		for _, o := range provider.Objects() {
			byName[o.Name] = o
		}
		for name := range byName {
			var line []connector.Object
			for o, there := byName[name]; there && len(line) < len(byName); o, there = byName[o.Parent] {
				line = append(line, o)
			}
			slices.Reverse(line)
			all[[2]string{provider.Info().Name, name}] = line
		}
	}
	return all
}

// lineage is that of an object of a connection; nothing for one that is not known.
func (f *Flow) lineage(c windlass.Connection, object string) []connector.Object {
	return f.lines[[2]string{c.Provider, object}]
}

// below reports whether the object is below another. It is then read in units, each
// with a cursor, a tally and a mark of its own: first the list of parents, then what
// is below each. The operation's cursor counts their pages.
func (s *step) below() bool { return len(s.above) > 1 }

// A part is what one walk goes through: the operation, or one of its units.
type part struct {
	object       string
	parent       connector.Parent
	since, until time.Time
	cursor       string // of the next page
	pass         int
	lists        bool // its records are parents
}

func (s *step) part() part {
	u := s.unit
	switch {
	case u == nil:
		return part{object: s.Op.Object, since: s.Op.Since, until: s.Op.Until, cursor: s.Op.Cursor, pass: s.Op.Restarts}
	case u.Object != s.Op.Object:
		return part{object: u.Object, parent: parentOf(u), cursor: u.Cursor, pass: u.Pass, lists: true}
	default:
		return part{object: u.Object, parent: parentOf(u), since: u.Since, until: s.Op.Until, cursor: u.Cursor, pass: u.Pass}
	}
}

func parentOf(u *windlass.ReadUnit) connector.Parent {
	return connector.Parent{ID: u.ParentID, Keys: u.ParentKeys}
}

// where names what is read, for the log.
func (p part) where() string {
	if p.parent.ID == "" {
		return p.object
	}
	return p.object + " below " + p.parent.ID
}

// nextUnit takes the next unit of the operation. NotFound when none is left.
func (s *step) nextUnit(ctx context.Context) (err error) {
	u := windlass.ReadUnit{OperationID: s.Op.ID, Object: s.above[0].Name, Status: windlass.UnitOpen}
	if s.Op.Cursor != "" {
		if u, err = s.store.NextReadUnit(ctx, s.Op.ID); err != nil {
			return err
		}
	}
	s.appeared = false
	if u.Object == s.Op.Object {
		if err := s.bound(ctx, &u); err != nil {
			return err
		}
	}
	s.filters = s.object.Filters(s.appeared || s.Op.Trigger == windlass.TriggerBackfill)
	s.unit = &u
	return s.restoreWalk(ctx)
}

// bound sets the time from which a unit is read: after the last read below its
// parent. A parent that has appeared since then gets a backfill.
func (s *step) bound(ctx context.Context, u *windlass.ReadUnit) error {
	if s.Op.Trigger != windlass.TriggerSchedule {
		u.Since = s.Op.Since
		return nil
	}
	mark, err := s.store.ParentMark(ctx, s.Op.InstallationID, s.Op.Object, u.ParentID)
	if err != nil {
		return err
	}
	if !mark.IsZero() {
		u.Since = mark.Add(-s.opts.Overlap)
		return nil
	}
	s.appeared = true
	var period manifest.DefaultPeriod
	if s.object.Backfill != nil {
		period = s.object.Backfill.DefaultPeriod
	}
	switch { // by the start of the operation, which stays the same until the unit ends
	case period.FullHistory:
	case period.Days != nil && *period.Days > 0:
		u.Since = s.Op.Started.AddDate(0, 0, -*period.Days)
	default:
		u.Since = s.Op.Since
	}
	return nil
}

// nextBelow reads a page of a unit.
func (s *step) nextBelow(ctx context.Context, t *operation.Turn) (operation.Commit, error) {
	if s.unit == nil {
		err := s.nextUnit(ctx)
		if errors.Is(err, windlass.NotFound) {
			return s.afterUnits(ctx)
		}
		if err != nil {
			return operation.Commit{}, err
		}
	}
	got := s.page(ctx)
	after := *s.unit
	switch {
	case got.err == nil:
		return s.pageBelow(ctx, t, got)
	case after.ParentID != "" && (errors.Is(got.err, windlass.NotFound) || errors.Is(got.err, windlass.Forbidden)):
		after.Status = windlass.UnitRefused
		s.refusals++
		return s.commitUnit(after, windlass.Progress{}, "", func(ctx context.Context) error {
			if s.refusals > maxRefusals {
				return nil
			}
			return s.Log(ctx, windlass.SeverityWarning, s.part().where()+" are passed over: "+operation.Plain(got.err)+".", nil)
		}), nil
	case errors.Is(got.err, windlass.CursorExpired) && after.Pass == 0:
		after.Cursor, after.Pass = "", 1
		c := s.commitUnit(after, windlass.Progress{}, "", func(ctx context.Context) error {
			return s.Log(ctx, windlass.SeverityWarning, "The read of "+s.part().where()+" starts over, once: "+operation.Plain(got.err)+".", nil)
		})
		c.GiveWay = true // the next turn knows which records came before
		return c, nil
	case errors.Is(got.err, windlass.CursorExpired):
		return operation.Commit{}, operation.End(got.err)
	default:
		return operation.Commit{}, got.err
	}
}

// pageBelow is commit for a page of a unit.
func (s *step) pageBelow(ctx context.Context, t *operation.Turn, got fetched) (c operation.Commit, err error) {
	page, last := got.page, got.page.Next == ""
	more := t.More()
	if !last && more {
		s.fetch(ctx, string(page.Next))
	}
	var counted int
	var kept windlass.ReadPage
	page.Records, counted, kept = s.take(got, !last && !more)
	after, again := *s.unit, ""
	after.Cursor = string(page.Next)
	if last {
		again = s.unfinished(page)
		switch {
		case again != "":
			after.Pass++
		case s.complete(page):
			after.Status = windlass.UnitDone
		default:
			after.Status = windlass.UnitIncomplete
		}
	}
	var move windlass.Progress
	var add func(ctx context.Context) error
	if s.part().lists {
		add, err = s.addParents(page.Records)
	} else {
		move.Walked = int64(counted)
		add, err = s.addRecords(ctx, page, &move)
	}
	if err != nil {
		return c, err
	}
	c = s.commitUnit(after, move, page.Workspace, func(ctx context.Context) error {
		if err := add(ctx); err != nil {
			return err
		}
		if err := s.notes(ctx, page); err != nil {
			return err
		}
		if err := s.progress(ctx, false, 0); err != nil {
			return err
		}
		return s.keepBelow(ctx, kept, after, again)
	})
	c.GiveWay = again != "" // the next turn knows which records came before
	return c, nil
}

// keepBelow keeps a page until its unit has ended, and logs what there is to say of
// its completeness.
func (s *step) keepBelow(ctx context.Context, kept windlass.ReadPage, after windlass.ReadUnit, again string) error {
	message := ""
	switch {
	case again != "":
		message = fmt.Sprintf("The read walks through %s once more (pass %d of at most %d): %s.", s.part().where(), after.Pass+1, maxPasses, again)
	case after.Status == windlass.UnitIncomplete:
		message = "Fewer of " + s.part().where() + " arrived than the provider counts."
	case after.Status == windlass.UnitDone && s.doubt() != "":
		message = "The read of " + s.part().where() + ":" + s.doubt()
	}
	if message != "" {
		if err := s.Log(ctx, windlass.SeverityWarning, message, nil); err != nil {
			return err
		}
	}
	switch {
	case after.Status == windlass.UnitOpen:
		return s.store.KeepReadPage(ctx, kept)
	case kept.Number > 1: // the only page is not kept
		return s.store.DropReadPages(ctx, s.Op.ID)
	default:
		return nil
	}
}

// addParents returns what adds a unit for each parent that is on a page.
func (s *step) addParents(records []connector.Record) (func(ctx context.Context) error, error) {
	level := slices.IndexFunc(s.above, func(o connector.Object) bool { return o.Name == s.unit.Object })
	child := s.above[level+1]
	var units []windlass.ReadUnit
	for i, record := range records {
		parent, err := child.ParentOf(record)
		if err != nil {
			return nil, err
		}
		units = append(units, windlass.ReadUnit{
			OperationID: s.Op.ID, Object: child.Name, ParentID: parent.ID, ParentKeys: parent.Keys, Position: (s.Op.Pages+1)<<20 + int64(i), Status: windlass.UnitOpen,
		})
	}
	return func(ctx context.Context) error { return s.store.AddReadUnits(ctx, units) }, nil
}

// addRecords returns what delivers the records of a page, and counts them.
func (s *step) addRecords(ctx context.Context, page connector.Page, move *windlass.Progress) (func(ctx context.Context) error, error) {
	fresh, _, err := s.fresh(ctx, page)
	if err != nil {
		return nil, err
	}
	batches, records, err := s.batches(fresh)
	move.Records, move.Batches = int64(records), int64(len(batches))
	return func(ctx context.Context) error {
		if err := s.deliver(ctx, batches); err != nil {
			return err
		}
		return s.remember(ctx, fresh, page.Full)
	}, err
}

// commitUnit commits a step of a unit, which is as after says then. A unit that has
// ended moves the mark of its parent in the same transaction (invariant 8).
func (s *step) commitUnit(after windlass.ReadUnit, move windlass.Progress, workspace string, do func(ctx context.Context) error) operation.Commit {
	changed, paid, begins := false, s.Op.Requests, s.Op.Cursor == ""
	move.To, move.Estimate, move.Full = strconv.FormatInt(s.Op.Pages+1, 10), -1, s.Op.Full
	return operation.Commit{
		Do: func(ctx context.Context) (err error) {
			s.store.Afterwards(ctx, func() { s.tellPage(ctx, move, s.Op.Requests-paid) })
			if changed, err = s.before(ctx, workspace); err != nil {
				return err
			}
			if err := s.Move(ctx, move); err != nil {
				return err
			}
			if begins {
				if err := s.store.AddReadUnits(ctx, []windlass.ReadUnit{*s.unit}); err != nil {
					return err
				}
			}
			if err := do(ctx); err != nil {
				return err
			}
			if err := s.store.SaveReadUnit(ctx, after); err != nil {
				return err
			}
			return s.noteParent(ctx, after)
		},
		After: func(ctx context.Context) error {
			s.unit = &after
			if after.Status != windlass.UnitOpen {
				s.unit = nil
			}
			return s.lookAgain(ctx, changed)
		},
	}
}

// noteParent says how the read below a parent has ended, if it has.
func (s *step) noteParent(ctx context.Context, u windlass.ReadUnit) error {
	if u.Status == windlass.UnitOpen || u.Object != s.Op.Object || s.Op.Trigger == windlass.TriggerAsked {
		return nil
	}
	var mark time.Time
	if u.Status == windlass.UnitDone {
		mark = s.Op.Started
	}
	return s.store.NoteParent(ctx, s.Op.InstallationID, s.Op.Object, u.ParentID, u.Status, mark, s.now())
}

// afterUnits ends an operation of which no unit is left.
func (s *step) afterUnits(ctx context.Context) (operation.Commit, error) {
	counts, err := s.store.CountReadUnits(ctx, s.Op.ID)
	if err != nil {
		return operation.Commit{}, err
	}
	c := operation.Commit{Ends: true}
	s.refused = counts[windlass.UnitRefused]
	switch n := counts[windlass.UnitIncomplete]; {
	case n > 0:
		c.Cause = &windlass.Error{
			Kind: windlass.Incomplete, Op: "read " + s.Op.Object,
			Message: fmt.Sprintf("below %s fewer records arrived than the provider counts; the log names them", many(n, "parent")),
		}
	case s.refused > 0 && counts[windlass.UnitDone] == 0: // then it is not the parents
		c.Cause = &windlass.Error{
			Kind: windlass.Forbidden, Op: "read " + s.Op.Object, Message: "the provider shows none of " + many(s.refused, "parent"),
			Remedy: "check what the connection's credentials may read",
		}
	}
	return c, nil
}
