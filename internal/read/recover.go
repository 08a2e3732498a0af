package read

import (
	"context"

	"windlass"
	"windlass/internal/config"
)

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
