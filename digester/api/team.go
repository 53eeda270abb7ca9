package api

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// teamRoutes are about teams and their projects.
func (a *API) teamRoutes() {
	const tag = "Teams"
	read(a, "/organizations/{org}/teams/", readOrg, anyone, Doc{Tag: tag, Summary: "The teams, by name", Paged: true}, a.teams)
	change(a, "POST", "/organizations/{org}/teams/", "create team by API", writeOrg, ofInstallation(access.Admin), Doc{Tag: tag, Summary: "Make a team, which the person owns", Status: 201,
		Text: "The installation's admins make teams. Without a slug it is made of the name."}, a.createTeam)
	read(a, "/organizations/{org}/user-teams/", readOrg, aPerson, Doc{Tag: tag, Summary: "The teams that one belongs to, by name"}, a.ownTeams)
	read(a, "/teams/{org}/{team}/", readOrg, anyone, Doc{Tag: tag, Summary: "A team, by slug or number"}, a.team)
	change(a, "PUT", "/teams/{org}/{team}/", "change team by API", writeOrg, ofTeam(access.Admin), Doc{Tag: tag, Summary: "Change the name or the slug of a team",
		Text: "A team's admins do. What is not there stays as it is. A former slug does not lead to the team any more."}, a.changeTeam)
	change(a, "DELETE", "/teams/{org}/{team}/", "delete team by API", writeOrg, ofTeam(access.Owner), Doc{Tag: tag, Summary: "Delete a team that has no projects", Status: 204,
		Text: "A team's owners do. 409 as long as it has projects. Issues that were assigned to it are assigned to nobody."}, a.deleteTeam)
	read(a, "/teams/{org}/{team}/projects/", readOrg, anyone, Doc{Tag: tag, Summary: "A team's projects, as far as the token sees them", Paged: true}, a.teamProjects)

	const move = "/projects/{org}/{project}/teams/{team}/"
	change(a, "POST", move, "move project by API", writeProjects, ofProject(access.Owner), Doc{Tag: tag, Summary: "Give a project to a team", Status: 201,
		Text: "A project has one team: it leaves the former one. Its owners give it to teams of which they are an admin."}, a.addProjectTeam)
	change(a, "DELETE", move, "move project by API", writeProjects, ofProject(access.Owner), Doc{Tag: tag, Summary: "Take a project out of its team",
		Text: "The installation's admins do: it has no team then, and is seen by them and by who has a role in the project itself."}, a.removeProjectTeam)
}

// ofTeam asks for a role in the team that {team} names, by slug or number, and puts the
// team into the request. That there is a team is known to everybody.
func ofTeam(least access.Role) guard {
	return func(rx *store.Rx, r *request) (err error) {
		if r.team, err = teamNamed(rx, r.PathValue("team")); err != nil {
			return err
		}
		if r.person.OfTeam(r.team.ID) < least {
			return errForbidden
		}
		return nil
	}
}

// Team is people who work on the same projects.
type Team struct {
	ID          string        `json:"id"`
	Slug        string        `json:"slug"`
	Name        string        `json:"name"`
	DateCreated Time          `json:"dateCreated"`
	IsMember    bool          `json:"isMember"`
	TeamRole    *string       `json:"teamRole"` // of who asks: viewer, member, admin or owner
	HasAccess   bool          `json:"hasAccess"`
	IsPending   bool          `json:"isPending"`
	MemberCount int64         `json:"memberCount"`
	Avatar      Avatar        `json:"avatar"`
	Projects    List[Project] `json:"projects"`
}

// NewTeam is a team to make.
type NewTeam struct {
	Name string `json:"name"` // empty: its slug
	Slug string `json:"slug"` // empty: of the name
}

// TeamChange is what is to become of a team; what is not there stays as it is.
type TeamChange struct {
	Name *string `json:"name"`
	Slug *string `json:"slug"`
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
			views[i].TeamRole = new(role.String())
		}
		for n, p := range seen {
			if p.TeamID == t.ID {
				views[i].Projects = append(views[i].Projects, projects[n])
			}
		}
	}
	return views, nil
}

// teamView shows a team as it is now, after what was changed about it.
func teamView(rx *store.Rx, r *request, id int64) (Team, error) {
	team, err := rx.Team(id)
	if err != nil {
		return Team{}, err
	}
	if r.person.ID != 0 { // what they may has perhaps changed
		now, err := rx.Person(r.person.ID)
		if err != nil {
			return Team{}, err
		}
		r.person.Teams, r.person.Projects = now.Teams, now.Projects
	}
	views, err := teamViews(rx, r, []store.Team{team})
	if err != nil {
		return Team{}, err
	}
	return views[0], nil
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

func (a *API) ownTeams(rx *store.Rx, r *request) (List[Team], error) {
	all, err := rx.Teams()
	if err != nil {
		return nil, err
	}
	return teamViews(rx, r, slices.DeleteFunc(all, func(t store.Team) bool { return r.person.Teams[t.ID] == access.None }))
}

// teamNamed returns a team by number or slug, in this order, as projectNamed a project.
func teamNamed(rx *store.Rx, name string) (store.Team, error) {
	all, err := rx.Teams()
	name = strings.ToLower(name)
	at := slices.IndexFunc(all, func(t store.Team) bool { return number(t.ID) == name })
	if at < 0 {
		at = slices.IndexFunc(all, func(t store.Team) bool { return t.Slug == name })
	}
	if err != nil || at < 0 {
		return store.Team{}, cmp.Or(err, store.ErrNotFound)
	}
	return all[at], nil
}

func (a *API) team(rx *store.Rx, r *request) (Team, error) {
	team, err := teamNamed(rx, r.PathValue("team"))
	if err != nil {
		return Team{}, err
	}
	views, err := teamViews(rx, r, []store.Team{team})
	if err != nil {
		return Team{}, err
	}
	return views[0], nil
}

func (a *API) createTeam(tx *store.Tx, r *request, in NewTeam) (Team, error) {
	if strings.TrimSpace(in.Name+in.Slug) == "" {
		return Team{}, bad("name or slug is required.")
	}
	team, err := deed.CreateTeam(tx, r.by(), cmp.Or(in.Name, in.Slug))
	if err != nil {
		return Team{}, err
	}
	if in.Slug != "" && in.Slug != team.Slug {
		if err := setSlug(tx, r, team, in.Slug); err != nil {
			return Team{}, err
		}
	}
	return teamView(&tx.Rx, r, team.ID)
}

// setSlug changes a team's slug. One that another team has is a conflict, as it is at
// Sentry: tools look for that.
func setSlug(tx *store.Tx, r *request, team store.Team, slug string) error {
	_, err := deed.SetTeamSlug(tx, r.by(), team, slug)
	if errors.Is(err, store.ErrTaken) {
		return &Problem{http.StatusConflict, "A team with this slug already exists."}
	}
	return err
}

func (a *API) changeTeam(tx *store.Tx, r *request, in TeamChange) (Team, error) {
	if in.Name != nil && *in.Name != r.team.Name {
		renamed, err := deed.RenameTeam(tx, r.by(), r.team, *in.Name)
		if err != nil {
			return Team{}, err
		}
		r.team = renamed
	}
	if in.Slug != nil {
		if err := setSlug(tx, r, r.team, *in.Slug); err != nil {
			return Team{}, err
		}
	}
	return teamView(&tx.Rx, r, r.team.ID)
}

func (a *API) deleteTeam(tx *store.Tx, r *request, _ None) (None, error) {
	return None{}, deed.DeleteTeam(tx, r.by(), r.team)
}

func (a *API) teamProjects(rx *store.Rx, r *request) (List[Project], error) {
	team, err := teamNamed(rx, r.PathValue("team"))
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

func (a *API) addProjectTeam(tx *store.Tx, r *request, _ None) (Project, error) {
	team, err := teamNamed(&tx.Rx, r.PathValue("team"))
	if err != nil {
		return Project{}, err
	}
	return transferProject(tx, r, team)
}

func (a *API) removeProjectTeam(tx *store.Tx, r *request, _ None) (Project, error) {
	team, err := teamNamed(&tx.Rx, r.PathValue("team"))
	if err == nil && team.ID != r.project.TeamID {
		err = store.ErrNotFound
	}
	if err != nil {
		return Project{}, err
	}
	return transferProject(tx, r, store.Team{})
}

// transferProject gives the request's project to a team, or none, and shows it. Where
// it is already, nothing is done.
func transferProject(tx *store.Tx, r *request, team store.Team) (Project, error) {
	if team.ID != r.project.TeamID {
		if err := deed.TransferProject(tx, r.by(), r.project, team); err != nil {
			return Project{}, err
		}
	}
	moved, err := tx.Project(r.project.ID)
	if err != nil {
		return Project{}, err
	}
	views, err := projectViews(&tx.Rx, r, []store.Project{moved})
	if err != nil {
		return Project{}, err
	}
	return views[0], nil
}
