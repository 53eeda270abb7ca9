package lambdatest

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// runtimeAPI is what the process of an environment talks to, in the version of
// 2018-06-01, and as much of the Extensions API as a program needs that wants to be
// told with SIGTERM when it is over.
func (e *Environment) runtimeAPI() http.Handler {
	const invocations = "/2018-06-01/runtime/invocation/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+invocations+"next", e.serveNext)
	mux.HandleFunc("POST "+invocations+"{id}/response", func(w http.ResponseWriter, r *http.Request) {
		e.serveAnswer(w, r, nil)
	})
	mux.HandleFunc("POST "+invocations+"{id}/error", func(w http.ResponseWriter, r *http.Request) {
		e.serveAnswer(w, r, ErrFunction)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted) // the program exits, and that is what counts
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", newUUID())
		_, _ = io.WriteString(w, "{}")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // it registered for no events
	})
	return mux
}

// serveNext hands over the next event, when there is one.
func (e *Environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-e.first:
		e.function.release(e)
	default:
		close(e.first)
		e.function.ready(time.Since(e.began)) // it was started for an event
	}
	var call *invocation
	select {
	case call = <-e.events:
	case <-r.Context().Done():
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(call.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+e.function.cfg.Region+":123456789012:function:function")
	h.Set("Lambda-Runtime-Trace-Id", newTraceID(time.Now())+";Sampled=0")
	_, _ = w.Write(call.payload) // a process that does not read it has ended, which is noticed
}

// serveAnswer takes the answer to an event.
func (e *Environment) serveAnswer(w http.ResponseWriter, r *http.Request, failure error) {
	e.function.mu.Lock()
	call := e.current
	e.function.mu.Unlock()
	if call == nil || call.id != r.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	switch {
	case err != nil:
		failure = fmt.Errorf("%w: reading its answer: %w", ErrFunction, err)
	case failure != nil:
		failure = fmt.Errorf("%w: %.500s", failure, body)
	}
	select {
	case call.answered <- answer{body, failure}:
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, `{"errorType":"InvalidStateTransition"}`, http.StatusForbidden)
	}
}

// newUUID returns a random one.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns the header that X-Ray's traces begin with.
func newTraceID(now time.Time) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("Root=1-%08x-%x", now.Unix(), b)
}
