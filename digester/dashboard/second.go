package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/onetime"
	"sundew/digester/store"
)

// secondPage asks for the second factor.
type secondPage struct {
	shell
	Has   store.SecondFactors
	Next  string
	Error string
}

func (d *Dashboard) newSecondPage(next string) secondPage {
	return secondPage{shell: shell{Title: "Second factor"}, Next: d.nextAfter(next)}
}

// firstFactorDone goes on after a user has shown a first factor, a password or what
// stands for it: they are signed in, or asked for the second. It returns where to
// go.
func (d *Dashboard) firstFactorDone(w http.ResponseWriter, r *http.Request, tx *store.Tx, user int64, next string) (to string, err error) {
	has, err := tx.SecondFactors(user)
	if err != nil {
		return "", err
	}
	if !has.Asked() {
		return next, d.startSession(w, r, tx, user, store.FactorAll)
	}
	return d.links.second(next), d.startSession(w, r, tx, user, store.FactorPassword)
}

// halfSession returns the session of somebody who has shown the first factor only.
// The error is errSignIn if there is none.
func (d *Dashboard) halfSession(rx *store.Rx, r *http.Request) (store.Session, error) {
	session, err := d.session(rx, r)
	if errors.Is(err, store.ErrNotFound) || err == nil && session.Factors != store.FactorPassword {
		return store.Session{}, errSignIn
	}
	return session, err
}

// showSecond is GET /sign-in/second.
func (d *Dashboard) showSecond(rx *store.Rx, r *http.Request) (reply, error) {
	page := d.newSecondPage(r.URL.Query().Get("next"))
	if !who(r).IsZero() {
		return redirect(page.Next), nil
	}
	session, err := d.halfSession(rx, r)
	if errors.Is(err, errSignIn) {
		return redirect(d.links.signIn(page.Next)), nil
	}
	if err != nil {
		return reply{}, err
	}
	page.Has, err = rx.SecondFactors(session.UserID)
	return show("second", page), err
}

// signInSecond is POST /sign-in/second: a code of the app, or a recovery code.
func (d *Dashboard) signInSecond(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	page := d.newSecondPage(r.PostFormValue("next"))
	user, err := d.secondAttempt(r)
	if err == nil {
		_, err = d.write(w, r, "second factor", open, func(tx *store.Tx, r *http.Request) error {
			session, err := d.halfSession(&tx.Rx, r)
			if err != nil {
				return err
			}
			if page.Has, err = tx.SecondFactors(session.UserID); err != nil {
				return err
			}
			if err := takeCode(tx, session.UserID, r.PostFormValue("code")); err != nil {
				return err
			}
			return d.completeSession(w, r, tx, session)
		})
	}
	var why *refused
	if errors.As(err, &why) {
		page.Error = why.words
		if user != 0 && !page.Has.Asked() {
			page.Has.Authenticator = true // throttled before anything was read: show the field again
		}
		d.answer(w, r, reply{status: why.status, page: "second", data: page}, nil)
		return
	}
	d.answer(w, r, redirect(page.Next), err)
}

// secondAttempt returns who is about to show a second factor, and counts it. The
// error is a *refused if there were too many.
func (d *Dashboard) secondAttempt(r *http.Request) (user int64, err error) {
	var session store.Session
	err = d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		session, err = d.halfSession(rx, r)
		return err
	})
	if err == nil && !d.attempts.allowSecond(session.UserID, d.cfg.Now()) {
		err = &refused{http.StatusTooManyRequests, "Too many attempts. Wait some minutes, then try again."}
	}
	return session.UserID, err
}

// takeCode uses up what was typed, of a user's app or one of their recovery codes.
// The error is a *refused if it is neither.
func takeCode(tx *store.Tx, user int64, typed string) error {
	app, err := tx.Authenticator(user)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && !app.ConfirmedAt.IsZero() {
		if step, ok := onetime.Match(app.Secret, typed, tx.Now(), app.LastStep); ok {
			return tx.TakeCode(user, step)
		}
	}
	err = tx.UseRecoveryCode(user, onetime.CleanRecoveryCode(typed))
	if errors.Is(err, store.ErrNotFound) {
		return &refused{http.StatusUnprocessableEntity, "This code is not right, or was used already."}
	}
	return err
}

// completeSession signs in whoever was half signed in, by a new secret: who saw the
// former one cannot use it.
func (d *Dashboard) completeSession(w http.ResponseWriter, r *http.Request, tx *store.Tx, half store.Session) error {
	if err := tx.EndSession(half.UserID, half.ID); err != nil {
		return err
	}
	return d.startSession(w, r, tx, half.UserID, store.FactorAll)
}

// factorRoutes are the pages and forms of every way to sign in but the password.
func (d *Dashboard) factorRoutes() {
	d.get("/sign-in/second", open, d.showSecond)
	d.form("/sign-in/second", d.signInSecond)
	d.form("/sign-in/passkey", d.signInPasskey)
	d.form("/sign-in/passkey/options", d.beginPasskey)
	if d.cfg.Provider != nil {
		d.page("/sign-in/provider", d.beginProvider)
		d.page("/sign-in/provider/callback", d.finishProvider)
	}

	d.get("/account/security", signedIn, d.showSecurity)
	d.post("/account/security/authenticator", "start authenticator", d.recently, d.startAuthenticator)
	d.get("/account/security/authenticator", d.recently, d.showAuthenticator)
	d.get("/account/security/authenticator/code.png", d.recently, d.showAuthenticatorCode)
	d.post("/account/security/authenticator/confirm", "confirm authenticator", d.recently, d.confirmAuthenticator)
	d.post("/account/security/authenticator/remove", "remove authenticator", d.recently, d.removeAuthenticator)
	d.post("/account/security/codes", "new recovery codes", d.recently, d.renewRecoveryCodes)
	d.post("/account/security/passkeys", "add passkey", d.recently, d.addPasskey)
	d.form("/account/security/passkeys/options", d.guarded(d.recently, d.beginRegister))
	d.post("/account/security/passkeys/{passkey}/remove", "remove passkey", d.recently, d.removePasskey)
	d.post("/users/{id}/second-factor/reset", "reset second factor", ofInstallation(access.Admin), d.resetFactors)
}
