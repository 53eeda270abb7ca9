package dashboard

import (
	"errors"
	"fmt"
	"net/http"

	"sundew/digester/store"
)

// signInPage asks who somebody is.
type signInPage struct {
	shell
	Email  string // as typed, when the form comes back
	Next   string // where to go afterwards
	Error  string // why the form came back
	Done   string // what led here
	Notice string // why another way to sign in did not lead anywhere
	Empty  bool   // nobody owns the installation yet: it waits to be set up

	Passkeys bool   // browsers have passkeys at this address
	Provider string // who else signs people in; empty: nobody
}

func (d *Dashboard) newSignInPage(next string) signInPage {
	page := signInPage{shell: shell{Title: "Sign in"}, Next: d.nextAfter(next), Passkeys: d.passkeys != nil}
	if d.cfg.Provider != nil {
		page.Provider = d.cfg.Provider.Name()
	}
	return page
}

// showSignIn is GET /sign-in. Who is signed in already is led on.
func (d *Dashboard) showSignIn(rx *store.Rx, r *http.Request) (reply, error) {
	page := d.newSignInPage(r.URL.Query().Get("next"))
	if !who(r).IsZero() {
		return redirect(page.Next), nil
	}
	owned, err := rx.HasOwner()
	page.Empty, page.Done = !owned, doneWords(r)
	return show("signin", page), err
}

// signIn is POST /sign-in. The password is checked between two transactions: it
// takes many milliseconds on purpose, for which the write lock is not held.
func (d *Dashboard) signIn(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	page := d.newSignInPage(r.PostFormValue("next"))
	page.Email = r.PostFormValue("email")
	user, err := d.checkPassword(r, page.Email, r.PostFormValue("password"))
	var why *refused
	if errors.As(err, &why) {
		page.Error = why.words
		d.answer(w, r, reply{status: why.status, page: "signin", data: page}, nil)
		return
	}
	to := ""
	if err == nil {
		_, err = d.write(w, r, "sign in", open, func(tx *store.Tx, r *http.Request) (err error) {
			to, err = d.firstFactorDone(w, r, tx, user.ID, page.Next)
			return err
		})
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.answer(w, r, redirect(to), nil)
}

// tooMany is said to who tries too often.
const tooMany = "Too many attempts. Wait a minute, then try again."

// refused is why somebody is not signed in, in words for the form.
type refused struct {
	status int
	words  string
}

func (e *refused) Error() string { return e.words }

// checkPassword returns the user with a mail address and a password; the error is a
// *refused if there is none.
func (d *Dashboard) checkPassword(r *http.Request, email, password string) (store.User, error) {
	if !d.attempts.allow(d.cfg.Address(r), email, d.cfg.Now()) {
		return store.User{}, &refused{http.StatusTooManyRequests, tooMany}
	}
	var user store.User
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		user, err = rx.UserByEmail(email)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	right, err := d.cfg.Passwords.Matches(r.Context(), password, user.Password)
	if err != nil {
		return store.User{}, fmt.Errorf("checking a password: %w", err)
	}
	if !right || !user.DisabledAt.IsZero() {
		if user.ID != 0 {
			d.noteRefused(user, d.cfg.Address(r))
		}
		return store.User{}, &refused{http.StatusUnprocessableEntity, "No account has this mail address and password."}
	}
	return user, nil
}

// signOut is POST /sign-out.
func (d *Dashboard) signOut(w http.ResponseWriter, r *http.Request) {
	_, err := d.write(w, r, "sign out", open, func(tx *store.Tx, r *http.Request) error {
		v := visitorOf(r)
		if v.Session == 0 {
			return nil
		}
		if err := tx.EndSession(v.ID, v.Session); err != nil {
			return err
		}
		return d.audit(tx, r, store.AuditEntry{Action: "session.end"})
	})
	if err != nil {
		d.fail(w, r, err)
		return
	}
	d.keepSession(w, "")
	d.answer(w, r, redirect(d.links.signIn("")), nil)
}
