package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// addMember is POST /teams/{id}/members: somebody with an account becomes a member.
func (d *Dashboard) addMember(tx *store.Tx, r *http.Request) (reply, error) {
	team, err := pathTeam(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	role, err := formRole(r, "role")
	if err != nil {
		return reply{}, err
	}
	email := r.PostFormValue("email")
	user, err := tx.UserByEmail(email)
	if errors.Is(err, store.ErrNotFound) {
		page, err := d.teamPage(&tx.Rx, r)
		page.Email, page.NoAccount = email, true
		page.Error = "Nobody here has an account with this mail address."
		page.Roles = teamRoles(who(r).OfTeam(team.ID), role)
		return returned("team", page), err
	}
	if err != nil {
		return reply{}, err
	}
	if err := deed.SetTeamMember(tx, d.by(r), team, user, role); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.team(team.ID), "added")), nil
}

// changeMember is POST /teams/{id}/members/{user}: another role, or none.
func (d *Dashboard) changeMember(tx *store.Tx, r *http.Request) (reply, error) {
	team, err := pathTeam(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	user, err := pathUser(&tx.Rx, r, "user")
	if err != nil {
		return reply{}, err
	}
	role, err := formRole(r, "role")
	if r.PostFormValue("remove") != "" {
		role, err = access.None, nil
	}
	if err != nil {
		return reply{}, err
	}
	if current, err := deed.TeamRole(&tx.Rx, team.ID, user.ID); err != nil || current == access.None {
		return reply{}, errors.Join(err, store.ErrNotFound)
	}
	if err := deed.SetTeamMember(tx, d.by(r), team, user, role); err != nil {
		return reply{}, err
	}
	done := "saved"
	if role == access.None {
		done = "removed"
	}
	to := d.links.team(team.ID)
	if user.ID == who(r).ID && role == access.None && !who(r).SeesAll() {
		to, done = d.links.teams(), "left"
	}
	return redirect(d.links.done(to, done)), nil
}

// leaveTeam is POST /teams/{id}/leave.
func (d *Dashboard) leaveTeam(tx *store.Tx, r *http.Request) (reply, error) {
	team, err := pathTeam(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.teams(), "left")), deed.LeaveTeam(tx, d.by(r), team)
}

// pathUser loads the user that a name of the path stands for.
func pathUser(rx *store.Rx, r *http.Request, name string) (store.User, error) {
	id, err := pathNumber(r, name)
	if err != nil {
		return store.User{}, err
	}
	return rx.User(id)
}
