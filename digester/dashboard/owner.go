package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/password"
	"sundew/digester/store"
	"sundew/digester/words"
)

// firstTeam is what the first owner's team is called, until they call it otherwise.
const firstTeam = "Everyone"

// ownerPage makes the first owner.
type ownerPage struct {
	shell
	Secret string
	Name   string // as typed, when the form comes back
	Email  string
	Error  string
}

// showOwner is GET /setup/{secret}: the address that the program prints at its first
// start.
func (d *Dashboard) showOwner(rx *store.Rx, r *http.Request) (reply, error) {
	secret := r.PathValue("secret")
	if _, err := rx.Link(store.LinkSetup, secret, d.cfg.Now()); err != nil {
		return reply{}, linkError(err)
	}
	return show("owner", ownerPage{shell: shell{Title: "Welcome to Sundew"}, Secret: secret}), nil
}

// makeOwner is POST /setup/{secret}.
func (d *Dashboard) makeOwner(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	page := ownerPage{
		shell: shell{Title: "Welcome to Sundew"}, Secret: r.PathValue("secret"),
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"),
	}
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		_, err := rx.Link(store.LinkSetup, page.Secret, d.cfg.Now())
		return linkError(err)
	})
	hash := ""
	if err == nil { // hashing is not for everybody who comes along
		hash, err = d.cfg.Passwords.Hash(r.Context(), r.PostFormValue("password"))
	}
	if err == nil {
		_, err = d.write(w, r, "first owner", open, func(tx *store.Tx, r *http.Request) error {
			if _, err := tx.UseLink(store.LinkSetup, page.Secret); err != nil {
				return linkError(err)
			}
			owner, err := MakeOwner(tx, page.Email, page.Name, hash)
			if err != nil {
				return err
			}
			if err := d.startSession(w, r, tx, owner.ID, store.FactorAll); err != nil {
				return err
			}
			return d.auditAs(tx, r, owner, "installation.own", "")
		})
	}
	rep := redirect(d.links.home())
	if page.Error = formWords(err); page.Error != "" {
		rep, err = returned("owner", page), nil
	}
	d.answer(w, r, rep, err)
}

// MakeOwner makes the owner of an installation, and a team of theirs that all
// projects belong to which have none.
func MakeOwner(tx *store.Tx, email, name, hash string) (store.User, error) {
	owner, err := tx.CreateUser(email, name, hash, access.Owner)
	if err != nil {
		return store.User{}, err
	}
	teams, err := tx.Teams()
	if err != nil || len(teams) > 0 {
		return owner, err
	}
	team, err := tx.CreateTeam(firstTeam)
	if err != nil {
		return store.User{}, err
	}
	if err := tx.SetTeamMember(team.ID, owner.ID, access.Owner); err != nil {
		return store.User{}, err
	}
	return owner, tx.AdoptProjects(team.ID)
}

// linkError is what is said of a link that does not work.
func linkError(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errLink
	}
	return err
}

// formWords returns why a form comes back, in a person's words; empty: the error is
// not about what was typed.
func formWords(err error) string {
	var unfit *deed.Unfit
	switch {
	case errors.As(err, &unfit):
		return unfit.Words
	case errors.Is(err, password.ErrUnfit), errors.Is(err, store.ErrInvalid), errors.Is(err, store.ErrTaken):
		return sentence(err.Error())
	}
	return ""
}

// sentence makes one of an error's text.
func sentence(text string) string { return words.Sentence(text) }
