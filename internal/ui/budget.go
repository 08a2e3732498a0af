package ui

import (
	"context"
	"net/http"
	"time"

	"windlass"
	"windlass/internal/budget"
)

// Budgets says how much may still be asked of the provider.
type Budgets interface {
	Budgets(ctx context.Context, projectID string) ([]budget.State, error)
}

func budgetRoutes(project string) []route {
	return []route{{http.MethodGet, project + "/budget", windlass.Viewer, (*request).budgetPage}}
}

// budgetView is the rolling hour of one provider app or credential.
type budgetView struct {
	Key     string
	Limit   int
	Used    int // in all, in the last hour
	Left    int
	Blocked time.Time
	Classes []budgetClass
}

// budgetClass is one sort of requests, those that are served first before others.
type budgetClass struct {
	Name                    string
	Used, SetAside, Waiting int
}

func (r *request) budgetPage() error {
	states, err := r.ui.config.Budgets.Budgets(r.Context(), r.Project.ID)
	if err != nil {
		return err
	}
	states = states[:min(len(states), 4*pageSize)]
	all := make([]budgetView, 0, len(states))
	for i := range states {
		s := &states[i]
		v := budgetView{Key: s.Key, Limit: s.Limit, Blocked: s.Blocked}
		for class := range budget.Classes {
			v.Used += s.Used[class]
			v.Classes = append(v.Classes, budgetClass{class.String(), s.Used[class], s.SetAside[class], s.Waiting[class]})
		}
		v.Left = max(0, v.Limit-v.Used)
		all = append(all, v)
	}
	return r.ok("budget", "Budget", all)
}
