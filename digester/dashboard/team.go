package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// teamPage is one team: its people, its projects, who is invited.
type teamPage struct {
	shell
	Team        store.Team
	Members     []memberRow
	Projects    []store.Project
	Invitations []invitationRow
	Roles       []option // that the person may give; none: they do not manage members
	Manages     bool
	Owns        bool
	Belongs     bool // the person is a member, not only an admin of everything
	Email       string
	Error       string // why the form for a member came back
	NoAccount   bool   // and whether that is since nobody has this mail address
	NameError   string
	Done        string
}

// memberRow is a member of the list.
type memberRow struct {
	store.TeamMember
	Team  int64
	You   bool
	Roles []option // to change theirs into; none: not the person's to change
}

// showTeam is GET /teams/{id}.
func (d *Dashboard) showTeam(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.teamPage(rx, r)
	return show("team", page), err
}

func (d *Dashboard) teamPage(rx *store.Rx, r *http.Request) (teamPage, error) {
	team, err := pathTeam(rx, r)
	if err != nil {
		return teamPage{}, err
	}
	me := who(r)
	role := me.OfTeam(team.ID)
	page := teamPage{
		shell: shell{Title: team.Name, Trail: []crumb{{Text: "Teams", URL: d.links.teams()}}},
		Team:  team, Roles: teamRoles(role, access.Member), Manages: role >= access.Admin, Owns: role >= access.Owner,
		Belongs: me.Teams[team.ID] > access.None, Done: doneWords(r),
	}
	members, err := rx.TeamMembers(team.ID)
	if err != nil {
		return page, err
	}
	for _, m := range members {
		row := memberRow{TeamMember: m, Team: team.ID, You: m.UserID == me.ID}
		if role.Gives(m.Role) {
			row.Roles = teamRoles(role, m.Role)
		}
		page.Members = append(page.Members, row)
	}
	if page.Projects, err = rx.TeamProjects(team.ID); err != nil || !page.Manages {
		return page, err
	}
	page.Invitations, err = d.invitations(rx, team.ID)
	return page, err
}

// renameTeam is POST /teams/{id}/rename.
func (d *Dashboard) renameTeam(tx *store.Tx, r *http.Request) (reply, error) {
	team, err := pathTeam(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	name := r.PostFormValue("name")
	_, err = deed.RenameTeam(tx, d.by(r), team, name)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.teamPage(&tx.Rx, r)
		page.NameError, page.Team.Name = nameError, name
		return returned("team", page), err
	}
	return redirect(d.links.done(d.links.team(team.ID), "saved")), err
}

// deleteTeam is POST /teams/{id}/delete.
func (d *Dashboard) deleteTeam(tx *store.Tx, r *http.Request) (reply, error) {
	team, err := pathTeam(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.teams(), "team-deleted")), deed.DeleteTeam(tx, d.by(r), team)
}
