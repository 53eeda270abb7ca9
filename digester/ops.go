package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sundew/digester/store"
)

const (
	// readyWithin is how long the digester may not have heard of its queue
	// before it counts as dead; a receive waits for up to ten seconds.
	readyWithin = time.Minute

	// lagLimit is how old the oldest queued message may be: beyond it, people
	// look at a dashboard that lags behind.
	lagLimit = time.Minute

	// opsTimeout bounds the reads of these endpoints.
	opsTimeout = 3 * time.Second
)

// handler is all of the process's HTTP but intake: what operators ask, dashboard.
func (s *service) handler() http.Handler {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&booksCollector{s}, &regionsCollector{s}, s.timings, s.removals)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health/ready", s.serveReady)
	ops := opsGate{token: s.cfg.OpsToken}
	mux.Handle("GET /ledger.json", ops.guard(http.HandlerFunc(s.serveLedger), s.dashboard.MayOperate))
	mux.Handle("GET /metrics", ops.guard(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{Timeout: opsTimeout}), nil))
	mux.Handle("/", s.dashboard)
	return mux
}

// readiness is the answer of /health/ready.
type readiness struct {
	Status         string  `json:"status"` // "ok", or why not
	Intake         string  `json:"intake"`
	Digester       string  `json:"digester"`
	Advice         string  `json:"advice,omitempty"`      // what to do about it
	LastBatch      string  `json:"last_batch,omitempty"`  // RFC 3339
	QueueAge       float64 `json:"queue_age_seconds"`     // of the oldest message that waits
	InFlight       int64   `json:"in_flight"`             // messages in the queue
	DeadLetters    int64   `json:"dead_letters"`          //
	Lost           int64   `json:"lost_messages"`         // accepted, and gone; waiting does not help, so it is no reason to be not ready
	DatabaseAnswer string  `json:"database"`              // "ok" or the error
	Backup         string  `json:"backup,omitempty"`      // "ok" or why it does not work, which is no reason to be not ready
	Lag            float64 `json:"digester_idle_seconds"` // since the queue last answered the digester

	Regions []regionReadiness `json:"regions,omitempty"` // one that is away does not make this process unready
}

// serveReady answers 200 if events become visible in time, 503 with the reason
// if not. Intake does not depend on it: it accepts while this says no.
func (s *service) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), opsTimeout)
	defer cancel()
	now := time.Now()
	answer := readiness{Status: "ok", Intake: "ok", Digester: "ok", DatabaseAnswer: "ok"}
	h := s.digester.Health()
	for _, r := range s.regions {
		answer.Regions = append(answer.Regions, r.readiness(now))
		if problem := r.digester.Health().Problem; store.KindOf(problem).Holds() {
			h.Problem = problem // of the database, so it holds every queue
		}
	}
	if !h.LastBatch.IsZero() {
		answer.LastBatch = h.LastBatch.UTC().Format(time.RFC3339)
	}
	if !h.LastReceive.IsZero() {
		answer.Lag = now.Sub(h.LastReceive).Seconds()
	}
	answer.Backup = s.backupState()
	books, err := readBooks(ctx, s.replica, s.queue, now)
	if err != nil {
		answer.Status, answer.DatabaseAnswer = "the books cannot be read", err.Error()
	} else {
		answer.QueueAge, answer.InFlight, answer.DeadLetters = books.OldestMessageAge, books.InFlight, books.DeadLetters
		answer.Lost = books.Lost
	}
	if refusing := s.queue.Refusing(); refusing != nil {
		answer.Intake, answer.Advice = refusing.Error(), adviceFor(refusing)
	}
	if h.Problem != nil {
		answer.Digester, answer.Advice = h.Problem.Error(), adviceFor(h.Problem)
	}
	if answer.Advice == "" && answer.DeadLetters > 0 {
		answer.Advice = fmt.Sprintf("What could not be digested is set aside. %s/dead-letters says why and puts it back.", s.url)
	}
	switch {
	case answer.Intake != "ok":
		answer.Status = "the queue takes no messages; intake answers 503"
	case h.Problem != nil:
		answer.Status = "digesting is held; intake goes on"
	case err == nil && answer.QueueAge > lagLimit.Seconds():
		answer.Status = "the digester lags behind"
	case answer.Lag > readyWithin.Seconds() && answer.InFlight > 0:
		answer.Status, answer.Digester = "the digester is not receiving", "no answer from the queue"
	}
	status := http.StatusOK
	if answer.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

// adviceFor says what an operator can do about what holds digesting, empty if
// nothing can be said that the error does not. Nothing accepted is lost by any
// of it: it waits in the queue.
func adviceFor(problem error) string {
	switch kind := store.KindOf(problem); {
	case kind == store.KindFull:
		return "The disk is full. Make room where SUNDEW_DATA is; digesting then goes on by itself."
	case kind == store.KindIO:
		return "The disk does not read or write what it is asked to. Look at its health, its quota and the kernel's log; digesting goes on by itself once it works."
	case kind == store.KindReadOnly:
		return "The data may not be written. Look at the permissions in SUNDEW_DATA and at how its disk is mounted; digesting goes on by itself once they allow it."
	case kind == store.KindCorrupt:
		return "A database file is damaged and this does not pass. Stop the process, keep a copy of all files in SUNDEW_DATA, then restore the damaged one from a backup and run digester check."
	case kind.Again():
		return "Another process keeps the database locked, perhaps a shell or a backup. Let it end; digesting then goes on by itself."
	}
	return ""
}

// serveLedger answers with the numbers of `digester stats`.
func (s *service) serveLedger(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), opsTimeout)
	defer cancel()
	books, err := readBooks(ctx, s.replica, s.queue, time.Now())
	if err != nil {
		s.log.Error().Err(err).Msg("reading the books")
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"detail": "the books cannot be read at the moment"})
		return
	}
	writeJSON(w, http.StatusOK, books)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	_ = out.Encode(v) // the client went away
}

// booksCollector shows the books to Prometheus. Counters of the database are
// read when asked for, so that they survive restarts and never disagree with
// the ledger.
type booksCollector struct{ s *service }

var (
	descAccepted  = prometheus.NewDesc("sundew_accepted_total", "Messages that the edge accepted.", []string{"project"}, nil)
	descDecided   = prometheus.NewDesc("sundew_decided_total", "Messages decided, by outcome (stored, duplicate, dropped) and reason.", []string{"project", "outcome", "reason"}, nil)
	descEdge      = prometheus.NewDesc("sundew_edge_items_total", "Items answered for without queueing, by outcome, category and reason.", []string{"outcome", "what"}, nil)
	descInFlight  = prometheus.NewDesc("sundew_in_flight", "Messages accepted and not decided.", nil, nil)
	descDead      = prometheus.NewDesc("sundew_dead_letters", "Messages set aside after too many deliveries.", nil, nil)
	descLost      = prometheus.NewDesc("sundew_lost_messages", "Messages that were accepted and are neither decided nor in the queue.", nil, nil)
	descOldest    = prometheus.NewDesc("sundew_oldest_message_age_seconds", "How long the oldest queued message has waited.", nil, nil)
	descRedeliver = prometheus.NewDesc("sundew_redelivered_total", "Deliveries of messages decided before.", nil, nil)
	descDBBytes   = prometheus.NewDesc("sundew_database_bytes", "Size of the database without its WAL.", nil, nil)
	descQBytes    = prometheus.NewDesc("sundew_queue_bytes", "Size of the local queue's file.", nil, nil)
	descBatches   = prometheus.NewDesc("sundew_batches_total", "Batches digested since the process started.", nil, nil)
	descHeld      = prometheus.NewDesc("sundew_digesting_held", "1 while the database takes no writes.", nil, nil)
)

// Describe sends nothing: which label values there are depends on the data.
func (c *booksCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the books.
func (c *booksCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), opsTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	h := c.s.digester.Health()
	counter(descBatches, h.Batches)
	held := 0.0
	if h.Problem != nil {
		held = 1
	}
	gauge(descHeld, held)
	c.s.collectBackup(gauge)
	books, err := readBooks(ctx, c.s.replica, c.s.queue, time.Now())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descAccepted, err)
		return
	}
	for id, p := range books.ByProject {
		if id == 0 { // only beside the balance
			continue
		}
		project := strconv.FormatInt(int64(id), 10)
		counter(descAccepted, p.Accepted, project)
		counter(descDecided, p.Digested, project, "stored", "")
		counter(descDecided, p.Duplicate, project, "duplicate", "")
		for reason, n := range p.Dropped {
			counter(descDecided, n, project, "dropped", reason)
		}
	}
	for outcome, items := range books.Edge {
		for what, n := range items {
			counter(descEdge, n, outcome, what)
		}
	}
	gauge(descInFlight, float64(books.InFlight))
	gauge(descDead, float64(books.DeadLetters))
	gauge(descLost, float64(books.Lost))
	gauge(descOldest, books.OldestMessageAge)
	counter(descRedeliver, books.Redelivered)
	gauge(descDBBytes, float64(books.DatabaseBytes))
	gauge(descQBytes, float64(books.QueueBytes))
}
