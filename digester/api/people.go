package api

import (
	"cmp"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

// peopleRoutes are about teams and the people in them.
func (a *API) peopleRoutes() {
	const tag = "People"
	read(a, "/organizations/{org}/teams/", readOrg, anyone, Doc{Tag: tag, Summary: "The teams, by name", Paged: true}, a.teams)
	read(a, "/teams/{org}/{team}/", readOrg, anyone, Doc{Tag: tag, Summary: "A team, by slug or number"}, a.team)
	read(a, "/teams/{org}/{team}/projects/", readOrg, anyone, Doc{Tag: tag, Summary: "A team's projects, as far as the token sees them", Paged: true}, a.teamProjects)
	read(a, "/organizations/{org}/members/", access.ReadOrg|writeOrg, anyone, Doc{Tag: tag, Summary: "The people who can sign in", Paged: true,
		Text:  "Who is not an admin of the installation sees those of their own teams.",
		Query: []Param{{Name: "query", Text: "a part of the name or mail address"}}}, a.members)
	read(a, "/organizations/{org}/users/", access.ReadOrg|writeOrg, anyone, Doc{Tag: tag, Summary: "As members, without pages"}, a.users)
}

// User is a person, as far as others see them.
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Email    string `json:"email"`
	IsActive bool   `json:"isActive"`
}

// Team is people who work on the same projects.
type Team struct {
	ID          string        `json:"id"`
	Slug        string        `json:"slug"`
	Name        string        `json:"name"`
	DateCreated Time          `json:"dateCreated"`
	IsMember    bool          `json:"isMember"`
	TeamRole    *string       `json:"teamRole"`
	HasAccess   bool          `json:"hasAccess"`
	IsPending   bool          `json:"isPending"`
	MemberCount int64         `json:"memberCount"`
	Avatar      Avatar        `json:"avatar"`
	Projects    List[Project] `json:"projects"`
}

// teamViews shows teams with those of their projects that who asks sees.
func teamViews(rx *store.Rx, r *request, teams []store.Team) (List[Team], error) {
	seen, err := visible(rx, r)
	if err != nil {
		return nil, err
	}
	projects, err := projectViews(rx, r, seen)
	if err != nil {
		return nil, err
	}
	views := make(List[Team], len(teams))
	for i, t := range teams {
		role := r.person.Teams[t.ID]
		views[i] = Team{
			ID: number(t.ID), Slug: t.Slug, Name: t.Name, DateCreated: Time{t.CreatedAt}, MemberCount: t.Members, Avatar: letters(),
			IsMember: role != access.None, HasAccess: r.person.OfTeam(t.ID) != access.None,
		}
		if role != access.None {
			name := role.String()
			views[i].TeamRole = &name
		}
		for n, p := range seen {
			if p.TeamID == t.ID {
				views[i].Projects = append(views[i].Projects, projects[n])
			}
		}
	}
	return views, nil
}

func (a *API) teams(rx *store.Rx, r *request) (List[Team], error) {
	all, err := rx.Teams()
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	if err != nil {
		return nil, err
	}
	return teamViews(rx, r, page)
}

// teamNamed returns the team that {team} names.
func teamNamed(rx *store.Rx, r *request) (store.Team, error) {
	all, err := rx.Teams()
	name := strings.ToLower(r.PathValue("team"))
	at := slices.IndexFunc(all, func(t store.Team) bool { return t.Slug == name || number(t.ID) == name })
	if err != nil || at < 0 {
		return store.Team{}, cmp.Or(err, store.ErrNotFound)
	}
	return all[at], nil
}

func (a *API) team(rx *store.Rx, r *request) (Team, error) {
	team, err := teamNamed(rx, r)
	if err != nil {
		return Team{}, err
	}
	views, err := teamViews(rx, r, []store.Team{team})
	if err != nil {
		return Team{}, err
	}
	return views[0], nil
}

func (a *API) teamProjects(rx *store.Rx, r *request) (List[Project], error) {
	team, err := teamNamed(rx, r)
	if err != nil {
		return nil, err
	}
	all, err := visible(rx, r)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, slices.DeleteFunc(all, func(p store.Project) bool { return p.TeamID != team.ID }), 100, 100)
	if err != nil {
		return nil, err
	}
	return projectViews(rx, r, page)
}

func (a *API) projectTeams(rx *store.Rx, r *request) (List[Team], error) {
	all, err := rx.Teams()
	if err != nil {
		return nil, err
	}
	page, err := paged(r, slices.DeleteFunc(all, func(t store.Team) bool { return t.ID != r.project.TeamID }), 100, 100)
	if err != nil {
		return nil, err
	}
	return teamViews(rx, r, page)
}

// Member is a person with what they are in the installation.
type Member struct {
	ID          string       `json:"id"`
	Email       string       `json:"email"`
	Name        string       `json:"name"`
	Role        string       `json:"role"`
	OrgRole     string       `json:"orgRole"`
	RoleName    string       `json:"roleName"`
	Pending     bool         `json:"pending"`
	Expired     bool         `json:"expired"`
	DateCreated Time         `json:"dateCreated"`
	User        User         `json:"user"`
	Projects    List[string] `json:"projects"` // slugs; of lists of a project only
}

// known returns who can sign in and is known to who asks, by name.
func known(rx *store.Rx, r *request) ([]store.User, error) {
	all, err := rx.Users()
	if err != nil {
		return nil, err
	}
	colleagues := map[int64]bool{r.person.ID: true}
	for team := range r.person.Teams {
		members, err := rx.TeamMembers(team)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			colleagues[m.UserID] = true
		}
	}
	query := strings.ToLower(strings.TrimSpace(r.query("query")))
	return slices.DeleteFunc(all, func(u store.User) bool {
		return !u.DisabledAt.IsZero() || !r.person.SeesAll() && !colleagues[u.ID] ||
			!strings.Contains(strings.ToLower(u.Name+" "+u.Email), query)
	}), nil
}

// roleOf is a role by the names that tools know: who has none in the installation is
// a member of it.
func roleOf(role access.Role) string {
	switch role {
	case access.Owner:
		return "owner"
	case access.Admin:
		return "manager"
	}
	return "member"
}

func memberView(u store.User) Member {
	role := roleOf(u.Role)
	return Member{
		ID: number(u.ID), Email: u.Email, Name: u.Name, Role: role, OrgRole: role, RoleName: strings.ToUpper(role[:1]) + role[1:], DateCreated: Time{u.CreatedAt},
		User: User{ID: number(u.ID), Name: u.Name, Username: u.Email, Email: u.Email, IsActive: true},
	}
}

func (a *API) members(rx *store.Rx, r *request) (List[Member], error) {
	all, err := known(rx, r)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Member], len(page))
	for i, u := range page {
		views[i] = memberView(u)
	}
	return views, err
}

func (a *API) users(rx *store.Rx, r *request) (List[Member], error) {
	all, err := known(rx, r)
	views := make(List[Member], len(all))
	for i, u := range all {
		views[i] = memberView(u)
	}
	return views, err
}

func (a *API) projectMembers(rx *store.Rx, r *request) (List[Member], error) {
	all, err := rx.ProjectMembers(r.project.ID)
	views := make(List[Member], len(all))
	for i, m := range all {
		views[i] = memberView(store.User{ID: m.UserID, Name: m.Name, Email: m.Email})
		views[i].Projects = List[string]{r.project.Slug}
	}
	return views, err
}
