package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// accountPage is what somebody can change about themselves.
type accountPage struct {
	shell
	Tabs          []tab
	Name          string // as they are, or as typed when a form comes back
	Email         string
	HasPassword   bool // no: they sign in by other means, and may set one by mail
	NameError     string
	EmailError    string
	PasswordError string
	Teams         []teamRow
	Done          string
}

// accountTabs are the pages of the account.
func (d *Dashboard) accountTabs(current string) []tab {
	tabs := []tab{
		{Text: "Profile", URL: d.links.account()}, {Text: "Security", URL: d.links.security()},
		{Text: "Sessions", URL: d.links.sessions()}, {Text: "API tokens", URL: d.links.tokens()},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].URL == current
	}
	return tabs
}

// showAccount is GET /account.
func (d *Dashboard) showAccount(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.accountPage(rx, r)
	return show("account", page), err
}

func (d *Dashboard) accountPage(rx *store.Rx, r *http.Request) (accountPage, error) {
	me := who(r)
	page := accountPage{
		shell: shell{Title: "Account"}, Tabs: d.accountTabs(d.links.account()), Name: me.Name, Email: me.Email, Done: doneWords(r),
	}
	user, err := rx.User(me.ID)
	if err != nil {
		return page, err
	}
	page.HasPassword = user.Password != ""
	teams, err := rx.Teams()
	for _, t := range teams {
		if role := me.Teams[t.ID]; role > access.None {
			page.Teams = append(page.Teams, teamRow{Team: t, Role: role})
		}
	}
	return page, err
}

// rename is POST /account/name.
func (d *Dashboard) rename(tx *store.Tx, r *http.Request) (reply, error) {
	name := r.PostFormValue("name")
	err := deed.Rename(tx, d.by(r), name)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.accountPage(&tx.Rx, r)
		page.Name, page.NameError = name, nameError
		return returned("account", page), err
	}
	return redirect(d.links.done(d.links.account(), "saved")), err
}

// changeEmail is POST /account/email. It asks for the password: the mail address is a
// way to a new password.
func (d *Dashboard) changeEmail(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	email := r.PostFormValue("email")
	err := d.confirm(r)
	if err == nil {
		_, err = d.write(w, r, "change mail address", signedIn, func(tx *store.Tx, r *http.Request) error {
			me := who(r)
			if err := tx.SetEmail(me.ID, email); err != nil {
				return err
			}
			user, err := tx.User(me.ID)
			if err != nil || user.Email == me.Email {
				return err
			}
			if err := d.tell(tx, changedLetter(me.Email, me.Name, "your account's mail address was changed to "+user.Email+".")); err != nil {
				return err
			}
			return d.audit(tx, r, store.AuditEntry{Action: "account.email", Subject: me.Email, Detail: user.Email})
		})
	}
	d.answerAccount(w, r, err, "saved", func(page *accountPage, words string) { page.Email, page.EmailError = email, words })
}

// changePassword is POST /account/password.
func (d *Dashboard) changePassword(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	err := d.confirm(r)
	hash := ""
	if err == nil {
		hash, err = d.cfg.Passwords.Hash(r.Context(), r.PostFormValue("new-password"))
	}
	if err == nil {
		_, err = d.write(w, r, "change password", signedIn, func(tx *store.Tx, r *http.Request) error {
			me := who(r)
			if err := tx.SetPassword(me.ID, hash, visitorOf(r).Session); err != nil {
				return err
			}
			if err := d.tell(tx, changedLetter(me.Email, me.Name, "the password of your account was changed.")); err != nil {
				return err
			}
			return d.audit(tx, r, store.AuditEntry{Action: "account.password", Subject: me.Email})
		})
	}
	d.answerAccount(w, r, err, "password", func(page *accountPage, words string) { page.PasswordError = words })
}

// confirm checks the password that a form of the account asks for. The error is a
// *refused if it is wrong.
func (d *Dashboard) confirm(r *http.Request) error {
	_, err := d.checkPassword(r, who(r).Email, r.PostFormValue("password"))
	var why *refused
	if errors.As(err, &why) && why.status == http.StatusUnprocessableEntity {
		return &refused{why.status, "This is not your password."}
	}
	return err
}

// answerAccount answers one of the account's forms: with the page that it came from
// if what was typed will not do, explained by show.
func (d *Dashboard) answerAccount(w http.ResponseWriter, r *http.Request, err error, done string, explain func(page *accountPage, words string)) {
	if err == nil {
		d.answer(w, r, redirect(d.links.done(d.links.account(), done)), nil)
		return
	}
	status, words := http.StatusUnprocessableEntity, formWords(err)
	var why *refused
	if errors.As(err, &why) {
		status, words = why.status, why.words
	}
	if words == "" {
		d.fail(w, r, err)
		return
	}
	var page accountPage
	err = d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		page, err = d.accountPage(rx, r)
		return err
	})
	explain(&page, words)
	d.answer(w, r, reply{status: status, page: "account", data: page}, err)
}
