package dashboard

import (
	"net/http"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// usersPage lists everybody, for the installation's admins.
type usersPage struct {
	shell
	Users       []userRow
	Invitations []invitationRow
	Done        string
}

// userRow is one user of the list.
type userRow struct {
	store.User
	SeenAt time.Time // zero: signed in nowhere
	Rank   string    // role in the installation; empty: none that gives anything
	You    bool
}

// Disabled reports whether the user is kept out.
func (u userRow) Disabled() bool { return !u.DisabledAt.IsZero() }

// userPage is one user, and what can be done about them.
type userPage struct {
	shell
	User    userRow
	Teams   []teamRow
	Roles   []option // in the installation; none: they are above the person
	Has     store.SecondFactors
	HasMail bool
	Done    string
}

// showUsers is GET /users.
func (d *Dashboard) showUsers(rx *store.Rx, r *http.Request) (reply, error) {
	page := usersPage{shell: shell{Title: "Users"}, Done: doneWords(r)}
	users, err := rx.Users()
	if err != nil {
		return reply{}, err
	}
	seen, err := rx.UsersSeen()
	if err != nil {
		return reply{}, err
	}
	for _, u := range users {
		page.Users = append(page.Users, newUserRow(u, seen[u.ID], who(r)))
	}
	page.Invitations, err = d.invitations(rx, 0)
	return show("users", page), err
}

func newUserRow(u store.User, seen time.Time, me access.Person) userRow {
	row := userRow{User: u, SeenAt: seen, You: u.ID == me.ID}
	if u.Role >= access.Admin {
		row.Rank = u.Role.String()
	}
	return row
}

// showUser is GET /users/{id}.
func (d *Dashboard) showUser(rx *store.Rx, r *http.Request) (reply, error) {
	user, err := pathUser(rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	seen, err := rx.UsersSeen()
	if err != nil {
		return reply{}, err
	}
	page := userPage{
		shell: shell{Title: user.Name, Trail: []crumb{{Text: "Users", URL: d.links.users()}}},
		User:  newUserRow(user, seen[user.ID], who(r)), HasMail: d.hasMail(), Done: doneWords(r),
	}
	if who(r).Role.Gives(user.Role) {
		page.Roles = installationRoles(who(r).Role, user.Role)
	}
	if page.Has, err = rx.SecondFactors(user.ID); err != nil {
		return reply{}, err
	}
	person, err := rx.Person(user.ID)
	if err != nil {
		return reply{}, err
	}
	teams, err := rx.Teams()
	for _, t := range teams {
		if role := person.Teams[t.ID]; role > access.None {
			page.Teams = append(page.Teams, teamRow{Team: t, Role: role})
		}
	}
	return show("user", page), err
}

// setUserRole is POST /users/{id}/role.
func (d *Dashboard) setUserRole(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	role, err := formRole(r, "role")
	if err != nil {
		return reply{}, err
	}
	err = deed.SetUserRole(tx, d.by(r), user, role)
	to := d.links.user(user.ID)
	if user.ID == who(r).ID && role < access.Admin {
		to = d.links.account() // this page is not theirs any more
	}
	return redirect(d.links.done(to, "saved")), err
}

// disableUser is POST /users/{id}/disable.
func (d *Dashboard) disableUser(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.user(user.ID), "disabled")), deed.DisableUser(tx, d.by(r), user)
}

// enableUser is POST /users/{id}/enable.
func (d *Dashboard) enableUser(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.user(user.ID), "enabled")), deed.EnableUser(tx, d.by(r), user)
}

// signUserOut is POST /users/{id}/sign-out: on all browsers.
func (d *Dashboard) signUserOut(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.user(user.ID), "ended")), deed.SignOut(tx, d.by(r), user, visitorOf(r).Session)
}

// linkUser is POST /users/{id}/password: an address at which the user sets a new
// password, shown once or sent to them.
func (d *Dashboard) linkUser(tx *store.Tx, r *http.Request) (reply, error) {
	user, err := pathUser(&tx.Rx, r, "id")
	if err == nil {
		err = deed.Gives(who(r).Role, user.Role, user.Role)
	}
	if err != nil {
		return reply{}, err
	}
	if !user.DisabledAt.IsZero() {
		return reply{}, errDisabled
	}
	if err := d.audit(tx, r, store.AuditEntry{Action: "user.password-link", Subject: user.Email}); err != nil {
		return reply{}, err
	}
	link, back := store.Link{Kind: store.LinkPassword, UserID: user.ID, CreatedBy: who(r).ID}, d.links.user(user.ID)
	if r.PostFormValue("by") == "mail" && d.hasMail() {
		return redirect(d.links.done(back, "mailed")), d.mailLink(tx, link, passwordLetter(user))
	}
	secret, err := tx.CreateLink(link)
	return show("link", linkPage{
		shell: shell{Title: "Link for a new password", Trail: []crumb{{Text: "Users", URL: d.links.users()}, {Text: user.Name, URL: back}}}, Back: back,
		Text: "Hand this address to " + user.Name + " in a way that you trust: whoever opens it sets the password of this account. It works once, for two hours.",
		URL:  LinkURL(d.cfg.PublicURL, store.LinkPassword, secret),
	}), err
}
