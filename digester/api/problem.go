package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// Problem is an error that is told to the client as it is.
type Problem struct {
	Status int
	Detail string
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// bad is a Problem with what a client sent.
func bad(detail string) error { return &Problem{http.StatusBadRequest, detail} }

// Errors of those who may not.
var (
	errNoToken   = errors.New("no token")
	errToken     = errors.New("the token does not work")
	errForbidden = deed.ErrForbidden
	errReadOnly  = errors.New("a copy cannot be written")
	errTooMany   = errors.New("too many requests")
)

// detail is how every error is told.
type detail struct {
	Detail string `json:"detail"`
	Error  string `json:"error_id,omitempty"` // the line in our log
}

// explain turns an error into a status and words. It is the only function that does.
// What it does not know is internal.
func explain(err error) (status int, words string) {
	var told *Problem
	kind := store.KindOf(err)
	var large *http.MaxBytesError
	var unfit *deed.Unfit
	var unscoped *access.Unscoped
	switch {
	case errors.As(err, &told):
		return told.Status, told.Detail
	case errors.As(err, &unfit):
		return http.StatusBadRequest, unfit.Words
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, "The request is too large"
	case errors.Is(err, errNoToken):
		return http.StatusUnauthorized, "Authentication credentials were not provided: send Authorization: Bearer with a token"
	case errors.Is(err, errToken):
		return http.StatusUnauthorized, "Invalid token: it is mistyped, was revoked, or has expired"
	case errors.As(err, &unscoped):
		return http.StatusForbidden, "You do not have permission to perform this action: " + unscoped.Error()
	case errors.Is(err, errForbidden):
		return http.StatusForbidden, "You do not have permission to perform this action: your role does not include it"
	case errors.Is(err, errTooMany):
		return http.StatusTooManyRequests, "You are attempting to use this endpoint too frequently"
	case errors.Is(err, store.ErrLastOwner), errors.Is(err, store.ErrTeamInUse):
		return http.StatusConflict, "Nothing was changed: " + err.Error()
	case errors.Is(err, deed.ErrYourself):
		return http.StatusConflict, "Nothing was changed: you would lock yourself out"
	case errors.Is(err, store.ErrOutboxFull):
		return http.StatusServiceUnavailable, "Nothing was changed: " + store.ErrOutboxFull.Error()
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "The requested resource does not exist"
	case errors.Is(err, store.ErrInvalid), errors.Is(err, store.ErrTaken):
		return http.StatusBadRequest, err.Error()
	case errors.Is(err, deadletter.ErrQueue):
		return http.StatusServiceUnavailable, "The queue does not answer: dead letters that were not put back are still there"
	case errors.Is(err, store.ErrTooMany):
		return http.StatusBadRequest, tooManyWords
	case errors.Is(err, errReadOnly):
		return http.StatusServiceUnavailable, "This is a read-only copy; ask the installation's primary"
	case errors.Is(err, store.ErrReplicaAway), kind == store.KindAway:
		return http.StatusServiceUnavailable, "The database does not answer at the moment"
	case kind == store.KindUnknown:
		return http.StatusServiceUnavailable, "The database broke off while it saved the change: look before you send it again"
	case kind.Again(), kind == store.KindInterrupted:
		return http.StatusServiceUnavailable, "The database did not answer in time"
	}
	return http.StatusInternalServerError, "Internal error"
}

// fail answers with an error and logs what the answer does not explain.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, words := explain(err)
	answer := detail{Detail: words}
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) && !errors.Is(err, errReadOnly) {
		answer.Error = newErrorID()
		a.cfg.Log.Error().Err(err).Str("error_id", answer.Error).Str("method", r.Method).Str("path", r.URL.Path).Msg("API request failed")
	}
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Sundew"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	send(w, status, answer)
}

// send answers with a value as JSON.
func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // people read it in terminals, and no browser takes it for a page
	_ = out.Encode(v)        // the client went away
}
