package api

import (
	"cmp"
	"errors"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// projectMemberRoutes are about who has a role in one project.
func (a *API) projectMemberRoutes() {
	const tag, all = "Projects", "/projects/{org}/{project}/members/"
	admin := ofProject(access.Admin)
	read(a, all, readProjects, ofProject(access.Viewer), Doc{Tag: tag, Summary: "Who has a role in a project",
		Text: "By its team, or of their own in the project; the higher one holds. The installation's admins have one everywhere and are not listed for that."}, a.projectRoles)
	change(a, "PUT", all+"{member}/", "change project member by API", writeProjects, admin, Doc{Tag: tag, Summary: "Give somebody a role in one project",
		Text: "Sundew's own. The member is named by number or mail address, and has an account. Nobody gives more than they have."}, a.changeProjectMember)
	change(a, "DELETE", all+"{member}/", "remove project member by API", writeProjects, admin, Doc{Tag: tag, Summary: "Take away somebody's role in one project", Status: 204,
		Text: "Sundew's own. What their team gives stays."}, a.deleteProjectMember)
}

// ProjectMember is a person with what they are in a project.
type ProjectMember struct {
	Member
	ProjectRole *string `json:"projectRole"` // of their own: viewer, member, admin, owner; null: none
	TeamRole    *string `json:"teamRole"`    // what the project's team gives; null: they are not of it
}

func roleOrNull(role access.Role) *string {
	if role == access.None {
		return nil
	}
	return new(role.String())
}

// projectRoles are the people of a project, each with what they are in it.
func (a *API) projectRoles(rx *store.Rx, r *request) (List[ProjectMember], error) {
	people, err := a.projectMembers(rx, r)
	if err != nil {
		return nil, err
	}
	roles, err := rx.ProjectMembers(r.project.ID)
	views := make(List[ProjectMember], len(people))
	for i, m := range people {
		views[i].Member = m
		for _, role := range roles {
			if number(role.UserID) == m.ID {
				views[i].ProjectRole, views[i].TeamRole = roleOrNull(role.Role), roleOrNull(role.Team)
			}
		}
	}
	return views, err
}

// colleague returns who {member} names: by the mail address everybody with an account, by
// number who is known or is in the project already, so that nobody learns who there is by
// counting.
func colleague(rx *store.Rx, r *request) (store.User, error) {
	name := r.PathValue("member")
	if strings.Contains(name, "@") {
		return deed.Colleague(rx, name)
	}
	user, err := memberNamed(rx, r, name)
	if !errors.Is(err, store.ErrNotFound) {
		return user, err
	}
	all, err := rx.ProjectMembers(r.project.ID)
	for _, m := range all {
		if number(m.UserID) == name {
			return rx.User(m.UserID)
		}
	}
	return store.User{}, cmp.Or(err, store.ErrNotFound)
}

// ProjectRole is what somebody is to be in a project.
type ProjectRole struct {
	ProjectRole string `json:"projectRole"` // viewer, member, admin, owner
}

func (a *API) changeProjectMember(tx *store.Tx, r *request, in ProjectRole) (ProjectMember, error) {
	user, err := colleague(&tx.Rx, r)
	if err != nil {
		return ProjectMember{}, err
	}
	role, ok := access.ParseRole(in.ProjectRole)
	if !ok {
		return ProjectMember{}, bad("projectRole: it is viewer, member, admin or owner")
	}
	if err := deed.GiveProjectRole(tx, r.by(), r.project, user, role); err != nil {
		return ProjectMember{}, err
	}
	return a.projectRole(&tx.Rx, r, user)
}

// projectRole is what somebody is in a project.
func (a *API) projectRole(rx *store.Rx, r *request, user store.User) (ProjectMember, error) {
	all, err := a.projectRoles(rx, r)
	for _, m := range all {
		if m.ID == number(user.ID) {
			return m, nil
		}
	}
	return ProjectMember{}, cmp.Or(err, store.ErrNotFound)
}

func (a *API) deleteProjectMember(tx *store.Tx, r *request, _ None) (None, error) {
	user, err := colleague(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	m, err := a.projectRole(&tx.Rx, r, user)
	if err == nil && m.ProjectRole == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return None{}, err
	}
	return None{}, deed.GiveProjectRole(tx, r.by(), r.project, user, access.None)
}
