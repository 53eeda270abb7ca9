package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sundew/digester/api"
)

// Who answers requests, in metrics and traces.
const (
	partIntake = "intake"
	partPages  = "pages"
	partAPI    = "api"
)

// opsTimeout bounds the reads of these endpoints.
const opsTimeout = 3 * time.Second

// handler is all of the process's HTTP but intake: what operators ask, API,
// dashboard.
func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /health/ready", s.serveReady(func(r readiness) bool { return r.Status == "ok" }))
	mux.HandleFunc("GET /health/ready/intake", s.serveReady(func(r readiness) bool { return r.ReadyForIntake }))
	mux.HandleFunc("GET /health/ready/digest", s.serveReady(func(r readiness) bool { return r.ReadyForDigest }))
	ops := opsGate{token: s.cfg.OpsToken}
	mux.Handle("GET /ledger.json", ops.guard(http.HandlerFunc(s.serveLedger), s.dashboard.MayOperate))
	mux.Handle("GET /metrics", ops.guard(promhttp.HandlerFor(s.metrics(), promhttp.HandlerOpts{Timeout: opsTimeout}), nil))
	mux.Handle("/", timed(s.requests, partPages, s.tracing.requests(partPages, s.dashboard)))
	return beside(mux, s.api, timed(s.requests, partAPI, s.tracing.requests(partAPI, s.api)))
}

// beside has the API answer what it claims, before any mux sees the request: one would
// redirect an unclean path, and no tool follows.
func beside(pages http.Handler, claims *api.API, answers http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if claims.Claims(r.URL.Path) {
			answers.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
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
