// Package api is what programs use: /api/0/, in the shapes of Sentry's public API,
// so that tools written for that work here.
//
// It exists so that everything that a person can do in the dashboard a program can do
// with a token. Rules: one table of routes says of each route who may use it and what
// goes in and out, and from it the mux, the authorization and the OpenAPI document
// are made. A route that reads gets a store.Rx and cannot write; one that writes is
// one transaction around its handler, after a read in which its token was asked
// about, so that who may not never waits for the lock. What goes out are typed
// structs. Errors are {"detail"}, made in one function, and what a client did wrong
// is never answered with 502, 503 or 504, because tools repeat those.
//
// A token speaks, never a cookie: no browser sends one by itself, so that there is
// nothing to forge.
//
// A file is a noun with its routes, its shapes and its handlers.
package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/deadletter"
	"sundew/digester/ledger"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/digester/vitals"
)

// Config says what an API answers about and how it is reached.
type Config struct {
	Replica   *store.Replica // where is read
	DB        *store.DB      // where is written; nil: Replica is a copy, and what writes answers 503
	PublicURL string         // how tools reach this installation, e.g. "https://errors.example.com/sundew"
	Now       func() time.Time
	Log       zerolog.Logger // for errors that an answer does not explain
	Version   string         // of the program

	Retention retention.Policy // of projects that say nothing themselves

	Address func(*http.Request) string             // where a request comes from, for the audit log; nil: the connection's other end
	Used    func(token int64, known, at time.Time) // told that a token is used, and when it was known to be used before; nil: nobody is
	Mail    func()                                 // told that there is mail in the outbox; nil: nobody takes mail, and links are handed over
	PerMin  int                                    // requests of a token in a minute; 0: 1,800

	// How an event is written for people: what its client sent, as JSON that can be read,
	// and as Markdown; nil: there is no such thing.
	EventJSON     func(payload []byte) []byte
	EventMarkdown func(rx *store.Rx, issue store.Issue, ev store.Event) ([]byte, error)

	Courier  func()             // told that there are messages for channels; nil: nobody is
	CheckURL func(string) error // says why a channel's address cannot be called, as far as its text tells; nil: it can

	// Of the installation, asked outside of any transaction; nil with a copy.
	Ledger func(context.Context) (*ledger.Books, error) // reads the books
	Vitals func(context.Context) vitals.Vitals          // reads whether it is well
	Dead   deadletter.Queues                            // whose dead letters are shown and put back

	ProxyHops     int    // reverse proxies in front whose X-Forwarded headers count
	UploadRequest int64  // bytes that a request of an upload may have; 0: 8 MiB
	ArtifactBytes int64  // that uploads may take up together; 0: any number
	Assemble      func() // told that there is an upload to assemble; nil: nobody is
}

// API answers /api/0/. It is safe for concurrent use.
type API struct {
	cfg    Config
	base   string // path in front of ours
	mux    *http.ServeMux
	table  []Route
	limits limits
}

// New returns an API. Its error says what is wrong with cfg.
func New(cfg Config) (*API, error) {
	public, err := url.Parse(cfg.PublicURL)
	if err != nil || public.Host == "" {
		return nil, fmt.Errorf("public URL %q: it must be http(s)://host[:port][/path]", cfg.PublicURL)
	}
	cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Address == nil {
		cfg.Address = func(r *http.Request) string { return r.RemoteAddr }
	}
	if cfg.PerMin == 0 {
		cfg.PerMin = perMinute
	}
	if cfg.UploadRequest == 0 {
		cfg.UploadRequest = uploadRequest
	}
	a := &API{cfg: cfg, base: strings.TrimRight(public.Path, "/"), mux: http.NewServeMux(), limits: limits{most: cfg.PerMin}}
	a.routes()
	a.mux.HandleFunc("GET "+Root+"/openapi.json/{$}", a.serveDocument)
	return a, nil
}

// routes is the list of all routes, by noun, in the order in which they are read about.
func (a *API) routes() {
	a.indexRoutes()
	a.organizationRoutes()
	a.issueRoutes()
	a.issuePartRoutes()
	a.noteRoutes()
	a.savedSearchRoutes()
	a.eventRoutes()
	a.eventTextRoutes()
	a.eventQueryRoutes()
	a.tagRoutes()
	a.statsRoutes()
	a.feedbackRoutes()
	a.attachmentRoutes()
	a.projectRoutes()
	a.ruleRoutes()
	a.channelRoutes()
	a.quietRoutes()
	a.peopleRoutes()
	a.releaseRoutes()
	a.releaseStatsRoutes()
	a.chunkRoutes()
	a.assembleRoutes()
	a.bundleRoutes()
	a.releaseFileRoutes()
	a.foreignRoutes()
	a.sqlRoutes()
	a.systemRoutes()
	a.mailRoutes()
	a.deadLetterRoutes()
	a.personRoutes()
}

// Root is in front of every route.
const Root = "/api/0"

// Claims reports whether a request's path belongs to the API, with the path in front
// of ours or without it, with doubled slashes or without them.
func (a *API) Claims(p string) bool { return claims(a.Path(p)) }

func claims(clean string) bool { return clean == Root || strings.HasPrefix(clean, Root+"/") }

// Path returns a request's path without the one in front of ours, and without doubled
// slashes or one at its end.
func (a *API) Path(p string) string {
	clean := path.Clean("/" + p)
	if rest, ok := strings.CutPrefix(clean, a.base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return clean
}

// ServeHTTP answers one request. A doubled slash, or one that is missing at the end,
// is put right without a redirect, since tools follow none.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	clean := a.cleaned(r)
	if _, pattern := a.mux.Handler(clean); pattern == "" {
		a.fail(w, clean, a.whyNoRoute(w, clean))
		return
	}
	a.mux.ServeHTTP(w, clean)
	r.Pattern = clean.Pattern // for who watches
}

// cleaned is a request for the same by the path that routes have.
func (a *API) cleaned(r *http.Request) *http.Request {
	escaped := path.Clean("/"+r.URL.EscapedPath()) + "/"
	if rest, ok := strings.CutPrefix(escaped, a.base); ok && a.base != "" && claims(path.Clean(rest)) {
		escaped = rest
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil || escaped == r.URL.EscapedPath() {
		return r
	}
	clean := r.Clone(r.Context())
	clean.URL.Path, clean.URL.RawPath = plain, escaped
	return clean
}

// whyNoRoute tells a path that does not exist from one that another method would
// find.
func (a *API) whyNoRoute(w http.ResponseWriter, r *http.Request) error {
	other := r.Clone(r.Context())
	var allowed []string
	for _, other.Method = range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if _, pattern := a.mux.Handler(other); pattern != "" {
			allowed = append(allowed, other.Method)
		}
	}
	if len(allowed) == 0 {
		return &Problem{http.StatusNotFound, fmt.Sprintf("%.200s is not something Sundew has: what it has is on %s/docs/api", r.URL.Path, strings.TrimRight(a.cfg.PublicURL, "/"))}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &Problem{http.StatusMethodNotAllowed, fmt.Sprintf("%s is not something that can be done here; %s is", r.Method, strings.Join(allowed, ", "))}
}
