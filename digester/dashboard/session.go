package dashboard

import (
	"net/http"
	"net/url"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

// sessionCookie holds the secret of a session. SameSite=Strict: no other site can
// have a browser send it along. Who follows a link from elsewhere is asked to come
// again by a page of ours, which then is sent it (errSignIn, signin.html).
const sessionCookie = "sundew_session"

// session returns the session that a request's cookie names, store.ErrNotFound if
// there is none.
func (d *Dashboard) session(rx *store.Rx, r *http.Request) (store.Session, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return store.Session{}, store.ErrNotFound
	}
	return rx.Session(cookie.Value, d.cfg.Now())
}

// keepSession gives a session to the browser; the empty secret takes it away.
func (d *Dashboard) keepSession(w http.ResponseWriter, secret string) {
	cookie := &http.Cookie{
		Name: sessionCookie, Value: secret, Path: d.links.base + "/", MaxAge: int(store.SessionLife.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: d.secure(),
	}
	if secret == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// secure reports whether browsers reach the dashboard over TLS.
func (d *Dashboard) secure() bool { return strings.HasPrefix(d.cfg.PublicURL, "https:") }

// startSession signs a user in on the browser that sent the request.
func (d *Dashboard) startSession(w http.ResponseWriter, r *http.Request, tx *store.Tx, user int64, factors store.Factors) error {
	secret, err := tx.CreateSession(user, factors, d.cfg.Address(r), r.UserAgent())
	if err != nil {
		return err
	}
	tx.OnCommit(func() { d.keepSession(w, secret) })
	if factors != store.FactorAll {
		return nil
	}
	return tx.Audit(access.Person{ID: user}, store.AuditEntry{Action: "session.start", Address: d.cfg.Address(r)})
}

// nextAfter returns where to go after signing in: an address of the dashboard's own.
func (d *Dashboard) nextAfter(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		return d.links.home()
	}
	return next
}
