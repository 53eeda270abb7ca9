package edge

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"sundew/functions/ingest/envelope"
	"sundew/schema/event"
)

// What a request is refused for, beside the errors of the envelope and of the event.
// Everything is wrapped with the particulars, which the client gets to see: no key
// and nothing of a payload may be in them.
var (
	errNotFound      = errors.New("not found")
	errMethod        = errors.New("method not allowed")
	errProject       = errors.New("invalid project id")
	errAuthMissing   = errors.New("missing authorization information")
	errAuthMalformed = errors.New("malformed authorization information")
	errAuthUnknown   = errors.New("unknown key for this project")
	errAuthDisabled  = errors.New("the key is disabled")
	errOrigin        = errors.New("the page's domain is not allowed to report to this project")
	errTooLarge      = errors.New("the request is too large")
	errEncoding      = errors.New("the body cannot be decompressed")
	errClientGone    = errors.New("the body did not arrive completely")
	errReport        = errors.New("not a security report")
	errTooMany       = errors.New("too many security reports")
	errLimited       = errors.New("rate limit reached")
	errQueue         = errors.New("the queue is not available")
	errOverQuota     = errors.New("the project is over its quota")
	errNoSubject     = errors.New("it names no event that it belongs to")
	errTooManyFiles  = errors.New("the envelope has too many attachments")
)

// What a process that wraps a Handler refuses with, see Handler.Refuse.
var (
	ErrRequest  = errors.New("the request cannot be read")
	ErrInternal = errors.New("internal error")
)

// refusals says how each error is answered and under which word it is counted. The
// first that matches decides.
var refusals = [...]struct {
	err    error
	status int
	reason string
}{
	{errNotFound, http.StatusNotFound, "not_found"},
	{errMethod, http.StatusMethodNotAllowed, "method"},
	{errProject, http.StatusBadRequest, "bad_project"},
	{errAuthMissing, http.StatusUnauthorized, "auth_missing"},
	{errAuthMalformed, http.StatusBadRequest, "auth_malformed"},
	{errAuthUnknown, http.StatusForbidden, "auth_unknown"},
	{errAuthDisabled, http.StatusForbidden, "auth_disabled"},
	{errOrigin, http.StatusForbidden, "cors"},
	{errTooLarge, http.StatusRequestEntityTooLarge, "too_large"},
	{errEncoding, http.StatusBadRequest, "bad_encoding"},
	{errClientGone, http.StatusBadRequest, "client_gone"},
	{errReport, http.StatusBadRequest, "bad_json"},
	{errTooMany, http.StatusRequestEntityTooLarge, "too_many_items"},
	{errLimited, http.StatusTooManyRequests, "key_quota"},
	{errOverQuota, http.StatusTooManyRequests, "project_quota"},
	{errNoSubject, http.StatusBadRequest, reasonNoEventID},
	{errTooManyFiles, http.StatusRequestEntityTooLarge, "too_many_items"},
	{errQueue, http.StatusServiceUnavailable, "queue_unavailable"},
	{envelope.ErrEmpty, http.StatusBadRequest, "bad_framing"},
	{envelope.ErrMalformed, http.StatusBadRequest, "bad_framing"},
	{envelope.ErrLineTooLong, http.StatusRequestEntityTooLarge, "too_large"},
	{envelope.ErrPayloadTooLarge, http.StatusRequestEntityTooLarge, "too_large"},
	{envelope.ErrTooManyItems, http.StatusRequestEntityTooLarge, "too_many_items"},
	{event.ErrSyntax, http.StatusBadRequest, "bad_json"},
	{event.ErrDepth, http.StatusRequestEntityTooLarge, "too_deep"},
	{ErrRequest, http.StatusBadRequest, "bad_request"},
	{ErrInternal, http.StatusInternalServerError, "internal"},
}

// refusalOf returns the status, the word to count under and the short text that
// answer err. It is the only place that knows; what it does not know is internal.
func refusalOf(err error) (status int, reason, text string) {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.status, r.reason, r.err.Error()
		}
	}
	return refusalOf(ErrInternal)
}

// writeRefusal answers with the first of faults, and tells of the others.
func writeRefusal(w http.ResponseWriter, faults []error) {
	status, _, text := refusalOf(faults[0])
	body := struct {
		Detail string   `json:"detail"`
		Causes []string `json:"causes"`
	}{Detail: text}
	for _, err := range faults[:min(len(faults), maxCauses)] {
		body.Causes = append(body.Causes, publicText(err))
	}
	answer, err := json.Marshal(body)
	if err != nil {
		answer = []byte(`{}`) // strings always marshal
	}
	w.Header().Set("X-Sentry-Error", headerText(body.Causes[0]))
	writeJSON(w, status, answer)
}

// publicText is what a client may know of an error: all of it, but of what went wrong
// on the server's side of the network only that it did.
func publicText(err error) string {
	status, _, text := refusalOf(err)
	if status >= http.StatusInternalServerError || errors.Is(err, errClientGone) {
		return text
	}
	return err.Error()
}

// headerText returns s as the value of a header: one line of printable ASCII.
func headerText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, s)
	return clip(s, maxErrorHeader)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone cannot be told
}
