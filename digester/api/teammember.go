package api

import (
	"fmt"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// teamMemberRoutes are about who is in a team.
func (a *API) teamMemberRoutes() {
	const tag = "Teams"
	read(a, "/teams/{org}/{team}/members/", access.ReadOrg|writeOrg, ofTeam(access.Viewer), Doc{Tag: tag, Summary: "The people of a team, by name", Paged: true}, a.teamMembers)

	const at = "/organizations/{org}/members/{member}/teams/{team}/"
	const roles = "teamRole is viewer, member, admin or owner, or Sentry's contributor, which is a member. "
	change(a, "POST", at, "add to team by API", writeOrg, ofTeam(access.Admin), Doc{Tag: tag, Summary: "Put somebody into a team", Status: 201,
		Text: roles + "Without one they become a member. A team's admins do, up to their own role; they name who is in no team of theirs by the mail address. " +
			"Who asks for themselves needs to be an admin too: nobody joins by themselves. 204: they are in it already, and keep their role."}, a.addToTeam)
	change(a, "PUT", at, "change team role by API", writeOrg, ofTeam(access.Admin), Doc{Tag: tag, Summary: "Change somebody's role in a team", Text: roles}, a.changeTeamRole)
	change(a, "DELETE", at, "remove from team by API", writeOrg, ofTeam(access.Viewer), Doc{Tag: tag, Summary: "Take somebody out of a team, or leave it",
		Text: "A team's admins take others out; everybody may leave: me in place of a number."}, a.removeFromTeam)
}

// TeamMember is a person with what they are in a team.
type TeamMember struct {
	Member
	TeamRole string `json:"teamRole"`
	TeamSlug string `json:"teamSlug"`
}

// NewTeamMember is what somebody is to be in a team.
type NewTeamMember struct {
	TeamRole string `json:"teamRole"`
}

// TeamPlace is NewTeamMember where nothing need be said.
type TeamPlace struct {
	TeamRole string `json:"teamRole"` // empty: member
}

// TeamPosition is what somebody is in a team now.
type TeamPosition struct {
	IsActive bool   `json:"isActive"`
	TeamRole string `json:"teamRole"`
}

func (a *API) teamMembers(rx *store.Rx, r *request) (List[TeamMember], error) {
	all, err := rx.TeamMembers(r.team.ID)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	if err != nil {
		return nil, err
	}
	people, err := usersByID(rx)
	if err != nil {
		return nil, err
	}
	places, err := placesSeen(rx, r)
	var views List[TeamMember]
	for _, m := range page {
		views = append(views, TeamMember{Member: memberView(people[m.UserID], places), TeamRole: m.Role.String(), TeamSlug: r.team.Slug})
	}
	return views, err
}

// teamRoleNamed reads a role in a team; empty: member.
func teamRoleNamed(name string) (access.Role, error) {
	switch name {
	case "", "contributor":
		return access.Member, nil
	}
	role, ok := access.ParseRole(name)
	if !ok {
		return access.None, bad(fmt.Sprintf("teamRole %.40q: want viewer, member, admin or owner.", name))
	}
	return role, nil
}

// addToTeam answers 204 where there is nothing to do.
func (a *API) addToTeam(tx *store.Tx, r *request, in TeamPlace) (Team, error) {
	role, err := teamRoleNamed(in.TeamRole)
	if err != nil {
		return Team{}, err
	}
	user, err := memberToAdd(&tx.Rx, r)
	if err != nil {
		return Team{}, err
	}
	current, err := deed.TeamRole(&tx.Rx, r.team.ID, user.ID)
	if err != nil {
		return Team{}, err
	}
	if current != access.None {
		r.status = http.StatusNoContent
		return Team{}, nil
	}
	r.status = http.StatusCreated
	if err := deed.SetTeamMember(tx, r.by(), r.team, user, role); err != nil {
		return Team{}, err
	}
	return teamView(&tx.Rx, r, r.team.ID)
}

// memberToAdd is whom {member} names, for somebody who may put them into a team: by the
// mail address everybody with an account, as in the dashboard's form.
func memberToAdd(rx *store.Rx, r *request) (store.User, error) {
	name := r.PathValue("member")
	if !strings.Contains(name, "@") {
		return memberNamed(rx, r, name)
	}
	return rx.UserByEmail(name)
}

func (a *API) changeTeamRole(tx *store.Tx, r *request, in NewTeamMember) (TeamPosition, error) {
	if in.TeamRole == "" {
		return TeamPosition{}, bad("teamRole is required.")
	}
	role, err := teamRoleNamed(in.TeamRole)
	if err != nil {
		return TeamPosition{}, err
	}
	user, current, err := teamMemberNamed(&tx.Rx, r)
	if err != nil {
		return TeamPosition{}, err
	}
	if role != current {
		err = deed.SetTeamMember(tx, r.by(), r.team, user, role)
	}
	return TeamPosition{IsActive: true, TeamRole: role.String()}, err
}

// teamMemberNamed is whom {member} names of the request's team, and their role there.
func teamMemberNamed(rx *store.Rx, r *request) (store.User, access.Role, error) {
	user, err := memberNamed(rx, r, r.PathValue("member"))
	if err != nil {
		return user, access.None, err
	}
	role, err := deed.TeamRole(rx, r.team.ID, user.ID)
	if err == nil && role == access.None {
		err = store.ErrNotFound
	}
	return user, role, err
}

func (a *API) removeFromTeam(tx *store.Tx, r *request, _ None) (Team, error) {
	user, _, err := teamMemberNamed(&tx.Rx, r)
	if err != nil {
		return Team{}, err
	}
	if user.ID == r.person.ID {
		err = deed.LeaveTeam(tx, r.by(), r.team)
	} else {
		err = deed.SetTeamMember(tx, r.by(), r.team, user, access.None)
	}
	if err != nil {
		return Team{}, err
	}
	return teamView(&tx.Rx, r, r.team.ID)
}
