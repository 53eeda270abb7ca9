package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sundew/digester/store"
)

// newTimings returns the histograms of what writing costs, by stage and by why it
// was done. From a tenth of a millisecond, an event's transaction, to the half
// minute after which a writer gives up.
func newTimings() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "sundew_write_seconds",
		Help:    "How long each stage of a write to the database took: wait for its turn, transaction, checkpoint.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"stage", "why"})
}

// observeIn returns what store.Config.Observe wants.
func observeIn(timings *prometheus.HistogramVec) func(store.Stage, string, time.Duration) {
	return func(stage store.Stage, why string, took time.Duration) {
		timings.WithLabelValues(string(stage), why).Observe(took.Seconds())
	}
}

// newRemovals returns the counter of events that were removed because they were too
// old or too many, or about a person who wanted it.
func newRemovals() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sundew_removed_events_total",
		Help: "Events removed since the process started, by why: age, count, person.",
	}, []string{"why"})
}
