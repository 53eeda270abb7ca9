// Package edge is the intake: one http.Handler that real Sentry SDKs report to.
//
// It exists to accept first and think later. No SDK sends an event a second time, so
// whatever is not answered with 200 is gone; the handler therefore asks no database,
// takes what can be understood of a request, and answers when the queue has it. It
// knows no cloud and starts no goroutine: one process mounts it beside the
// dashboard, a function wraps it.
//
// Rules: an answer of 200 with an id means that the event is durable in the queue;
// never a redirect; every answer carries the CORS headers; every refusal names its
// reason to the client and is counted; memory is bounded by Limits, whatever a client
// sends; keys and payloads are never logged and never quoted.
package edge

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/functions/ingest/envelope"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/quota"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// KeyStatus says whether a key may report to a project.
type KeyStatus int

// The statuses of a key.
const (
	KeyUnknown   KeyStatus = iota // no such key, or the key of another project: 403
	KeyDisabled                   // switched off: 403
	KeyActive                     // accepted
	KeyUndecided                  // not known well enough to refuse: accepted, the digester decides
)

// Keys tells who may report, and what. It is asked for every request and by many
// goroutines: implementations answer from memory, from what they last knew.
type Keys interface {
	// Lookup says whether a key, 32 lower-case hex digits, may report to a project.
	// KeyUndecided is for where a no could be wrong: an event refused is an event lost.
	// The key then goes into the message, for the digester.
	Lookup(ctx context.Context, project event.ProjectID, key string) KeyStatus
	// Limited returns the quota that a project is over for items of a category, false
	// if there is none.
	Limited(project event.ProjectID, category string, now time.Time) (keyring.Limit, bool)
	// Allows reports whether a browser's page, http or https, may report to a
	// project. Where it is not known, it may.
	Allows(project event.ProjectID, page string) bool
}

// Quotas counts what is accepted and says what is over a limit. It is asked for every
// item and by many goroutines.
type Quotas interface {
	// Take counts one item, unless its project may report no more of its class now:
	// then it says why.
	Take(project event.ProjectID, class quota.Class, now time.Time) (quota.Over, bool)
	// Add takes back, with -1, what was counted and could not be queued.
	Add(project event.ProjectID, class quota.Class, at time.Time, n int64)
}

// Sender puts messages into the queue. Send returns nil only when every one of them
// is durable; after an error any of them may be. It sets the messages' Instance and
// Seq, keeps no reference to them, and may be called by many goroutines.
type Sender interface {
	Send(ctx context.Context, msgs []*wire.Message) error
}

// Config is what a Handler needs. Keys and Sender must be given.
type Config struct {
	Keys   Keys
	Sender Sender
	// Quotas counts what is accepted; nil: nothing is limited but by Keys.
	Quotas Quotas

	// Scrubber returns what takes secrets out of what a project reports, before it is
	// queued. It is asked for every request and answers from memory. nil, and an answer
	// of nil, is the usual one.
	Scrubber func(event.ProjectID) *scrub.Scrubber

	// Codec compresses message bodies; nil makes one.
	Codec *wire.Codec
	// Limits bounds requests; fields that are zero have their defaults.
	Limits Limits
	// KeyRate is how many events a second each key may send in the long run; 0 is
	// no limit.
	KeyRate float64
	// KeyBurst is how many events a key may send at once; 0 is one second's worth.
	KeyBurst int
	// Region is written into messages; empty for a single process.
	Region string
	// ProxyHops is how many trusted reverse proxies stand in front, which decides
	// what entry of X-Forwarded-For is the client; 0 uses the connection's address.
	ProxyHops int
	// SendTimeout bounds one Send, as does the deadline of a request's context, if it
	// has one; 0 is ten seconds.
	SendTimeout time.Duration
	// Log gets one line for each refused request and none for accepted ones; while
	// the queue fails, a line a second that says how many more there were. A logger
	// in a request's context (zerolog.Ctx) takes precedence.
	Log zerolog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Handler answers intake requests. It is safe for concurrent use.
//
// An envelope is worth what can be read of it. Items are judged one by one: one that
// is too large, too deep or not JSON is left out, a later one is still read. Where
// the framing breaks, the body is cut off or the envelope passes a limit, reading
// stops; events that were complete before that point are queued all the same, since
// nobody sends them again. The answer is 200 with the first event's id when at least
// one event was queued, else the first fault's refusal; a 200 can thus hide a fault,
// which is counted in any case. Events over the rate limit, and items of a category
// in which their project is over a quota, are left out too, but always answered with
// 429, because that is how a client learns to slow down. Attachments go with the event
// of their envelope: they are left out with it, and pass the rate limit with it.
type Handler struct {
	cfg     Config
	floods  *floods
	counts  *counter
	outages *outages
	scrub   *scrub.Scrubber // of projects that nothing is known of
	scratch sync.Pool       // of *scratch
}

// scratch is the memory that one request needs and the next can use again.
type scratch struct {
	body    *body
	reader  *envelope.Reader
	payload []byte
}

// defaultSendTimeout is longer than a healthy queue ever takes and shorter than
// clients and load balancers wait.
const defaultSendTimeout = 10 * time.Second

// usualPayload is what nearly all events fit into.
const usualPayload = 32 << 10

// New returns a handler, or an error that names what the configuration lacks.
func New(cfg Config) (*Handler, error) {
	if cfg.Keys == nil || cfg.Sender == nil {
		return nil, errors.New("edge: Config needs Keys and Sender")
	}
	if cfg.KeyRate < 0 || cfg.KeyBurst < 0 || cfg.ProxyHops < 0 || cfg.SendTimeout < 0 {
		return nil, errors.New("edge: Config has a negative number")
	}
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.Codec == nil {
		cfg.Codec = wire.NewCodec()
	}
	if cfg.SendTimeout == 0 {
		cfg.SendTimeout = defaultSendTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h := &Handler{cfg: cfg, floods: newFloods(cfg.KeyRate, cfg.KeyBurst), counts: newCounter(), outages: newOutages(), scrub: scrub.Default()}
	limits := envelope.Limits{HeaderLine: cfg.Limits.HeaderLine, Items: cfg.Limits.Items}
	h.scratch.New = func() any {
		return &scratch{
			body: newBody(), reader: envelope.NewReader(http.NoBody, limits), payload: make([]byte, 0, usualPayload),
		}
	}
	return h, nil
}

// ServeHTTP answers one request, of whatever path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setCORS(w.Header(), r)
	route, project, ok := parsePath(r.URL.Path)
	switch {
	case !ok:
		h.refuse(w, r, "", 0, errNotFound)
		return
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusOK)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", allowedMethods)
		h.refuse(w, r, route, 0, errMethod)
		return
	}
	s := h.scratch.Get().(*scratch)
	in := &intake{h: h, endpoint: route, scratch: s}
	in.run(r, project)
	s.body.close()
	if cap(s.payload) > 2*h.cfg.Limits.Event {
		s.payload = make([]byte, 0, usualPayload) // an attachment needed more
	}
	h.scratch.Put(s)
	in.answer(w, r)
}

// Refuse answers a request that did not get as far as ServeHTTP, or not to its end, in
// the protocol's form. The error wraps ErrRequest or ErrInternal; it is counted, and
// logged like any other refusal.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	setCORS(w.Header(), r)
	_, reason, _ := refusalOf(err)
	h.counts.add(countKey{0, categoryDefault, wire.OutcomeRefused, reason, hourOf(h.cfg.Now())}, 1)
	h.refuse(w, r, "", 0, err)
}

// refuse answers with an error and leaves the one line in the log that a refused
// request gets. Anybody can cause wrong keys and paths: those lines are for
// debugging.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, route endpoint, project event.ProjectID, faults ...error) {
	defer writeRefusal(w, faults)
	status, reason, _ := refusalOf(faults[0])
	level, unlogged := zerolog.InfoLevel, int64(0)
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		level = zerolog.DebugLevel
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		level = zerolog.ErrorLevel
		var ok bool
		if unlogged, ok = h.outages.line(reason, h.cfg.Now()); !ok {
			return
		}
	}
	log := zerolog.Ctx(r.Context())
	if log.GetLevel() == zerolog.Disabled { // there is none
		log = &h.cfg.Log
	}
	line := log.WithLevel(level).Err(faults[0]).Int("status", status).Str("reason", reason).
		Str("endpoint", string(route)).Int64("project", int64(project))
	if unlogged > 0 {
		line = line.Int64("unlogged_before", unlogged)
	}
	line.Msg("refused")
}
