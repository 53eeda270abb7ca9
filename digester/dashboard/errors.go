package dashboard

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deadletter"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// Errors that are a client's doing.
var (
	errCrossOrigin = errors.New("form sent from another site")
	errMethod      = errors.New("method not allowed")
	errForm        = errors.New("form cannot be read")
	errNoEvent     = errors.New("no event with that id")
	errLink        = errors.New("the link does not work")
	errUnsealed    = errors.New("not sealed by us, or too old, or used")
	errDisabled    = errors.New("the account is switched off")
)

// errorPage explains an error to a person.
type errorPage struct {
	shell
	Status  int
	Heading string
	Text    string
	ID      string   // of the log line; empty when there is none
	Typed   []string // into a form that went nowhere
	Primary string   // where the form would have gone; empty: not known
	SignIn  string   // where to sign in, and from there back here; empty: that would not help
}

// explain turns an error into a status and words. It is the only function that
// does. What it does not know is internal.
func explain(err error) (status int, heading, text string) {
	var unscoped *access.Unscoped
	switch {
	case errors.Is(err, errNoEvent):
		return http.StatusNotFound, "No such event",
			"No stored event has that id. An id has 32 hexadecimal digits; an event that was just sent may still be on its way."
	case errors.Is(err, errSignIn):
		return http.StatusUnauthorized, "Sign in to go on",
			"You are not signed in, or not any more."
	case errors.Is(err, errForbidden):
		return http.StatusForbidden, "Not allowed",
			"Your role does not include this. An admin of the team or of the installation can give you another one."
	case errors.Is(err, errNotRecent):
		return http.StatusForbidden, "Sign in again first",
			"What you asked for is possible within 30 minutes after you have signed in. Sign out, sign in again, and come back."
	case errors.Is(err, errToken):
		return http.StatusUnauthorized, "This token does not work",
			"It is mistyped, was revoked, or has expired."
	case errors.As(err, &unscoped):
		return http.StatusForbidden, "This token may not do that",
			"It was made without the scope " + strings.Join(unscoped.Needed.Names(), " or ") + "."
	case errors.Is(err, errUnsealed):
		return http.StatusBadRequest, "That took too long",
			"What you began was not finished in time, or somewhere else. Begin again."
	case errors.Is(err, errLink):
		return http.StatusNotFound, "This link does not work any more",
			"Each link works once and for a limited time, and a newer one replaces it. Ask for another one."
	case errors.Is(err, store.ErrLastOwner):
		return http.StatusConflict, "Somebody has to own the installation",
			"This is its last owner. Make somebody else an owner first. Nothing was changed."
	case errors.Is(err, store.ErrTeamInUse):
		return http.StatusConflict, "The team has projects",
			"A team can be deleted when it has no projects any more: give them to another team, or delete them. Nothing was changed."
	case errors.Is(err, deed.ErrYourself):
		return http.StatusConflict, "Not your own account",
			"You would lock yourself out. Another admin can do it. Nothing was changed."
	case errors.Is(err, errDisabled):
		return http.StatusConflict, "The account is switched off",
			"Switch it on first. Nothing was changed."
	case errors.Is(err, store.ErrOutboxFull):
		return http.StatusServiceUnavailable, "Too much mail waits to be sent",
			"No mail was written. The page about mail says what the mail server has against it; hand over a link meanwhile."
	case errors.Is(err, deadletter.ErrNone):
		return http.StatusNotFound, "No such dead letter",
			"It may have been put back into its queue, or its queue has so many that it is not among the first."
	case errors.Is(err, deadletter.ErrQueue):
		return http.StatusServiceUnavailable, "The queue does not answer",
			"Dead letters that were not put back are still there. The log says what is wrong, under the number below."
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, "Page not found",
			"There is nothing at this address. It may have been deleted, or the address is not complete."
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed, "Not possible here",
			"This address does not answer to that kind of request."
	case errors.Is(err, errCrossOrigin):
		return http.StatusForbidden, "Request refused",
			"The form was sent from another site. If you use Sundew behind a proxy, its public URL must be the address in your browser."
	case errors.Is(err, errForm):
		return http.StatusBadRequest, "Request not understood",
			"The form could not be read. Go back and try again."
	case errors.Is(err, errReadOnly):
		return http.StatusForbidden, "This copy is read-only",
			"These pages are read from a copy of the database, and changes are made where it is written. Open that dashboard and do the same there. Nothing was changed."
	case errors.Is(err, errPrimaryDown):
		return http.StatusBadGateway, "The primary does not answer",
			"These pages are read from a copy of the database, and what a copy cannot do is handed to the primary. It does not answer at the moment. Try again when it is back."
	}
	var known *deed.Unfit
	if errors.As(err, &known) {
		return http.StatusUnprocessableEntity, "Nothing was changed", known.Words
	}
	kind := store.KindOf(err)
	switch {
	case errors.Is(err, store.ErrReplicaAway), kind == store.KindAway:
		return http.StatusServiceUnavailable, "The database does not answer",
			"The database is on a libSQL server, and that does not answer at the moment. Nothing is lost by that, and nothing was changed. Try again in a moment; the log says what is wrong, under the number below."
	case kind == store.KindUnknown:
		return http.StatusServiceUnavailable, "Perhaps saved",
			"The database broke off while it saved your change, so nobody knows whether it did. Look before you send it again; the log says what is wrong, under the number below."
	case kind.Again(), kind == store.KindInterrupted:
		return http.StatusServiceUnavailable, "Busy at the moment",
			"The database did not answer in time. Try again in a moment."
	}
	return http.StatusInternalServerError, "Internal error",
		"Something went wrong on our side. The log says what, under the number below."
}

// fail answers with an error page and logs what the page does not explain.
func (d *Dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	d.failWith(w, r, err, nil, "")
}

// failWith is fail for a form: the page repeats what was typed into it.
func (d *Dashboard) failWith(w http.ResponseWriter, r *http.Request, err error, typed []string, primary string) {
	status, heading, text := explain(err)
	page := errorPage{
		shell:  shell{Title: heading},
		Status: status, Heading: heading, Text: text,
		Typed: typed, Primary: primary,
	}
	if errors.Is(err, errSignIn) {
		page.SignIn = d.links.signIn("")
		if isRead(r) {
			page.SignIn = d.links.signIn(d.links.base + r.URL.RequestURI())
		}
	}
	if status >= 500 && !errors.Is(err, context.Canceled) {
		page.ID = newErrorID()
		d.cfg.Log.Error().Err(err).Str("error_id", page.ID).Str("method", r.Method).Str("path", r.URL.Path).Msg("page failed")
	}
	if bearer(r) != "" {
		d.sendProblem(w, status, heading, text, page.ID)
		return
	}
	var buf bytes.Buffer
	if err := d.pages.render(&buf, "error", framed{Page: page, Who: who(r)}); err != nil {
		d.cfg.Log.Error().Err(err).Msg("error page failed")
		http.Error(w, heading, status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, status, buf.Bytes())
}

// newErrorID returns what ties an error page to its line in the log.
func newErrorID() string {
	var raw [4]byte
	rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}
