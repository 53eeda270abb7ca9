// Package sentryapitest is another server for tests of an import: the parts of the API
// that Sentry and GlitchTip have in common, and where they differ.
//
// It exists because what matters of an import is at the edges: pages, limits, what is
// missing. It serves what a test gives it, and notes what it was asked.
package sentryapitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Token is the one that the server takes.
const Token = "sntrys_test"

// Server answers for the organization "acme".
type Server struct {
	*httptest.Server
	GlitchTip bool                         // else it is Sentry
	Page      int                          // items a page; 0: 2
	Projects  []json.RawMessage            // of the organization
	Keys      map[string][]json.RawMessage // by project's slug; a project without is 403
	Issues    map[string][]json.RawMessage // by project's slug
	Events    map[string]json.RawMessage   // the latest, by issue's id; an issue without is 404

	mu     sync.Mutex // guards what follows
	refuse []int      // statuses of the next answers
	asked  []string   // paths with their queries
}

// New starts a server, which ends with the test.
func New(t testing.TB) *Server {
	s := &Server{Page: 2, Keys: map[string][]json.RawMessage{}, Issues: map[string][]json.RawMessage{}, Events: map[string]json.RawMessage{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/0/organizations/acme/projects/{$}", func(w http.ResponseWriter, r *http.Request) { s.list(w, r, s.Projects) })
	mux.HandleFunc("GET /api/0/projects/acme/{slug}/keys/{$}", func(w http.ResponseWriter, r *http.Request) {
		keys, ok := s.Keys[r.PathValue("slug")]
		if !ok {
			http.Error(w, `{"detail":"You do not have permission to perform this action."}`, http.StatusForbidden)
			return
		}
		s.list(w, r, keys)
	})
	mux.HandleFunc("GET /api/0/projects/acme/{slug}/issues/{$}", func(w http.ResponseWriter, r *http.Request) {
		if q, given := r.URL.Query()["query"]; !given || q[0] != "" {
			http.Error(w, `{"detail":"without a query it lists open issues only"}`, http.StatusBadRequest)
			return
		}
		s.list(w, r, s.Issues[r.PathValue("slug")])
	})
	mux.HandleFunc("GET /api/0/organizations/acme/issues/{id}/events/latest/{$}", s.latest)
	mux.HandleFunc("GET /api/0/issues/{id}/events/latest/{$}", s.latest)
	s.Server = httptest.NewServer(s.guard(mux))
	t.Cleanup(s.Close)
	return s
}

// RefuseNext answers the next requests with these statuses.
func (s *Server) RefuseNext(statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, statuses...)
}

// Asked returns what was asked since the last call.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.RequestURI())
		status := 0
		if len(s.refuse) > 0 {
			status, s.refuse = s.refuse[0], s.refuse[1:]
		}
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Authorization") != "Bearer "+Token:
			http.Error(w, `{"detail":"Invalid token"}`, http.StatusUnauthorized)
		case status == http.StatusTooManyRequests:
			w.Header().Set("Retry-After", "7")
			http.Error(w, `{"detail":"You are attempting to use this endpoint too frequently."}`, status)
		case status != 0:
			http.Error(w, "<html>it broke</html>", status)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// list answers one page, and says where the next one is as the server does that it is.
func (s *Server) list(w http.ResponseWriter, r *http.Request, items []json.RawMessage) {
	query := r.URL.Query()
	from := 0
	if cursor := query.Get("cursor"); cursor != "" {
		parts := strings.Split(cursor, ":")
		from, _ = strconv.Atoi(parts[len(parts)/2])
	}
	to := min(len(items), from+max(s.Page, 1))
	from = min(from, to)
	next := fmt.Sprintf("0:%d:0", to)
	query.Set("cursor", next)
	more := strconv.FormatBool(to < len(items))
	// The address is one that leads nowhere, as behind a proxy.
	address := "http://internal.invalid" + r.URL.Path + "?" + query.Encode()
	link := fmt.Sprintf(`<%s>; rel="previous"; results="false"; cursor="0:0:1", <%s>; rel="next"; results="%s"; cursor="%s"`, address, address, more, next)
	if s.GlitchTip { // without the cursor as a parameter
		link = fmt.Sprintf(`<%s>; rel="previous"; results="false", <%s>; rel="next"; results="%s"`, address, address, more)
	}
	w.Header().Set("Link", link)
	page := slices.Clone(items[from:to])
	if page == nil {
		page = []json.RawMessage{}
	}
	_ = json.NewEncoder(w).Encode(page) // the client went away
}

func (s *Server) latest(w http.ResponseWriter, r *http.Request) {
	ev, ok := s.Events[r.PathValue("id")]
	if !ok {
		http.Error(w, `{"detail":"No matching event"}`, http.StatusNotFound)
		return
	}
	_, _ = w.Write(ev) // likewise
}
