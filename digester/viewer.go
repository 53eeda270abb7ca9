package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"sundew/digester/dashboard"
	"sundew/digester/replicate"
	"sundew/digester/store"
)

// oldAfter is from which age on a copy says that it is old. The primary shows
// every lifeEvery that it lives.
const oldAfter = 6 * lifeEvery

// viewer is a process of the role dashboard: pages from a copy.
type viewer struct {
	cfg      Config
	log      zerolog.Logger
	url      string
	listener net.Listener
	follower *replicate.Follower
	replica  *store.Replica               // set before pages
	pages    atomic.Pointer[http.Handler] // nil until there is a copy

	mu       sync.Mutex // guards what follows
	position store.Position
	lag      time.Duration // between a write and that it could be read here
	moved    chan struct{} // closed when position changes, then replaced
}

// serveCopy runs a dashboard of a copy until ctx is done.
func serveCopy(ctx context.Context, cfg Config, stdout io.Writer, log zerolog.Logger) (err error) {
	if cfg.Follow.IsZero() {
		return fmt.Errorf("%w: --role dashboard needs SUNDEW_FOLLOW, the address of the backup that it follows", errUsage)
	}
	v := &viewer{cfg: cfg, log: log, moved: make(chan struct{})}
	defer func() { err = errors.Join(err, v.close()) }()
	if err := v.open(); err != nil {
		return err
	}
	return v.run(ctx, stdout)
}

func (v *viewer) open() (err error) {
	if err := os.MkdirAll(v.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	v.follower, err = replicate.NewFollower(replicate.FollowerConfig{Path: v.cfg.copyPath(), Target: v.cfg.Follow, Log: v.log})
	if errors.Is(err, replicate.ErrFollowed) {
		return fmt.Errorf("another dashboard is running on %q; stop it, or set SUNDEW_DATA to another directory: %w", v.cfg.Data, err)
	}
	if err != nil {
		return err
	}
	if v.listener, err = net.Listen("tcp", v.cfg.Listen); err != nil {
		return fmt.Errorf("listening on %s (set SUNDEW_LISTEN to use another address): %w", v.cfg.Listen, err)
	}
	v.url = v.cfg.publicURL(v.listener.Addr().String())
	return nil
}

// run serves from the start, and pages as soon as there is a copy.
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
		if err := v.prepare(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		fmt.Fprintf(stdout, "Sundew is ready. Dashboard of a copy: %s/\n", v.url)
		return v.follower.Run(ctx, v.replica.Exclusively, func() { v.note(ctx) })
	})
	group.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		return server.Shutdown(drain)
	})
	return group.Wait()
}

// prepare makes the copy and opens it: not before, see replicate.Follower.
func (v *viewer) prepare(ctx context.Context) error {
	if err := v.follower.Prepare(ctx); err != nil {
		return err
	}
	var err error
	if v.replica, err = store.OpenReplica(ctx, v.cfg.copyPath()); err != nil {
		return err
	}
	v.note(ctx)
	pages, err := dashboard.New(dashboard.Config{
		Replica: v.replica, PublicURL: v.url, Now: time.Now, Log: v.log, Version: version(),
		Copy: &dashboard.Copy{Primary: v.cfg.Primary, Wait: v.wait, Old: oldAfter},
	})
	if err != nil {
		return err
	}
	var handler http.Handler = pages
	v.pages.Store(&handler)
	return nil
}

// note takes down where the copy is.
func (v *viewer) note(ctx context.Context) {
	p, err := v.replica.Position(ctx)
	if err != nil {
		if ctx.Err() == nil {
			v.log.Error().Err(err).Msg("the copy's position cannot be read")
		}
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Number == v.position.Number {
		return
	}
	v.position, v.lag = p, max(0, time.Since(p.At))
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
	if v.replica != nil {
		errs = append(errs, v.replica.Close())
	}
	if v.follower != nil {
		errs = append(errs, v.follower.Close())
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
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{Timeout: opsTimeout}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if pages := v.pages.Load(); pages != nil {
			(*pages).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "5")
		http.Error(w, "The copy of the database is being fetched. Try again in a moment.", http.StatusServiceUnavailable)
	})
	return mux
}

// copyState is the answer of /health/ready.
type copyState struct {
	Status   string  `json:"status"`             // "ok", "old" or "fetching"; pages are there in the first two
	Problem  string  `json:"problem,omitempty"`  // why the copy is not kept up to date
	Position int64   `json:"position"`           //
	AsOf     string  `json:"as_of,omitempty"`    // RFC 3339
	Age      float64 `json:"age_seconds"`        // since the primary last wrote something that is here
	Lag      float64 `json:"lag_seconds"`        // how old that was when it arrived
	Reached  float64 `json:"backup_age_seconds"` // since the backup last answered
}

func (v *viewer) state(now time.Time) copyState {
	f := v.follower.Status()
	s := copyState{Status: "ok"}
	if f.Problem != nil {
		s.Problem = f.Problem.Error()
	}
	if !f.Reached.IsZero() {
		s.Reached = now.Sub(f.Reached).Seconds()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.Position, s.Lag = v.position.Number, v.lag.Seconds()
	if !v.position.At.IsZero() {
		s.AsOf, s.Age = v.position.At.Format(time.RFC3339Nano), now.Sub(v.position.At).Seconds()
	}
	switch {
	case v.pages.Load() == nil:
		s.Status = "fetching"
	case s.Age > oldAfter.Seconds():
		s.Status = "old"
	}
	return s
}

// serveReady answers 200 as soon as there are pages. Old ones are better than
// none, so that age is no reason to be not ready.
func (v *viewer) serveReady(w http.ResponseWriter, _ *http.Request) {
	answer, status := v.state(time.Now()), http.StatusOK
	if answer.Status == "fetching" {
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
	descCopyFailing  = prometheus.NewDesc("sundew_copy_failing", "1 while the copy cannot be kept up to date.", nil, nil)
)

// Describe lists what Collect sends.
func (c *copyCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descCopyPosition, descCopyAge, descCopyLag, descCopyFailing} {
		ch <- d
	}
}

// Collect reads the state.
func (c *copyCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.v.state(time.Now())
	failing := 0.0
	if s.Problem != "" {
		failing = 1
	}
	for d, value := range map[*prometheus.Desc]float64{
		descCopyPosition: float64(s.Position), descCopyAge: s.Age, descCopyLag: s.Lag, descCopyFailing: failing,
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
}
