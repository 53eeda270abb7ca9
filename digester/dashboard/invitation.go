package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// invitationPage is what somebody sees who is invited.
type invitationPage struct {
	shell
	Secret  string
	By      string // who invites
	Team    string // into which team; empty: into the installation
	What    string // what it gives
	For     string // mail address that it is for; empty: whoever opens it
	Known   bool   // there is an account with that address: it has to sign in
	Foreign bool   // somebody else is signed in

	SignedIn bool
	Me       string // mail address of who is
	Name     string // as typed, when the form comes back
	Email    string
	Error    string
}

// showInvitation is GET /invitations/{secret}.
func (d *Dashboard) showInvitation(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.invitationPage(rx, r)
	return show("invitation", page), err
}

func (d *Dashboard) invitationPage(rx *store.Rx, r *http.Request) (invitationPage, error) {
	page := invitationPage{Secret: r.PathValue("secret"), SignedIn: !who(r).IsZero(), Me: who(r).Email}
	link, err := rx.Link(store.LinkInvitation, page.Secret, d.cfg.Now())
	if err != nil {
		return page, linkError(err)
	}
	by, err := stillGives(rx, link)
	if err != nil {
		return page, err
	}
	page.By, page.For = by.Name, link.Email
	if link.TeamID != 0 {
		team, err := rx.Team(link.TeamID)
		if err != nil {
			return page, err
		}
		page.Team = team.Name
	}
	page.What = deed.InvitationWords(link, page.Team)
	page.Title = "Join Sundew"
	if page.Team != "" {
		page.Title = "Join " + page.Team
	}
	if link.Email == "" {
		return page, nil
	}
	page.Foreign = page.SignedIn && who(r).Email != link.Email
	switch _, err := rx.UserByEmail(link.Email); {
	case err == nil:
		page.Known = true
	case !errors.Is(err, store.ErrNotFound):
		return page, err
	}
	return page, nil
}

// stillGives returns who made an invitation. The error is errLink if they may not give
// any more what it gives.
func stillGives(rx *store.Rx, link store.Link) (access.Person, error) {
	by, err := rx.Person(link.CreatedBy)
	if err != nil {
		return by, linkError(err)
	}
	if link.Role > access.None && !by.Role.Gives(link.Role) || link.TeamID != 0 && !by.OfTeam(link.TeamID).Gives(link.TeamRole) {
		return by, errLink
	}
	return by, nil
}

// acceptInvitation is POST /invitations/{secret}: who is signed in joins, who is not
// makes an account first. The password is hashed between two transactions.
func (d *Dashboard) acceptInvitation(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	var page invitationPage
	err := d.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		page, err = d.invitationPage(rx, r)
		return err
	})
	page.Name, page.Email = r.PostFormValue("name"), r.PostFormValue("email")
	hash := ""
	if err == nil && who(r).IsZero() {
		hash, err = d.cfg.Passwords.Hash(r.Context(), r.PostFormValue("password"))
	}
	to := d.links.home()
	if err == nil {
		_, err = d.write(w, r, "accept invitation", open, func(tx *store.Tx, r *http.Request) error {
			link, err := tx.UseLink(store.LinkInvitation, page.Secret)
			if err != nil {
				return linkError(err)
			}
			if link.TeamID != 0 {
				to = d.links.done(d.links.team(link.TeamID), "joined")
			}
			return d.join(w, r, tx, link, page, hash)
		})
	}
	rep := redirect(to)
	if page.Error = formWords(err); page.Error != "" {
		rep, err = returned("invitation", page), nil
	}
	d.answer(w, r, rep, err)
}

// join gives what an invitation gives to who is signed in, or to a new user, who is
// signed in by it.
func (d *Dashboard) join(w http.ResponseWriter, r *http.Request, tx *store.Tx, link store.Link, page invitationPage, hash string) error {
	by, err := stillGives(&tx.Rx, link)
	if err != nil {
		return err
	}
	me := who(r)
	if me.IsZero() {
		if hash == "" { // signed out meanwhile
			return errSignIn
		}
		if link.Email != "" {
			page.Email = link.Email
		}
		user, err := tx.CreateUser(page.Email, page.Name, hash, access.None)
		if err != nil {
			return err
		}
		me = access.Person{ID: user.ID, Email: user.Email, Name: user.Name}
		if err := d.startSession(w, r, tx, user.ID, store.FactorAll); err != nil {
			return err
		}
	} else if link.Email != "" && link.Email != me.Email {
		return errForbidden
	}
	// It adds to what somebody has, and takes nothing.
	if link.Role > me.Role {
		if err := tx.SetUserRole(me.ID, link.Role); err != nil {
			return err
		}
	}
	if link.TeamID != 0 && link.TeamRole > me.Teams[link.TeamID] {
		if err := tx.SetTeamMember(link.TeamID, me.ID, link.TeamRole); err != nil {
			return err
		}
	}
	return tx.Audit(me, store.AuditEntry{
		Action: "invitation.accept", TeamID: link.TeamID, Detail: "by " + by.Name + ", to be " + page.What, Address: d.cfg.Address(r),
	})
}
