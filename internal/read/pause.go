package read

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/logkey"
)

// PauseRequest is the body of POST …/installations/{id}:pause and :unpause.
type PauseRequest struct {
	// Objects are the names of objects, as the provider or the product calls
	// them; none means all.
	Objects []string `json:"objects,omitempty"`
	// Note says why, for those who look at it later.
	Note string `json:"note,omitempty"`
}

// Pause pauses the reads of an installation, or of some of its objects, until
// [Flow.Unpause]. A read that is under way stops after the page it is at, and
// stays there. What is paused already stays so.
func (f *Flow) Pause(ctx context.Context, project, integration, installation string, r PauseRequest) error {
	const op = "pause the reads"
	return f.ofInstallation(ctx, op, project, integration, installation, r.Objects, func(ctx context.Context, in windlass.Installation, _ config.Config, objects []string) error {
		reason := cmp.Or(strings.TrimSpace(r.Note), "paused by hand")
		for _, name := range objects {
			mark, err := f.store.ReadState(ctx, in.ID, name)
			if err != nil && !errors.Is(err, windlass.NotFound) {
				return err
			}
			if mark.Paused {
				continue
			}
			if err := f.pauseObject(ctx, in, name, reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// Unpause ends the pause of an installation's reads, or of some of its objects:
// a read that stopped in the middle goes on, and what changed meanwhile is read at
// once. What is not paused is not touched; an object that is disabled and named is
// a conflict, as unpausing does not enable it.
func (f *Flow) Unpause(ctx context.Context, project, integration, installation string, r PauseRequest) error {
	const op = "end the pause of the reads"
	return f.ofInstallation(ctx, op, project, integration, installation, r.Objects, func(ctx context.Context, in windlass.Installation, c config.Config, objects []string) error {
		if len(r.Objects) > 0 || len(c.EnabledNames()) == 0 {
			if err := f.notDisabled(ctx, op, in, c, objects); err != nil {
				return err
			}
		}
		for _, name := range objects {
			mark, err := f.store.ReadState(ctx, in.ID, name)
			if err != nil && !errors.Is(err, windlass.NotFound) {
				return err
			}
			if !mark.Paused {
				continue
			}
			if err := f.unpauseObject(ctx, in, c, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// notDisabled refuses objects that are disabled, and says how to enable them.
func (f *Flow) notDisabled(ctx context.Context, op string, in windlass.Installation, c config.Config, objects []string) error {
	integration, err := f.store.Integration(ctx, in.ProjectID, in.IntegrationID)
	if err != nil {
		return err
	}
	failure := &windlass.Error{Kind: windlass.Conflict, Op: op}
	var disabled []string
	for _, name := range objects {
		if o, _ := c.Reads(name); !o.Disabled {
			continue
		}
		disabled = append(disabled, name)
		offered, err := config.Offers(integration.Latest, name)
		if err != nil {
			return err
		}
		if !offered {
			failure.Remedy = "the manifest no longer has it: deploy one that does, which enables it again"
		} else if failure.Remedy == "" {
			failure.Remedy = "change the config: set config.content.read.objects.<object>.disabled to false"
		}
	}
	if len(disabled) == 0 {
		return nil
	}
	failure.Message = "the reads of " + strings.Join(disabled, ", ") + " are disabled, not paused"
	return failure
}

// unpauseObject ends the pause of one object, and makes up for it.
func (f *Flow) unpauseObject(ctx context.Context, in windlass.Installation, c config.Config, name string) error {
	if err := f.store.PauseReads(ctx, in.ID, name, false, "", f.now()); err != nil {
		return err
	}
	err := f.schedules(ctx, in.ID, name, func(s *windlass.Schedule) { s.Paused, s.Next = false, Next(*s, f.now()) })
	if err != nil {
		return err
	}
	f.store.Afterwards(ctx, func() {
		f.opts.Logger.InfoContext(ctx, "reads are resumed", ofObject(in, name)...)
	})
	if woken, err := f.wake(ctx, in.ID, name); err != nil || woken {
		return err
	}
	return f.resume(ctx, in, c, name)
}

// pauseObject pauses one object. The mark is what counts; the schedule is paused
// beside it so that nothing comes due in vain.
func (f *Flow) pauseObject(ctx context.Context, in windlass.Installation, name, reason string) error {
	if err := f.store.PauseReads(ctx, in.ID, name, true, reason, f.now()); err != nil {
		return err
	}
	if err := f.schedules(ctx, in.ID, name, func(s *windlass.Schedule) { s.Paused = true }); err != nil {
		return err
	}
	f.store.Afterwards(ctx, func() {
		f.opts.Logger.InfoContext(ctx, "reads are paused", append(ofObject(in, name), slog.String(logkey.Error, reason))...)
	})
	return nil
}

// schedules changes the schedules of an object.
func (f *Flow) schedules(ctx context.Context, installationID, name string, change func(*windlass.Schedule)) error {
	all, err := f.store.Schedules(ctx, installationID)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Kind != windlass.ScheduleRead || s.Object != name {
			continue
		}
		change(&s)
		if err := f.store.SaveSchedule(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// makeUp makes up for what was not read while the connection of an installation was
// bad: what is scheduled is due at once.
func (f *Flow) makeUp(ctx context.Context, in windlass.Installation) error {
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return err
	}
	for _, name := range c.EnabledNames() {
		if err := f.schedules(ctx, in.ID, name, func(s *windlass.Schedule) {
			if !s.Paused && s.Next.After(f.now()) {
				s.Next = f.now()
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// wake lets the read of an object that is under way go on, if there is one.
func (f *Flow) wake(ctx context.Context, installationID, name string) (bool, error) {
	running, err := f.running(ctx, installationID, name)
	if err != nil || running == nil {
		return false, err
	}
	return true, f.Wake(ctx, running.ID)
}

// ofInstallation finds an installation and the objects that are meant, and does
// something about them in one transaction.
func (f *Flow) ofInstallation(
	ctx context.Context, op, project, integration, installation string, names []string,
	do func(ctx context.Context, in windlass.Installation, c config.Config, objects []string) error,
) error {
	in, err := f.find(ctx, op, project, integration, installation)
	if err != nil {
		return err
	}
	revision, err := f.store.Revision(ctx, in.IntegrationID, in.Config.RevisionID)
	if err != nil {
		return err
	}
	return f.store.In(ctx, func(ctx context.Context) error {
		if in, err = f.store.Installation(ctx, in.ProjectID, in.ID); err != nil {
			return err
		}
		c, err := config.Parse(in.Config.Content)
		if err != nil {
			return err
		}
		objects := c.ReadNames()
		if len(names) > 0 {
			if objects, err = called(c, op, names, revision); err != nil {
				return err
			}
		}
		return do(ctx, in, c, objects)
	})
}

// called finds objects by the names that the provider or the product has for
// them.
func called(c config.Config, op string, names []string, revision windlass.Revision) ([]string, error) {
	var objects []string
	var issues []windlass.Issue
	for i, name := range names {
		known, err := objectCalled(c, name, revision)
		if err != nil {
			return nil, err
		}
		if known == "" {
			issues = append(issues, windlass.Issue{In: "body", Name: fmt.Sprintf("objects[%d]", i), Message: unknown(c, name)})
			continue
		}
		objects = append(objects, known)
	}
	if len(issues) > 0 {
		return nil, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "there are objects that the installation does not read", Issues: issues}
	}
	slices.Sort(objects)
	return slices.Compact(objects), nil
}

// objectCalled finds one object by either name; "" when the config has none.
func objectCalled(c config.Config, name string, revision windlass.Revision) (string, error) {
	if _, there := c.Reads(name); there {
		return name, nil
	}
	for _, known := range c.ReadNames() {
		entry, err := config.ReadEntry(revision, known)
		if err != nil {
			return "", err
		}
		if name != "" && entry.MapToName == name {
			return known, nil
		}
	}
	return "", nil
}

// unknown says that there is no such object, and which there are.
func unknown(c config.Config, name string) string {
	if enabled := c.EnabledNames(); len(enabled) > 0 {
		return fmt.Sprintf("the installation does not read %q: it reads %s", clip(name), strings.Join(enabled, ", "))
	}
	return fmt.Sprintf("the installation does not read %q, nor anything else", clip(name))
}

// clip keeps what a client sent from filling a message.
func clip(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// ObjectState is how the reads of an object of an installation stand.
type ObjectState struct {
	Name     string    `json:"objectName"`
	Status   string    `json:"status" enum:"enabled,paused,disabled"`
	Reason   string    `json:"reason,omitempty"` // why it is not read
	Failures int       `json:"failuresInARow"`
	ReadTo   time.Time `json:"readTo,omitzero"` // what changed before is delivered
	// Checks counts the scheduled reads that found nothing new, which are no
	// operations, and LastCheck is when the last one of them ended.
	Checks    int64     `json:"checks"`
	LastCheck time.Time `json:"lastCheck,omitzero"`
}

// ObjectStates says of each object that an installation reads how that stands.
func (f *Flow) ObjectStates(ctx context.Context, project, integration, installation string) ([]ObjectState, error) {
	const op = "look at the reads"
	states := []ObjectState{}
	err := f.ofInstallation(ctx, op, project, integration, installation, nil, func(ctx context.Context, in windlass.Installation, c config.Config, _ []string) error {
		states = states[:0]
		for _, name := range c.ReadNames() {
			mark, err := f.store.ReadState(ctx, in.ID, name)
			if err != nil && !errors.Is(err, windlass.NotFound) {
				return err
			}
			state := ObjectState{
				Name: name, Status: "enabled", Failures: mark.Failures, ReadTo: mark.Mark, Checks: mark.Checks, LastCheck: mark.LastCheck,
			}
			switch {
			case c.Read.Objects[name].Disabled:
				state.Status, state.Reason = "disabled", "the config of the installation disables it, as a deploy does that drops the object"
			case mark.Paused:
				state.Status, state.Reason = "paused", mark.Reason
			}
			states = append(states, state)
		}
		return nil
	})
	return states, err
}
