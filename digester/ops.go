package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sundew/digester/api"
	"sundew/digester/mcp"
)

// Who answers requests, in metrics and traces.
const (
	partIntake = "intake"
	partPages  = "pages"
	partAPI    = "api"
	partMCP    = "mcp"
)

// opsTimeout bounds the reads of these endpoints.
const opsTimeout = 3 * time.Second

// handler is all of the process's HTTP but intake: what operators ask, what programs
// and agents ask, dashboard.
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
	return beside(mux, forPrograms(s.api, s.agents, func(part string, next http.Handler) http.Handler {
		return timed(s.requests, part, s.tracing.requests(part, next))
	})...)
}

// part is a handler of some paths.
type part struct {
	claims func(path string) bool
	http.Handler
}

// beside has parts answer what they claim, before any mux sees the request: one would
// redirect an unclean path, and no tool follows.
func beside(pages http.Handler, parts ...part) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, p := range parts {
			if p.claims(r.URL.Path) {
				p.ServeHTTP(w, r)
				return
			}
		}
		pages.ServeHTTP(w, r)
	})
}

// mcpPath is where agents ask.
const mcpPath = "/mcp"

// forPrograms are the parts that programs and agents ask, in place of pages. watched
// stands around each.
func forPrograms(answers *api.API, agents *mcp.Server, watched func(part string, next http.Handler) http.Handler) []part {
	return []part{
		{answers.Claims, watched(partAPI, answers)},
		{func(path string) bool { return answers.Path(path) == mcpPath }, watched(partMCP, agents)},
	}
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
