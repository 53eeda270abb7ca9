package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"sundew/digester/api"
	"sundew/digester/dashboard"
	"sundew/digester/mcp"
	"sundew/digester/release"
	"sundew/digester/store"
)

const (
	// oldAfter is from which age on a copy says that it is old. The primary shows
	// every lifeEvery that it lives.
	oldAfter = 6 * lifeEvery

	// A copy that has had the primary's writes later than behindBy for behindFor is
	// behind: it does not keep up. A network that is slow for a moment does not
	// count.
	behindBy  = 2 * time.Second
	behindFor = 10 * time.Second
)

// viewer is a process of the role dashboard: pages from a copy.
type viewer struct {
	cfg      Config
	log      zerolog.Logger
	url      string
	listener net.Listener
	source   source
	pages    atomic.Pointer[http.Handler] // nil until there is something to read

	mu       sync.Mutex // guards what follows
	position store.Position
	lag      time.Duration // between a write and that it could be read here
	behind   time.Time     // since when lag is beyond behindBy; zero: it is not
	moved    chan struct{} // closed when position changes, then replaced
}

// serveCopy runs a dashboard of a copy until ctx is done.
func serveCopy(ctx context.Context, cfg Config, stdout io.Writer, log zerolog.Logger) (err error) {
	v := &viewer{cfg: cfg, log: log, moved: make(chan struct{})}
	defer func() { err = errors.Join(err, v.close()) }()
	if err := v.open(); err != nil {
		return err
	}
	return v.run(ctx, stdout)
}

func (v *viewer) open() (err error) {
	if v.source, err = newSource(v.cfg, v.log); err != nil {
		return err
	}
	if v.listener, err = net.Listen("tcp", v.cfg.Listen); err != nil {
		return fmt.Errorf("listening on %s (set SUNDEW_LISTEN to use another address): %w", v.cfg.Listen, err)
	}
	v.url = v.cfg.publicURL(v.listener.Addr().String())
	return nil
}

// run serves from the start, and pages as soon as there is something to read.
func (v *viewer) run(ctx context.Context, stdout io.Writer) error {
	var unused unusedConns
	server := newServer(v.handler(), &unused)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(v.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		return v.source.run(ctx, func(r *store.Replica) error {
			if err := v.showPages(r); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "Sundew is ready. Dashboard of a copy: %s/\n", v.url)
			return nil
		}, func(p store.Position) { v.note(p, time.Now()) })
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return server.Shutdown(drain)
	})
	return group.Wait()
}

func (v *viewer) showPages(replica *store.Replica) error {
	pages, err := dashboard.New(dashboard.Config{
		Replica: replica, PublicURL: v.cfg.reportURL(v.url), Now: time.Now, Log: v.log, Version: release.Version(),
		Copy: &dashboard.Copy{Primary: v.cfg.Primary, Wait: v.wait, Old: oldAfter},
	})
	if err != nil {
		return err
	}
	answers, err := api.New(api.Config{
		Replica: replica, PublicURL: v.cfg.reportURL(v.url), Now: time.Now, Log: v.log, Version: release.Version(),
		EventJSON: dashboard.ReadableJSON, EventMarkdown: pages.EventMarkdown,
	})
	if err != nil {
		return err
	}
	agents := mcp.New(mcp.Config{API: answers, Version: release.Version(), Now: time.Now, Log: v.log, Event: pages.EventMarkdown})
	handler := beside(pages, forPrograms(answers, agents, func(_ string, next http.Handler) http.Handler { return next })...)
	v.pages.Store(&handler)
	return nil
}

// note takes down where the copy is now.
func (v *viewer) note(p store.Position, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Number == v.position.Number {
		return
	}
	v.position, v.lag = p, max(0, now.Sub(p.At))
	switch {
	case v.lag <= behindBy:
		v.behind = time.Time{}
	case v.behind.IsZero():
		v.behind = now
	}
	close(v.moved)
	v.moved = make(chan struct{})
}

// wait returns whether the copy reaches a position before ctx is done.
func (v *viewer) wait(ctx context.Context, position int64) bool {
	for {
		v.mu.Lock()
		reached, moved := v.position.Number >= position, v.moved
		v.mu.Unlock()
		if reached {
			return true
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return false
		}
	}
}

func (v *viewer) close() error {
	var errs []error
	if v.source != nil {
		errs = append(errs, v.source.close())
	}
	if v.listener != nil {
		if err := v.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (v *viewer) handler() http.Handler {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &copyCollector{v})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health/ready", v.serveReady)
	ops := opsGate{token: v.cfg.OpsToken}
	mux.Handle("GET /metrics", ops.guard(promhttp.HandlerFor(metrics, promhttp.HandlerOpts{Timeout: opsTimeout}), nil))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if pages := v.pages.Load(); pages != nil {
			(*pages).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "5")
		http.Error(w, "The database cannot be read here yet. Try again in a moment.", http.StatusServiceUnavailable)
	})
	return mux
}

// copyState is the answer of /health/ready.
type copyState struct {
	Status   string  `json:"status"`             // "ok", "behind", "old", "away" or "waiting"; pages are there in the first three
	Problem  string  `json:"problem,omitempty"`  // why the copy is not kept up to date, or the replica does not answer
	Warning  string  `json:"warning,omitempty"`  // that the copy does not keep up
	Position int64   `json:"position"`           //
	AsOf     string  `json:"as_of,omitempty"`    // RFC 3339
	Age      float64 `json:"age_seconds"`        // since the primary last wrote something that is here
	Lag      float64 `json:"lag_seconds"`        // how old that was when it arrived
	Reached  float64 `json:"source_age_seconds"` // since the backup or the replica last answered
}

func (v *viewer) state(now time.Time) copyState {
	from := v.source.status()
	s := copyState{Status: "ok"}
	if from.Problem != nil {
		s.Problem = from.Problem.Error()
	}
	if !from.Reached.IsZero() {
		s.Reached = now.Sub(from.Reached).Seconds()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.Position, s.Lag = v.position.Number, v.lag.Seconds()
	if !v.position.At.IsZero() {
		s.AsOf, s.Age = v.position.At.Format(time.RFC3339Nano), now.Sub(v.position.At).Seconds()
	}
	switch {
	case v.pages.Load() == nil:
		s.Status = "waiting"
	case from.Blind:
		s.Status = "away"
	case s.Age > oldAfter.Seconds():
		s.Status = "old"
	case !v.behind.IsZero() && now.Sub(v.behind) > behindFor:
		s.Status, s.Warning = "behind", "the copy does not keep up with the primary: "+from.Follows
	}
	return s
}

// serveReady answers 200 while there are pages. Old ones are better than none, so
// that age is no reason to be not ready.
func (v *viewer) serveReady(w http.ResponseWriter, _ *http.Request) {
	answer, status := v.state(time.Now()), http.StatusOK
	if answer.Status == "waiting" || answer.Status == "away" {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

// copyCollector shows the copy's state to Prometheus.
type copyCollector struct{ v *viewer }

var (
	descCopyPosition = prometheus.NewDesc("sundew_copy_position", "The last position of the primary that the copy has.", nil, nil)
	descCopyAge      = prometheus.NewDesc("sundew_copy_age_seconds", "Since the primary last wrote something that the copy has.", nil, nil)
	descCopyLag      = prometheus.NewDesc("sundew_copy_lag_seconds", "How old the last write was when the copy got it.", nil, nil)
	descCopyBehind   = prometheus.NewDesc("sundew_copy_behind", "1 while the copy gets what the primary writes, but does not keep up.", nil, nil)
	descCopyFailing  = prometheus.NewDesc("sundew_copy_failing", "1 while the copy cannot be kept up to date.", nil, nil)
)

// Describe lists what Collect sends.
func (c *copyCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descCopyPosition, descCopyAge, descCopyLag, descCopyBehind, descCopyFailing} {
		ch <- d
	}
}

// Collect reads the state.
func (c *copyCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.v.state(time.Now())
	failing, behind := 0.0, 0.0
	if s.Problem != "" {
		failing = 1
	}
	if s.Warning != "" {
		behind = 1
	}
	for d, value := range map[*prometheus.Desc]float64{
		descCopyPosition: float64(s.Position), descCopyAge: s.Age, descCopyLag: s.Lag, descCopyBehind: behind, descCopyFailing: failing,
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
}
