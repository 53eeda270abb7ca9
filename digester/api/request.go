package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// request is a request with who sent it and what its guard read for it. It belongs to
// the goroutine that answers it.
type request struct {
	*http.Request
	api    *API
	person access.Person
	token  store.Token
	quota  quota // of the token; zero: not asked yet

	project store.Project // that {project} names, after ofProject
	team    store.Team    // that {team} names, after ofTeam
	issue   store.Issue   // that {issue} names, after ofIssue
	chosen  []int64       // issues that a list's request is about, after about; nil: not looked yet

	scopes access.Scopes // that admit asked for, and may, for write to ask again
	may    guard

	status int         // of the answer; 0: 200
	out    http.Header // of the answer
}

// begin forgets what a transaction made of the request that is run again.
func (r *request) begin(ctx context.Context) {
	clear(r.out)
	r.Request = r.WithContext(ctx)
}

// send answers with what a handler returned.
func (r *request) send(w http.ResponseWriter, v any) {
	maps.Copy(w.Header(), r.out)
	r.limit(w.Header())
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	if _, none := v.(None); none || status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	send(w, status, v)
}

// audit writes into the audit log what a token does.
func (r *request) audit(tx *store.Tx, e store.AuditEntry) error {
	e.Address = r.api.cfg.Address(r.Request)
	return tx.Audit(r.person, e)
}

// org is what the installation is called in the answer to a request: the name that
// was asked for.
func (r *request) org() string {
	if asked := r.PathValue("org"); asked != "" {
		return asked
	}
	return orgSlug
}

// link is an address of the dashboard.
func (r *request) link(path string) string { return r.api.cfg.PublicURL + path }

// bearer returns the token that a request brings, empty if none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// enter finds out who sent a request and asks the guard. It counts the request once,
// however often it is called.
func (a *API) enter(rx *store.Rx, r *request, scopes access.Scopes, may guard) error {
	plain := bearer(r.Request)
	if plain == "" {
		return errNoToken
	}
	person, token, err := rx.PersonOfToken(plain, a.cfg.Now())
	if errors.Is(err, store.ErrNotFound) {
		return errToken
	}
	if err != nil {
		return err
	}
	if r.token.ID == 0 && a.cfg.Used != nil {
		a.cfg.Used(token.ID, token.UsedAt, a.cfg.Now())
	}
	r.person, r.token = person, token
	if r.quota == (quota{}) {
		r.quota = a.limits.take(token.ID, a.cfg.Now())
	}
	if r.quota.refused {
		return errTooMany
	}
	if scopes != 0 && person.Scopes&scopes == 0 {
		return &access.Unscoped{Needed: scopes}
	}
	return may(rx, r)
}

// limit says in an answer what is left of the token's requests.
func (r *request) limit(h http.Header) {
	if r.quota == (quota{}) {
		return
	}
	h.Set("X-Sentry-Rate-Limit-Limit", strconv.Itoa(r.quota.most))
	h.Set("X-Sentry-Rate-Limit-Remaining", strconv.Itoa(r.quota.left))
	h.Set("X-Sentry-Rate-Limit-Reset", strconv.FormatInt(r.quota.reset.Unix(), 10))
	if r.quota.refused {
		h.Set("Retry-After", strconv.Itoa(max(1, int(r.quota.reset.Sub(r.api.cfg.Now())/time.Second))))
	}
}

// anyone lets every token in.
func anyone(*store.Rx, *request) error { return nil }

// ofProject asks for a role in the project that {project} names, by slug, former slug
// or number, and puts the project into the request.
func ofProject(least access.Role) guard {
	return func(rx *store.Rx, r *request) (err error) {
		if r.project, err = projectNamed(rx, r.PathValue("project")); err != nil {
			return err
		}
		return enough(r.person.In(r.project.ID), least)
	}
}

// projectNamed returns a project by number, slug or former slug. A number goes before a
// slug: slugs are chosen, and no choice may take another project's place.
func projectNamed(rx *store.Rx, name string) (store.Project, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && id > 0 {
		if p, err := rx.Project(event.ProjectID(id)); !errors.Is(err, store.ErrNotFound) {
			return p, err
		}
	}
	return rx.ProjectBySlug(name)
}

// enough compares a role with the least that will do. Who has none does not learn
// that there is anything.
func enough(has, least access.Role) error {
	switch {
	case has == access.None:
		return store.ErrNotFound
	case has < least:
		return errForbidden
	}
	return nil
}

// visible returns the projects that who asks may see, by name.
func visible(rx *store.Rx, r *request) ([]store.Project, error) {
	all, err := rx.Projects()
	var seen []store.Project
	for _, p := range all {
		if r.person.In(p.ID) >= access.Viewer {
			seen = append(seen, p)
		}
	}
	return seen, err
}

// query returns a parameter of the request's address.
func (r *request) query(name string) string { return r.queries().Get(name) }

// queries are all of them; a pair that cannot be read is left out.
func (r *request) queries() url.Values { return r.URL.Query() }

// newErrorID returns what ties an answer to its line in the log.
func newErrorID() string {
	var raw [4]byte
	rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}
