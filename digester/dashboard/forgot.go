package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
)

// forgotPage asks for the mail address of an account whose password is not known any
// more.
type forgotPage struct {
	shell
	HasMail bool
	Asked   bool // the form was sent
	Email   string
	Error   string
}

// passwordPage sets a new password.
type passwordPage struct {
	shell
	Secret string
	Email  string // whose
	Error  string
}

// showForgot is GET /forgot.
func (d *Dashboard) showForgot(*store.Rx, *http.Request) (reply, error) {
	return show("forgot", forgotPage{shell: shell{Title: "Forgot password?"}, HasMail: d.hasMail()}), nil
}

// forgot is POST /forgot. What it answers, and how soon, does not depend on whether
// there is such an account: that is looked up later.
func (d *Dashboard) forgot(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	page := forgotPage{shell: shell{Title: "Forgot password?"}, HasMail: d.hasMail(), Asked: true, Email: r.PostFormValue("email")}
	address := d.cfg.Address(r)
	switch {
	case !page.HasMail:
	case !d.resets.allow(address, page.Email, d.cfg.Now()):
		page.Asked, page.Error = false, tooMany
		d.answer(w, r, reply{status: http.StatusTooManyRequests, page: "forgot", data: page}, nil)
		return
	default:
		d.later("forgotten password", func(tx *store.Tx) error {
			user, err := tx.UserByEmail(page.Email)
			if errors.Is(err, store.ErrNotFound) || err == nil && !user.DisabledAt.IsZero() {
				return nil
			}
			if err != nil {
				return err
			}
			err = tx.Audit(access.Person{}, store.AuditEntry{Action: "user.forgot", Subject: user.Email, Address: address})
			if err != nil {
				return err
			}
			return d.mailLink(tx, store.Link{Kind: store.LinkPassword, UserID: user.ID}, passwordLetter(user))
		})
	}
	d.answer(w, r, show("forgot", page), nil)
}

// showResetPassword is GET /password/{secret}.
func (d *Dashboard) showResetPassword(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.passwordPage(rx, r)
	return show("password", page), err
}

func (d *Dashboard) passwordPage(rx *store.Rx, r *http.Request) (passwordPage, error) {
	page := passwordPage{shell: shell{Title: "Set a new password"}, Secret: r.PathValue("secret")}
	link, err := rx.Link(store.LinkPassword, page.Secret, d.cfg.Now())
	if err != nil {
		return page, linkError(err)
	}
	user, err := rx.User(link.UserID)
	if err == nil && !user.DisabledAt.IsZero() {
		err = errLink
	}
	page.Email = user.Email
	return page, err
}

// resetPassword is POST /password/{secret}. It signs nobody in: whoever has another
// factor is asked for it.
func (d *Dashboard) resetPassword(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	var page passwordPage
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		page, err = d.passwordPage(rx, r)
		return err
	})
	hash := ""
	if err == nil {
		hash, err = d.cfg.Passwords.Hash(r.Context(), r.PostFormValue("password"))
	}
	if err == nil {
		_, err = d.write(w, r, "reset password", open, func(tx *store.Tx, r *http.Request) error {
			link, err := tx.UseLink(store.LinkPassword, page.Secret)
			if err != nil {
				return linkError(err)
			}
			user, err := tx.User(link.UserID)
			if err != nil {
				return err
			}
			if err := tx.SetPassword(user.ID, hash, 0); err != nil {
				return err
			}
			if err := d.tell(tx, changedLetter(user.Email, user.Name, "the password of your account was set anew.")); err != nil {
				return err
			}
			return d.auditAs(tx, r, user, "account.reset", "")
		})
	}
	rep := redirect(d.links.done(d.links.signIn(""), "reset"))
	if page.Error = formWords(err); page.Error != "" {
		rep, err = returned("password", page), nil
	}
	d.answer(w, r, rep, err)
}
