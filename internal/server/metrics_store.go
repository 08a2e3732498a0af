package server

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// counter counts what it holds.
type counter interface {
	Stats(ctx context.Context) (map[string]int64, error)
}

// watch adds the figures of the database, which are queried when they are scraped.
func (m *metrics) watch(store interface {
	counter
	DB() *sql.DB
}, jobs counter,
) {
	m.registry.MustRegister(
		collectors.NewDBStatsCollector(store.DB(), "windlass"),
		&storedFigures{store, jobs},
	)
}

// storedFigures are counted in the database.
type storedFigures struct{ store, jobs counter }

var (
	descUp          = prometheus.NewDesc("windlass_database_up", "1 when the database answered the last time it was asked.", nil, nil)
	descThings      = prometheus.NewDesc("windlass_things", "How many of each noun there are.", []string{"noun"}, nil)
	descConnections = prometheus.NewDesc("windlass_connections", "Connections by status.", []string{"status"}, nil)
	descJobs        = prometheus.NewDesc("windlass_jobs", "Jobs by state.", []string{"state"}, nil)
)

// Describe names the figures.
func (f *storedFigures) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descUp, descThings, descConnections, descJobs} {
		ch <- desc
	}
}

// Collect asks for them. What cannot be had is left out.
func (f *storedFigures) Collect(ch chan<- prometheus.Metric) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	things, err := f.store.Stats(ctx)
	up := 1.0
	if err != nil {
		up = 0
	}
	gauge(descUp, up)
	for name, count := range things {
		if status, found := strings.CutPrefix(name, "connections_"); found {
			gauge(descConnections, float64(count), status)
		} else {
			gauge(descThings, float64(count), name)
		}
	}
	states, _ := f.jobs.Stats(ctx) // the same database: windlass_database_up says it
	for state, count := range states {
		gauge(descJobs, float64(count), state)
	}
}
