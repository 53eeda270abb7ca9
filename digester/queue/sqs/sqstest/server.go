// Package sqstest is SQS inside of a test's process.
//
// It exists because what the product does when SQS fails, repeats itself or is
// away can be tested with nothing else. Rules: it speaks the JSON protocol of the
// real service and is never more lenient than that; what it does not have it
// refuses. The suite in its tests runs against it and against an implementation
// that is not ours. It knows standard queues without message attributes, tags and
// policies, and checks no signature but for its region.
package sqstest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// account is the one that all queues belong to.
const account = "123456789012"

// Server is all queues of one region. It is an http.Handler for clients of SQS;
// its methods are for tests, and safe for concurrent use.
type Server struct {
	region  string
	now     func() time.Time
	actions map[string]action

	mu      sync.Mutex // guards all below
	queues  map[string]*store
	tasks   []*moveTask
	changed chan struct{} // closed and replaced when messages may have appeared
	last    int64         // number of the last id or receipt given
	faults  faults
}

// action does what a request's body asks. It is called with Server.mu held.
type action func(s *Server, host string, body []byte) (any, error)

// New returns a region without queues. now is its clock, nil for the real one.
func New(region string, now func() time.Time) *Server {
	if now == nil {
		now = time.Now
	}
	return &Server{
		region: region, now: now, queues: make(map[string]*store), changed: make(chan struct{}),
		actions: map[string]action{
			"CreateQueue":                  does((*Server).createQueue),
			"GetQueueUrl":                  does((*Server).getQueueURL),
			"GetQueueAttributes":           does((*Server).getQueueAttributes),
			"SetQueueAttributes":           does((*Server).setQueueAttributes),
			"PurgeQueue":                   does((*Server).purgeQueue),
			"SendMessage":                  does((*Server).sendMessage),
			"SendMessageBatch":             does((*Server).sendMessageBatch),
			"ReceiveMessage":               does((*Server).receiveNow),
			"DeleteMessage":                does((*Server).deleteMessage),
			"DeleteMessageBatch":           does((*Server).deleteMessageBatch),
			"ChangeMessageVisibility":      does((*Server).changeVisibility),
			"ChangeMessageVisibilityBatch": does((*Server).changeVisibilityBatch),
			"StartMessageMoveTask":         does((*Server).startMoveTask),
			"ListMessageMoveTasks":         does((*Server).listMoveTasks),
		},
	}
}

// does makes an action of a method with typed input. Fields that the input does
// not have are refused: the test would believe in something that is not done.
func does[In any](method func(s *Server, host string, in *In) (any, error)) action {
	return func(s *Server, host string, body []byte) (any, error) {
		in := new(In)
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(in); err != nil {
			return nil, errUnsupported.with("sqstest: " + err.Error())
		}
		return method(s, host, in)
	}
}

// ServeHTTP answers one request of a client.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, found := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	switch {
	case err != nil:
		panic(http.ErrAbortHandler)
	case !found || r.Method != http.MethodPost || s.actions[name] == nil:
		writeError(w, errUnsupported.with("sqstest: no action "+name))
		return
	case !strings.Contains(r.Header.Get("Authorization"), "/"+s.region+"/sqs/"):
		writeError(w, errSignature)
		return
	}
	fault := s.strike(r.Context(), name)
	if fault == before {
		writeError(w, errInternal)
		return
	}
	out, err := s.perform(r.Context(), name, r.Host, body)
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	switch {
	case fault == after:
		writeError(w, errInternal)
	case err != nil:
		writeError(w, err)
	default:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_ = json.NewEncoder(w).Encode(out) // the client went away
	}
}

// perform does an action; a long poll is repeated until there is something, its
// time is over, or the client has gone.
func (s *Server) perform(ctx context.Context, name, host string, body []byte) (any, error) {
	var until time.Time
	for {
		s.mu.Lock()
		out, err := s.actions[name](s, host, body)
		changed, now, unreachable := s.changed, s.now(), s.faults.unreachable
		s.mu.Unlock()
		if unreachable {
			panic(http.ErrAbortHandler)
		}
		received, ok := out.(*received)
		if err != nil || !ok || len(received.Messages) > 0 {
			return out, err
		}
		if until.IsZero() {
			until = now.Add(received.wait)
		}
		left := until.Sub(now)
		if left <= 0 {
			return out, nil
		}
		if next := received.next; !next.IsZero() {
			left = min(left, max(next.Sub(now), time.Millisecond))
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return out, nil
		}
	}
}

// wakeLocked lets long polls look again.
func (s *Server) wakeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Wake lets long polls look again, for tests that moved the clock.
func (s *Server) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeLocked()
}

// Direct returns a transport that calls a handler without a network, so that
// tests can stop the clock of everything with testing/synctest.
func Direct(h http.Handler) http.RoundTripper { return direct{h} }

type direct struct{ handler http.Handler }

var errUnreachable = errors.New("sqstest: no answer")

// RoundTrip fails as a network does if the handler aborts.
func (d direct) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if recover() == http.ErrAbortHandler {
			response, err = nil, errUnreachable
		}
		if r.Context().Err() != nil {
			response, err = nil, r.Context().Err()
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close()
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if r.ContentLength >= 0 {
		in.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10)) // as a network would bring it
	}
	rec := newRecorder()
	d.handler.ServeHTTP(rec, in)
	return rec.Result(), nil
}
