package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"windlass/internal/budget"
)

// spentFigures are what this process knows of budgets, added up: there may be as many
// as there are connections, and a label for each would be too much.
type spentFigures struct{ budgets *budgets }

var (
	descBudgets = prometheus.NewDesc("windlass_budgets", "Budgets that this process has paid from lately.", nil, nil)
	descBlocked = prometheus.NewDesc("windlass_budgets_blocked", "Those of which the provider wants no requests at the moment.", nil, nil)
	descFullest = prometheus.NewDesc("windlass_budget_fullest", "Of all budgets, the greatest part of an hour's requests that is used.", nil, nil)
	descUsed    = prometheus.NewDesc("windlass_budget_requests", "Requests of the last hour, by all processes, by class.", []string{"class"}, nil)
	descWaiting = prometheus.NewDesc("windlass_budget_waiting", "Customers who wait for requests (of backfills, who go on), by class.", []string{"class"}, nil)
)

// Describe names the figures.
func (f *spentFigures) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descBudgets, descBlocked, descFullest, descUsed, descWaiting} {
		ch <- desc
	}
}

// Collect asks for them. What cannot be had is left out.
func (f *spentFigures) Collect(ch chan<- prometheus.Metric) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := f.budgets.State(ctx)
	if err != nil {
		return // windlass_database_up says it
	}
	var used, waiting [budget.Classes]int
	blocked, fullest := 0, 0.0
	for i := range all {
		total := 0
		for class := range budget.Classes {
			used[class] += all[i].Used[class]
			waiting[class] += all[i].Waiting[class]
			total += all[i].Used[class]
		}
		fullest = max(fullest, float64(total)/float64(max(all[i].Limit, 1)))
		if !all[i].Blocked.IsZero() {
			blocked++
		}
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(descBudgets, float64(len(all)))
	gauge(descBlocked, float64(blocked))
	gauge(descFullest, fullest)
	for class := range budget.Classes {
		gauge(descUsed, float64(used[class]), class.String())
		gauge(descWaiting, float64(waiting[class]), class.String())
	}
}
