package connect_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"windlass"
)

// memory is a store that keeps everything in maps, with the transactions,
// versions and leases that the real ones have.
type memory struct {
	mu   sync.Mutex // held by a whole transaction
	rows rows
}

type rows struct {
	projects     map[string]windlass.Project
	apps         map[string]windlass.ProviderApp
	integrations map[string]windlass.Integration
	states       map[string]windlass.ConnectState
	connections  map[string]windlass.Connection
	credentials  map[string]windlass.Credentials
	leases       map[string]lease
}

type lease struct {
	owner string
	until time.Time
}

func newMemory() *memory {
	return &memory{rows: rows{
		projects: map[string]windlass.Project{}, apps: map[string]windlass.ProviderApp{},
		integrations: map[string]windlass.Integration{}, states: map[string]windlass.ConnectState{},
		connections: map[string]windlass.Connection{}, credentials: map[string]windlass.Credentials{}, leases: map[string]lease{},
	}}
}

func (r rows) clone() rows {
	return rows{
		projects: maps.Clone(r.projects), apps: maps.Clone(r.apps), integrations: maps.Clone(r.integrations),
		states: maps.Clone(r.states), connections: maps.Clone(r.connections),
		credentials: maps.Clone(r.credentials), leases: maps.Clone(r.leases),
	}
}

type inside struct{}

// inTransaction reports whether a context belongs to a transaction of a memory.
func inTransaction(ctx context.Context) bool { return ctx.Value(inside{}) != nil }

func (m *memory) In(ctx context.Context, do func(context.Context) error) error {
	if inTransaction(ctx) {
		return do(ctx)
	}
	var after []func()
	if err := m.commit(ctx, &after, do); err != nil {
		return err
	}
	for _, do := range after {
		do()
	}
	return nil
}

// commit is the transaction itself.
func (m *memory) commit(ctx context.Context, after *[]func(), do func(context.Context) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.rows.clone()
	err := do(context.WithValue(ctx, inside{}, after))
	if err != nil {
		m.rows = before
	}
	return err
}

func (m *memory) Afterwards(ctx context.Context, do func()) {
	if after, ok := ctx.Value(inside{}).(*[]func()); ok {
		*after = append(*after, do)
		return
	}
	do()
}

// alone locks the rows, unless the transaction of ctx has them locked.
func (m *memory) alone(ctx context.Context) func() {
	if inTransaction(ctx) {
		return func() {}
	}
	m.mu.Lock()
	return m.mu.Unlock
}

func missing(what string) error {
	return &windlass.Error{Kind: windlass.NotFound, Message: "there is no such " + what}
}

func (m *memory) CreateProject(ctx context.Context, p windlass.Project) error {
	defer m.alone(ctx)()
	m.rows.projects[p.ID] = p
	return nil
}

func (m *memory) Project(ctx context.Context, idOrName string) (windlass.Project, error) {
	defer m.alone(ctx)()
	for _, p := range m.rows.projects {
		if p.ID == idOrName || p.Name == idOrName {
			return p, nil
		}
	}
	return windlass.Project{}, missing("project")
}

func (m *memory) Projects(ctx context.Context, _ windlass.Page) ([]windlass.Project, error) {
	defer m.alone(ctx)()
	return slices.Collect(maps.Values(m.rows.projects)), nil
}

func (m *memory) CreateProviderApp(ctx context.Context, app windlass.ProviderApp) error {
	defer m.alone(ctx)()
	m.rows.apps[app.ID] = app
	return nil
}

func (m *memory) UpdateProviderApp(ctx context.Context, app windlass.ProviderApp) error {
	return m.CreateProviderApp(ctx, app)
}

func (m *memory) ProviderApp(ctx context.Context, projectID, idOrProvider string) (windlass.ProviderApp, error) {
	defer m.alone(ctx)()
	for _, app := range m.rows.apps {
		if app.ProjectID == projectID && (app.ID == idOrProvider || app.Provider == idOrProvider) {
			return app, nil
		}
	}
	return windlass.ProviderApp{}, windlass.NotFound
}

func (m *memory) ProviderApps(ctx context.Context, projectID string, _ windlass.Page) ([]windlass.ProviderApp, error) {
	defer m.alone(ctx)()
	var apps []windlass.ProviderApp
	for _, app := range m.rows.apps {
		if app.ProjectID == projectID {
			apps = append(apps, app)
		}
	}
	return apps, nil
}

func (m *memory) SaveIntegrations(ctx context.Context, _ string, integrations []windlass.Integration) error {
	defer m.alone(ctx)()
	for _, integration := range integrations {
		m.rows.integrations[integration.ID] = integration
	}
	return nil
}

func (m *memory) Integrations(ctx context.Context, projectID string, _ windlass.Page) ([]windlass.Integration, error) {
	defer m.alone(ctx)()
	var found []windlass.Integration
	for _, integration := range m.rows.integrations {
		if integration.ProjectID == projectID {
			found = append(found, integration)
		}
	}
	return found, nil
}

func (m *memory) CreateState(ctx context.Context, state windlass.ConnectState) error {
	defer m.alone(ctx)()
	m.rows.states[state.Hash] = state
	return nil
}

func (m *memory) State(ctx context.Context, hash string, now time.Time) (json.RawMessage, error) {
	defer m.alone(ctx)()
	state, ok := m.rows.states[hash]
	switch {
	case !ok:
		return nil, missing("state")
	case !now.Before(state.Expires):
		return nil, &windlass.Error{Kind: windlass.Gone, Message: "expired"}
	}
	return state.Data, nil
}

func (m *memory) PendingStates(ctx context.Context, projectID, groupRef string, now time.Time) (p windlass.PendingStates, _ error) {
	defer m.alone(ctx)()
	for _, state := range m.rows.states {
		if state.ProjectID != projectID || !state.Expires.After(now) {
			continue
		}
		p.Project++
		if state.GroupRef == groupRef {
			p.Group++
		}
		if p.Next.IsZero() || state.Expires.Before(p.Next) {
			p.Next = state.Expires
		}
	}
	return p, nil
}

// pending is how many consents are under way, by now.
func (m *memory) pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows.states)
}

func (m *memory) ForgetStates(ctx context.Context, now time.Time) error {
	defer m.alone(ctx)()
	maps.DeleteFunc(m.rows.states, func(_ string, state windlass.ConnectState) bool { return !state.Expires.After(now) })
	return nil
}

func (m *memory) TakeState(ctx context.Context, hash string, now time.Time) (json.RawMessage, error) {
	defer m.alone(ctx)()
	state, ok := m.rows.states[hash]
	delete(m.rows.states, hash)
	switch {
	case !ok:
		return nil, missing("state")
	case !now.Before(state.Expires):
		return nil, &windlass.Error{Kind: windlass.Gone, Message: "expired"}
	}
	return state.Data, nil
}

func (m *memory) CreateConnection(ctx context.Context, c windlass.Connection, credentials windlass.Credentials) error {
	defer m.alone(ctx)()
	credentials.Version = 1
	c.Group.Created, c.Consumer.Created = c.Created, c.Created // no test has a customer who was there before
	m.rows.connections[c.ID], m.rows.credentials[c.ID] = c, credentials
	return nil
}

func (m *memory) Connection(ctx context.Context, projectID, id string) (windlass.Connection, error) {
	defer m.alone(ctx)()
	if c, ok := m.rows.connections[id]; ok && c.ProjectID == projectID {
		return c, nil
	}
	return windlass.Connection{}, missing("connection")
}

func (m *memory) Connections(ctx context.Context, want windlass.ConnectionFilter) ([]windlass.Connection, error) {
	defer m.alone(ctx)()
	all := slices.DeleteFunc(slices.Collect(maps.Values(m.rows.connections)), func(c windlass.Connection) bool {
		return want.ProjectID != "" && want.ProjectID != c.ProjectID || want.Provider != "" && want.Provider != c.Provider ||
			want.GroupRef != "" && want.GroupRef != c.Group.Ref || want.ConsumerRef != "" && want.ConsumerRef != c.Consumer.Ref
	})
	slices.SortFunc(all, func(a, b windlass.Connection) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}

func (m *memory) UpdateConnection(ctx context.Context, c windlass.Connection) error {
	defer m.alone(ctx)()
	if _, ok := m.rows.connections[c.ID]; !ok {
		return missing("connection")
	}
	m.rows.connections[c.ID] = c
	return nil
}

func (m *memory) Credentials(ctx context.Context, id string) (windlass.Credentials, error) {
	defer m.alone(ctx)()
	if c, ok := m.rows.credentials[id]; ok {
		return c, nil
	}
	return windlass.Credentials{}, missing("connection")
}

func (m *memory) ReplaceCredentials(ctx context.Context, id string, credentials windlass.Credentials) error {
	defer m.alone(ctx)()
	return m.put(id, credentials, windlass.ConnectionCreated)
}

// put stores credentials with the next version, and ends any lease on the old.
func (m *memory) put(id string, credentials windlass.Credentials, status windlass.ConnectionStatus) error {
	old, ok := m.rows.credentials[id]
	if !ok {
		return missing("connection")
	}
	credentials.Version = old.Version + 1
	m.rows.credentials[id] = credentials
	delete(m.rows.leases, id)
	m.describe(id, status, "")
	return nil
}

func (m *memory) describe(id string, status windlass.ConnectionStatus, reason string) {
	c := m.rows.connections[id]
	c.Status, c.StatusReason = status, reason
	m.rows.connections[id] = c
}

func (m *memory) DeleteConnection(ctx context.Context, projectID, id string) error {
	defer m.alone(ctx)()
	if c, ok := m.rows.connections[id]; !ok || c.ProjectID != projectID {
		return missing("connection")
	}
	delete(m.rows.connections, id)
	delete(m.rows.credentials, id)
	delete(m.rows.leases, id)
	return nil
}

func (m *memory) SetConnectionStatus(
	ctx context.Context, id string, status windlass.ConnectionStatus, reason string, version int64,
) (bool, error) {
	defer m.alone(ctx)()
	if m.rows.credentials[id].Version != version {
		return false, nil
	}
	changed := m.rows.connections[id].Status != status
	m.describe(id, status, reason)
	return changed, nil
}

func (m *memory) LeaseRefresh(ctx context.Context, id, owner string, now, until time.Time) (bool, error) {
	defer m.alone(ctx)()
	if _, ok := m.rows.credentials[id]; !ok {
		return false, missing("connection")
	}
	if held, ok := m.rows.leases[id]; ok && held.until.After(now) {
		return false, nil
	}
	m.rows.leases[id] = lease{owner, until}
	return true, nil
}

func (m *memory) SaveRefreshed(ctx context.Context, id, owner string, credentials windlass.Credentials) error {
	defer m.alone(ctx)()
	if m.rows.leases[id].owner != owner {
		return &windlass.Error{Kind: windlass.Conflict, Message: "the lease was lost"}
	}
	return m.put(id, credentials, windlass.ConnectionWorking)
}

func (m *memory) ReleaseRefresh(ctx context.Context, id, owner, reason string) error {
	defer m.alone(ctx)()
	if m.rows.leases[id].owner == owner {
		delete(m.rows.leases, id)
		m.describe(id, m.rows.connections[id].Status, reason)
	}
	return nil
}
