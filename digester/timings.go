package main

import (
	"net/http"
	"strconv"
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

// observe is told what each stage of each write took.
func (s *service) observe(stage store.Stage, why string, took time.Duration) {
	s.timings.WithLabelValues(string(stage), why).Observe(took.Seconds())
	s.tracing.write(stage, why, took)
}

// newRequests returns the histogram of how long requests took, by who answered
// (intake, pages) and by the class of the answer (2xx, …).
func newRequests() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "sundew_request_seconds",
		Help:    "How long requests took, by who answered (intake, pages) and by the class of the answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"part", "class"})
}

// answered is a ResponseWriter that remembers the status.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answered) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// timed observes how long a handler takes.
func timed(requests *prometheus.HistogramVec, part string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, out := time.Now(), &answered{ResponseWriter: w}
		next.ServeHTTP(out, r)
		class := "none"
		if out.status != 0 {
			class = strconv.Itoa(out.status/100) + "xx"
		}
		requests.WithLabelValues(part, class).Observe(time.Since(began).Seconds())
	})
}

// newRemovals returns the counter of events that were removed because they were too
// old or too many, or about a person who wanted it.
func newRemovals() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sundew_removed_events_total",
		Help: "Events removed since the process started, by why: age, count, person.",
	}, []string{"why"})
}
