package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

// scopeKey is where a request's context says which scopes a token needs. Without it
// tokens open nothing.
type scopeKey struct{}

// withToken has a token do in place of a session, if it has the scopes.
func withToken(r *http.Request, scopes access.Scopes) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), scopeKey{}, scopes))
}

// getByToken is get for what programs read: a token with the scopes opens it, where
// the guard lets the token's person in.
func (d *Dashboard) getByToken(path string, scopes access.Scopes, may guard, handle reader) {
	d.handle("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		d.read(w, withToken(r, scopes), may, handle)
	})
}

// bearer returns the token that a request brings, empty if none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// identifyToken reads who speaks by a request's token. asked is false where the
// request brings none, or none is accepted.
func (d *Dashboard) identifyToken(rx *store.Rx, r *http.Request) (v visitor, asked bool, err error) {
	scopes, accepted := r.Context().Value(scopeKey{}).(access.Scopes)
	plain := bearer(r)
	if !accepted || plain == "" {
		return visitor{}, false, nil
	}
	person, token, err := rx.PersonOfToken(plain, d.cfg.Now())
	if errors.Is(err, store.ErrNotFound) {
		return visitor{}, true, errToken
	}
	if err != nil {
		return visitor{}, true, err
	}
	d.uses.token(token.ID, token.UsedAt, d.cfg.Now())
	if !person.Scopes.Has(scopes) {
		return visitor{}, true, &access.Unscoped{Needed: scopes}
	}
	return visitor{Person: person}, true, nil
}

// sendProblem answers a program: an error's status and words as JSON.
func (d *Dashboard) sendProblem(w http.ResponseWriter, status int, heading, text, id string) {
	body, err := json.Marshal(struct {
		Detail string `json:"detail"`
		Error  string `json:"error_id,omitempty"`
	}{heading + ". " + text, id})
	if err != nil {
		http.Error(w, heading, status)
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Sundew"`)
	}
	d.sendDocument(w, status, &document{contentType: "application/json", filename: "problem.json", body: append(body, '\n')})
}

// MayOperate returns nil if who sent a request may read the books of the whole
// installation: an admin of it, by a session or by a token with the scope org:read.
// Otherwise the error says why not.
func (d *Dashboard) MayOperate(r *http.Request) error {
	r = withToken(r, access.ReadOrg)
	return d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		_, err := d.enter(rx, r, ofInstallation(access.Admin))
		return err
	})
}
