package dashboard

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/onetime"
	"sundew/digester/store"
)

// recent is how long after signing in somebody may change how they sign in: whoever
// finds a browser that was left open cannot make the account theirs.
const recent = 30 * time.Minute

// securityPage is how somebody signs in.
type securityPage struct {
	shell
	Tabs       []tab
	Has        store.SecondFactors
	Passkeys   []store.Passkey
	Possible   bool // browsers have passkeys at this address
	Identities []store.Identity
	Provider   string // its name; empty: there is none
	Error      string
}

// authenticatorPage shows a secret to an app.
type authenticatorPage struct {
	shell
	Secret  string // in groups of four
	Address string
	Error   string
}

// codesPage shows recovery codes, once.
type codesPage struct {
	shell
	Codes []string
}

func (d *Dashboard) securityTrail() []crumb {
	return []crumb{{"Security", d.links.security()}}
}

// recently lets in whoever signed in a short time ago.
func (d *Dashboard) recently(rx *store.Rx, r *http.Request) error {
	if err := signedIn(rx, r); err != nil {
		return err
	}
	session, err := d.session(rx, r)
	if err == nil && d.cfg.Now().Sub(session.CreatedAt) > recent {
		err = errNotRecent
	}
	return err
}

// showSecurity is GET /account/security.
func (d *Dashboard) showSecurity(rx *store.Rx, r *http.Request) (reply, error) {
	page := securityPage{shell: shell{Title: "Security"}, Tabs: d.accountTabs(d.links.security()), Possible: d.passkeys != nil}
	if d.cfg.Provider != nil {
		page.Provider = d.cfg.Provider.Name()
	}
	var err error
	if page.Has, err = rx.SecondFactors(who(r).ID); err != nil {
		return reply{}, err
	}
	if page.Passkeys, err = rx.Passkeys(who(r).ID); err != nil {
		return reply{}, err
	}
	page.Identities, err = rx.Identities(who(r).ID)
	return show("security", page), err
}

// securityRefused is the page again, with why nothing was changed.
func (d *Dashboard) securityRefused(tx *store.Tx, r *http.Request, words string) (reply, error) {
	rep, err := d.showSecurity(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	page := rep.data.(securityPage)
	page.Error = words
	return returned("security", page), nil
}

// startAuthenticator is POST /account/security/authenticator: a secret is made, and
// shown until a code confirms it.
func (d *Dashboard) startAuthenticator(tx *store.Tx, r *http.Request) (reply, error) {
	err := tx.StartAuthenticator(who(r).ID, onetime.NewSecret())
	if errors.Is(err, store.ErrTaken) {
		return redirect(d.links.security()), nil
	}
	return redirect(d.links.authenticator()), err
}

// unconfirmed returns the secret that is being shown to an app, store.ErrNotFound if
// there is none: once confirmed it is never shown again.
func unconfirmed(rx *store.Rx, user int64) (store.Authenticator, error) {
	app, err := rx.Authenticator(user)
	if err == nil && !app.ConfirmedAt.IsZero() {
		return store.Authenticator{}, store.ErrNotFound
	}
	return app, err
}

func (d *Dashboard) newAuthenticatorPage(rx *store.Rx, me access.Person) (authenticatorPage, error) {
	app, err := unconfirmed(rx, me.ID)
	if err != nil {
		return authenticatorPage{}, err
	}
	page := authenticatorPage{shell: shell{Title: "Authenticator app", Trail: d.securityTrail()}}
	page.Address, err = onetime.Address("Sundew", me.Email, app.Secret)
	var groups []string
	for secret := app.Secret; secret != ""; {
		n := min(4, len(secret))
		groups, secret = append(groups, secret[:n]), secret[n:]
	}
	page.Secret = strings.Join(groups, " ")
	return page, err
}

// showAuthenticator is GET /account/security/authenticator.
func (d *Dashboard) showAuthenticator(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.newAuthenticatorPage(rx, who(r))
	if errors.Is(err, store.ErrNotFound) {
		return redirect(d.links.security()), nil
	}
	return show("authenticator", page), err
}

// showAuthenticatorCode is GET /account/security/authenticator/code.png.
func (d *Dashboard) showAuthenticatorCode(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.newAuthenticatorPage(rx, who(r))
	if err != nil {
		return reply{}, err
	}
	picture, err := onetime.Picture(page.Address)
	return reply{document: &document{contentType: "image/png", filename: "code.png", body: picture}}, err
}

// confirmAuthenticator is POST /account/security/authenticator/confirm.
func (d *Dashboard) confirmAuthenticator(tx *store.Tx, r *http.Request) (reply, error) {
	me := who(r)
	app, err := unconfirmed(&tx.Rx, me.ID)
	if errors.Is(err, store.ErrNotFound) {
		return redirect(d.links.security()), nil
	}
	if err != nil {
		return reply{}, err
	}
	step, ok := onetime.Match(app.Secret, r.PostFormValue("code"), tx.Now(), app.LastStep)
	if !ok {
		page, err := d.newAuthenticatorPage(&tx.Rx, me)
		page.Error = "This code is not right. Type the one that the app shows now; if it never is, your phone's clock may be wrong."
		return returned("authenticator", page), err
	}
	if err := tx.TakeCode(me.ID, step); err != nil {
		return reply{}, err
	}
	if err := d.auditOwn(tx, r, "account.authenticator_add", ""); err != nil {
		return reply{}, err
	}
	return d.withRecoveryCodes(tx, r)
}

// removeAuthenticator is POST /account/security/authenticator/remove.
func (d *Dashboard) removeAuthenticator(tx *store.Tx, r *http.Request) (reply, error) {
	err := tx.RemoveAuthenticator(who(r).ID)
	if err == nil {
		err = d.auditOwn(tx, r, "account.authenticator_remove", "")
	}
	return redirect(d.links.security()), err
}

// withRecoveryCodes goes back to the security page, by way of the recovery codes if
// there are none yet.
func (d *Dashboard) withRecoveryCodes(tx *store.Tx, r *http.Request) (reply, error) {
	has, err := tx.SecondFactors(who(r).ID)
	if err != nil || has.RecoveryCodes > 0 {
		return redirect(d.links.security()), err
	}
	return d.newRecoveryCodes(tx, r)
}

// renewRecoveryCodes is POST /account/security/codes.
func (d *Dashboard) renewRecoveryCodes(tx *store.Tx, r *http.Request) (reply, error) {
	has, err := tx.SecondFactors(who(r).ID)
	if err != nil || !has.Asked() {
		return redirect(d.links.security()), err
	}
	return d.newRecoveryCodes(tx, r)
}

// newRecoveryCodes shows new codes in the answer itself: only their hashes are kept.
func (d *Dashboard) newRecoveryCodes(tx *store.Tx, r *http.Request) (reply, error) {
	codes := onetime.NewRecoveryCodes()
	if err := tx.SetRecoveryCodes(who(r).ID, codes); err != nil {
		return reply{}, err
	}
	if err := d.auditOwn(tx, r, "account.recovery_codes", ""); err != nil {
		return reply{}, err
	}
	return show("codes", codesPage{shell: shell{Title: "Recovery codes", Trail: d.securityTrail()}, Codes: codes}), nil
}

// resetFactors is POST /users/{id}/second-factor/reset: an admin helps somebody who
// has lost theirs, up to the admin's own role.
func (d *Dashboard) resetFactors(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.user(user.ID), "factors")), deed.ResetSecondFactors(tx, d.by(r), user)
}
