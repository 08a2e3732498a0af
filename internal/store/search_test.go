package store_test

import (
	"fmt"
	"slices"
	"testing"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// many adds installations and connections for customers whose names have
// everything in them that LIKE gives a meaning to. It returns the groups' refs in
// the order of the ids.
func many(t *testing.T, s *store.Store, w world) {
	t.Helper()
	for i, customer := range []struct{ ref, name, workspace string }{
		{"customer-1", "Alpha Works", "alpha"},
		{"customer-2", `100% \ Élan_vital`, "beta"},
		{"customer-3", "", "gamma-ALPHA"},
		{"customer_4", "", "delta"},
	} {
		c, in := w.connection, w.installation
		c.ID, in.ID = newID(t), newID(t)
		c.Group = windlass.Group{ProjectID: w.project.ID, Ref: customer.ref, Name: customer.name, Created: noon, Updated: noon}
		c.Workspace = customer.workspace
		if i == 2 {
			c.Status = windlass.ConnectionBad
		}
		in.Group, in.Connection, in.Healthy = c.Group, c, i != 1
		must(t, s.CreateConnection(t.Context(), c, w.credentials))
		must(t, s.CreateInstallation(t.Context(), in, nil))
	}
}

func TestCustomersAreSearched(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s) // group-1, Group One, acme
		many(t, s, w)
		stranger := found(t, s)
		all := []string{"group-1", "customer-1", "customer-2", "customer-3", "customer_4"}
		for _, row := range []struct {
			search, health string
			want           []string
		}{
			{"", "", all},
			{"alpha", "", []string{"customer-1", "customer-3"}},
			{"ALPHA w", "", []string{"customer-1"}},
			{"customer-", "", []string{"customer-1", "customer-2", "customer-3"}},
			{"r_4", "", []string{"customer_4"}},
			{"0%", "", []string{"customer-2"}},
			{`% \`, "", []string{"customer-2"}},
			{"Élan", "", []string{"customer-2"}},
			{"%", "", []string{"customer-2"}},
			{`'; DROP TABLE groups --`, "", nil},
			{"", windlass.Unhealthy, []string{"customer-2", "customer-3"}},
			{"", windlass.Healthy, []string{"group-1", "customer-1", "customer_4"}},
			{"alpha", windlass.Healthy, []string{"customer-1"}},
			{"alpha", windlass.Unhealthy, []string{"customer-3"}},
		} {
			name := fmt.Sprintf("%q %s", row.search, row.health)
			filter := windlass.InstallationFilter{ProjectID: w.project.ID, Search: row.search, Health: row.health}
			var refs []string
			for _, in := range got(s.Installations(ctx, filter))(t) {
				refs = append(refs, in.Group.Ref)
			}
			if !slices.Equal(refs, row.want) {
				t.Errorf("%s finds the installations of %q, want %q", name, refs, row.want)
			}
			if row.health != "" {
				continue
			}
			refs = nil
			for _, c := range got(s.Connections(ctx, windlass.ConnectionFilter{ProjectID: w.project.ID, Search: row.search}))(t) {
				refs = append(refs, c.Group.Ref)
			}
			if !slices.Equal(refs, row.want) {
				t.Errorf("%s finds the connections of %q, want %q", name, refs, row.want)
			}
		}
		some := got(s.Installations(ctx, windlass.InstallationFilter{ProjectID: w.project.ID, Search: "customer", Limit: 2}))(t)
		rest := got(s.Installations(ctx, windlass.InstallationFilter{ProjectID: w.project.ID, Search: "customer", Limit: 9, After: some[1].ID}))(t)
		if len(some) != 2 || len(rest) != 2 || rest[0].Group.Ref != "customer-3" {
			t.Errorf("a search in pages finds %d, then %d", len(some), len(rest))
		}
		bad := got(s.Connections(ctx, windlass.ConnectionFilter{ProjectID: w.project.ID, Status: windlass.ConnectionBad}))(t)
		if len(bad) != 1 || bad[0].Group.Ref != "customer-3" {
			t.Errorf("the bad connections are %+v", bad)
		}
		if others := got(s.Installations(ctx, windlass.InstallationFilter{ProjectID: stranger.project.ID, Search: "alpha"}))(t); len(others) != 0 {
			t.Errorf("another project's customers are found: %+v", others)
		}
		_, err := s.Installations(ctx, windlass.InstallationFilter{ProjectID: w.project.ID, Health: "well"})
		wantKind(t, err, windlass.Invalid)
	})
}

// BenchmarkSearch finds a page of 50 of 10,000 installations: by a text that many
// have, by one that none has, and by health.
func BenchmarkSearch(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		s := open()
		w, _ := crowd(b, s)
		for _, row := range []struct {
			name   string
			filter windlass.InstallationFilter
			want   int
		}{
			{"common", windlass.InstallationFilter{Search: "customer"}, 50},
			{"one", windlass.InstallationFilter{Search: "ER-09999"}, 1},
			{"none", windlass.InstallationFilter{Search: "nothing"}, 0},
			{"unhealthy", windlass.InstallationFilter{Health: windlass.Unhealthy}, 0},
			{"healthy", windlass.InstallationFilter{Health: windlass.Healthy}, 50},
		} {
			b.Run(row.name, func(b *testing.B) {
				row.filter.ProjectID, row.filter.Limit = w.project.ID, 50
				report(b, 10, func(int) { wantSame(b, len(got(s.Installations(b.Context(), row.filter))(b)), row.want) })
			})
		}
	})
}
