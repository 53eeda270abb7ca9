package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// invitePage is the form for an invitation, into a team or by the installation's
// admins.
type invitePage struct {
	shell
	Team      store.Team   // zero: the form asks for one
	Teams     []store.Team // to choose from
	Roles     []option     // in the team
	Ranks     []option     // in the installation; only without Team
	HasMail   bool
	Email     string
	Error     string
	MailError bool // Error is about the mail address
}

// invitationRow is an invitation that nobody has used yet.
type invitationRow struct {
	ID        int64
	Team      int64  // on whose page it stands; 0: the list of users
	To        string // mail address; empty: whoever has the address
	What      string // what it gives
	By        string
	ExpiresAt time.Time
}

// linkPage shows an address once.
type linkPage struct {
	shell
	Text string
	URL  string
	Back string
}

// invitations returns the open invitations into a team; 0: all there are.
func (d *Dashboard) invitations(rx *store.Rx, team int64) ([]invitationRow, error) {
	open, err := rx.Invitations(d.cfg.Now())
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string)
	users, err := rx.Users()
	for _, u := range users {
		names[u.ID] = u.Name
	}
	if err != nil {
		return nil, err
	}
	teams, err := rx.Teams()
	teamNames := make(map[int64]string)
	for _, t := range teams {
		teamNames[t.ID] = t.Name
	}
	var rows []invitationRow
	for _, l := range open {
		if team != 0 && l.TeamID != team {
			continue
		}
		row := invitationRow{ID: l.ID, Team: team, To: l.Email, By: names[l.CreatedBy], ExpiresAt: l.ExpiresAt, What: l.TeamRole.String()}
		if team == 0 {
			row.What = deed.InvitationWords(l, teamNames[l.TeamID])
		}
		rows = append(rows, row)
	}
	return rows, err
}

// showInvite is GET /teams/{id}/invite and /users/invite. What is known of whom it is
// for comes with the address.
func (d *Dashboard) showInvite(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.invitePage(rx, r)
	page.Email = r.URL.Query().Get("email")
	return show("invite", page), err
}

func (d *Dashboard) invitePage(rx *store.Rx, r *http.Request) (invitePage, error) {
	page := invitePage{shell: shell{Title: "Invite somebody"}, HasMail: d.hasMail()}
	me := who(r)
	if r.PathValue("id") == "" {
		page.Trail = []crumb{{Text: "Users", URL: d.links.users()}}
		page.Ranks, page.Roles = installationRoles(me.Role, access.None), teamRoles(me.Role, access.Member)
		var err error
		page.Teams, err = rx.Teams()
		return page, err
	}
	team, err := pathTeam(rx, r)
	page.Team, page.Roles = team, teamRoles(me.OfTeam(team.ID), access.Member)
	page.Trail = []crumb{{Text: "Teams", URL: d.links.teams()}, {Text: team.Name, URL: d.links.team(team.ID)}}
	return page, err
}

// invite is POST /teams/{id}/invite and /users/invite. It answers with the address,
// which is shown this once, or sends it by mail.
func (d *Dashboard) invite(tx *store.Tx, r *http.Request) (reply, error) {
	in, err := invited(tx, r)
	if err != nil {
		return reply{}, err
	}
	back := d.links.users()
	if r.PathValue("id") != "" {
		back = d.links.team(in.Team.ID)
	}
	byMail := r.PostFormValue("by") == "mail" && d.hasMail()
	link, secret, err := deed.Invite(tx, d.by(r), in, byMail)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.invitePage(&tx.Rx, r)
		page.Email, page.Error = r.PostFormValue("email"), "This is not a mail address: want something like ada@example.com."
		return returned("invite", page), err
	}
	if err != nil {
		return reply{}, err
	}
	if byMail {
		tx.OnCommit(d.cfg.Mail)
		return redirect(d.links.done(back, "invited")), nil
	}
	return show("link", linkPage{
		shell: shell{Title: "Invitation", Trail: []crumb{{Text: "Back", URL: back}}}, Back: back,
		Text: "Send this address to whom you invite: " + deed.InvitedWords(link) + ". It makes them " + deed.InvitationWords(link, in.Team.Name) + ", works once, and for two weeks.",
		URL:  LinkURL(d.cfg.PublicURL, store.LinkInvitation, secret),
	}), nil
}

// invited reads what an invitation is for.
func invited(tx *store.Tx, r *http.Request) (in deed.Invitation, err error) {
	in.Email = r.PostFormValue("email")
	id := r.PathValue("id")
	if id == "" {
		id = r.PostFormValue("team")
		if in.Role, err = formRole(r, "rank"); err != nil {
			return in, err
		}
	}
	if id == "" || id == "0" {
		return in, nil
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return in, errForm
	}
	if in.Team, err = tx.Team(n); err != nil {
		return in, err
	}
	if in.TeamRole, err = formRole(r, "role"); err != nil || in.TeamRole == access.None {
		return in, errForm
	}
	return in, nil
}

// withdraw is POST /teams/{id}/invitations/{invitation}/withdraw and the same below
// /users.
func (d *Dashboard) withdraw(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "invitation")
	if err != nil {
		return reply{}, err
	}
	link, err := tx.Invitation(id, tx.Now())
	if err != nil {
		return reply{}, err
	}
	back := d.links.users()
	if r.PathValue("id") != "" {
		team, err := pathTeam(&tx.Rx, r)
		if err != nil || link.TeamID != team.ID {
			return reply{}, errors.Join(err, store.ErrNotFound)
		}
		back = d.links.team(team.ID)
	}
	return redirect(d.links.done(back, "withdrawn")), deed.Withdraw(tx, d.by(r), link)
}
