package main

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"sundew/digester/vitals"
)

// metrics returns all that /metrics shows.
func (s *service) metrics() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&booksCollector{s}, &regionsCollector{s}, &vitalsCollector{s}, s.timings, s.requests, s.removals)
	return registry
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
	gauge(descHeld, asNumber(h.Problem != nil))
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

// vitalsCollector shows to Prometheus what /health/ready judges by, and its verdict,
// but for what the books have.
type vitalsCollector struct{ s *service }

var (
	descBuild      = prometheus.NewDesc("sundew_build_info", "1, with the version that runs.", []string{"version"}, nil)
	descReady      = prometheus.NewDesc("sundew_ready", "1 while events are accepted (for=intake), or become visible in time (for=digest).", []string{"for"}, nil)
	descProblems   = prometheus.NewDesc("sundew_problems", "Things that the page of the system says are wrong, by part.", []string{"part"}, nil)
	descLastBatch  = prometheus.NewDesc("sundew_last_batch_timestamp_seconds", "When a batch was last digested; absent before the first.", nil, nil)
	descIdle       = prometheus.NewDesc("sundew_digester_idle_seconds", "Since the local queue last answered the digester.", nil, nil)
	descWALBytes   = prometheus.NewDesc("sundew_wal_bytes", "Size of the file of the database's WAL.", nil, nil)
	descDiskFree   = prometheus.NewDesc("sundew_disk_free_bytes", "Room that the process may use where SUNDEW_DATA is.", nil, nil)
	descDiskBytes  = prometheus.NewDesc("sundew_disk_bytes", "Size of the file system where SUNDEW_DATA is.", nil, nil)
	descMail       = prometheus.NewDesc("sundew_mails", "Mails in the outbox, by state (waiting, given_up).", []string{"state"}, nil)
	descMailAge    = prometheus.NewDesc("sundew_oldest_mail_age_seconds", "How long the oldest waiting mail has waited.", nil, nil)
	descMessages   = prometheus.NewDesc("sundew_notifications", "Messages to channels, by state (waiting, given_up in the last day).", []string{"state"}, nil)
	descFileAge    = prometheus.NewDesc("sundew_backup_file_age_seconds", "How old the newest backup file is; absent without one.", nil, nil)
	descReplicaUp  = prometheus.NewDesc("sundew_replica_up", "1 while a dashboard elsewhere answers and keeps up.", []string{"replica"}, nil)
	descReplicaLag = prometheus.NewDesc("sundew_replica_lag_seconds", "Since the primary wrote the last that a dashboard elsewhere has.", []string{"replica"}, nil)
)

// Describe sends nothing: which label values there are depends on the configuration.
func (c *vitalsCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads and judges.
func (c *vitalsCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), opsTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	v := c.s.vitals(ctx)
	answer := vitals.NewReadiness(v)
	gauge(descBuild, 1, v.Version)
	gauge(descReady, asNumber(answer.ReadyForIntake), "intake")
	gauge(descReady, asNumber(answer.ReadyForDigest), "digest")
	problems := make(map[string]float64)
	for _, part := range vitals.Parts() {
		problems[part] = 0
	}
	for _, p := range answer.Problems {
		problems[p.Part]++
	}
	for part, n := range problems {
		gauge(descProblems, n, part)
	}
	if !v.Digester.LastBatch.IsZero() {
		gauge(descLastBatch, float64(v.Digester.LastBatch.Unix()))
	}
	gauge(descIdle, answer.Lag)
	gauge(descWALBytes, float64(v.Database.WAL))
	if v.Disk.Unknown == (vitals.Trouble{}) {
		gauge(descDiskFree, float64(v.Disk.Free))
		gauge(descDiskBytes, float64(v.Disk.Total))
	}
	gauge(descMail, float64(v.Mail.Waiting), "waiting")
	gauge(descMail, float64(v.Mail.GivenUp), "given_up")
	gauge(descMailAge, v.Mail.Oldest.Seconds())
	gauge(descMessages, float64(v.Channels.Waiting), "waiting")
	gauge(descMessages, float64(v.Channels.GivenUp), "given_up")
	if !v.Files.Last.IsZero() {
		gauge(descFileAge, v.At.Sub(v.Files.Last).Seconds())
	}
	for _, r := range v.Copies {
		gauge(descReplicaUp, asNumber(r.Failing == (vitals.Trouble{}) && !r.Asked.IsZero()), r.Name)
		gauge(descReplicaLag, r.Age.Seconds(), r.Name)
	}
}

func asNumber(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
