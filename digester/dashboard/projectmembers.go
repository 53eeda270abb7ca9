package dashboard

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// projectMembersPage lists who has a role in a project.
type projectMembersPage struct {
	settingsFrame
	Team    string // the project's; empty: it has none
	Members []projectMemberRow
	Roles   []option // that who asks may give
	Email   string   // as typed, when the form comes back
}

// projectMemberRow is one person of the list.
type projectMemberRow struct {
	store.ProjectMember
	Roles []option // that who asks may give them, with None; empty: not theirs to change
}

func (d *Dashboard) showProjectMembers(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.projectMembersPage(rx, r, p)
	return show("projectmembers", page), err
}

func (d *Dashboard) projectMembersPage(rx *store.Rx, r *http.Request, p store.Project) (projectMembersPage, error) {
	mine := who(r).In(p.ID)
	page := projectMembersPage{settingsFrame: d.settingsFrame(r, p, "members"), Roles: teamRoles(mine, access.Member)}
	if p.TeamID != 0 {
		team, err := rx.Team(p.TeamID)
		if err != nil {
			return page, err
		}
		page.Team = team.Name
	}
	members, err := rx.ProjectMembers(p.ID)
	for _, m := range members {
		row := projectMemberRow{ProjectMember: m}
		if mine.Gives(m.Role) {
			row.Roles = append([]option{{access.None.String(), "no role of their own", m.Role == access.None}}, teamRoles(mine, m.Role)...)
		}
		page.Members = append(page.Members, row)
	}
	return page, err
}

// addProjectMember is POST /projects/{id}/settings/members: somebody with an account
// gets a role.
func (d *Dashboard) addProjectMember(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	email := r.PostFormValue("email")
	user, err := deed.Colleague(&tx.Rx, email)
	if words := formWords(err); words != "" {
		page, err := d.projectMembersPage(&tx.Rx, r, p)
		page.Email, page.Error = email, words
		return returned("projectmembers", page), err
	}
	if err != nil {
		return reply{}, err
	}
	if err := d.giveRole(tx, r, p, user); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "members"), "member-added")), nil
}

// changeProjectMember is POST /projects/{id}/settings/members/{user}.
func (d *Dashboard) changeProjectMember(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	id, err := pathNumber(r, "user")
	if err != nil {
		return reply{}, err
	}
	user, err := tx.User(id)
	if err != nil {
		return reply{}, err
	}
	if err := d.giveRole(tx, r, p, user); err != nil {
		return reply{}, err
	}
	word := "saved"
	if r.PostFormValue("role") == access.None.String() {
		word = "member-removed"
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "members"), word)), nil
}

// giveRole gives a person the role that a form names.
func (d *Dashboard) giveRole(tx *store.Tx, r *http.Request, p store.Project, user store.User) error {
	role, err := formRole(r, "role")
	if err != nil {
		return err
	}
	return deed.GiveProjectRole(tx, d.by(r), p, user, role)
}
