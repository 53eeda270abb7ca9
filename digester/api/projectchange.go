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

// projectChangeRoutes make, change, delete and restore projects.
func (a *API) projectChangeRoutes() {
	const tag, at = "Projects", "/projects/{org}/{project}/"
	const made = "It has a key, and belongs to nobody's application until somebody uses that. A short name that another project has or had is answered with 409; without one it is made of the name."
	read(a, at, readOrg, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project, by slug, former slug or number",
		Text: "Its admins also see what is set about it; what is only Sundew's is under …/settings/."}, a.projectDetails)
	change(a, "POST", "/teams/{org}/{team}/projects/", "create project by API", adminProjects, makesInTeam, Doc{Tag: tag, Summary: "Make a project of a team", Status: 201,
		Text: "Admins of the team make projects. " + made}, a.createInTeam)
	change(a, "POST", "/organizations/{org}/projects/", "create project by API", adminProjects, makesAnywhere, Doc{Tag: tag, Summary: "Make a project", Status: 201,
		Text: "It belongs to the first of the teams whose admin the token's person is. " + made}, a.createAnywhere)
	change(a, "PUT", at, "change project by API", writeProjects, ofProject(access.Admin), Doc{Tag: tag, Summary: "Change a project, and what is set about it",
		Text: "What the body does not name stays. A former slug keeps leading to the project. What Sundew has not and must not be passed over, such as options, is answered with 400."}, a.changeProject)
	change(a, "DELETE", at, "delete project by API", adminProjects, ofProject(access.Owner), Doc{Tag: tag, Summary: "Delete a project", Status: 204,
		Text: "It accepts nothing any more and is in no list. For a day nothing is removed and it can be restored."}, a.deleteProject)
	read(a, "/organizations/{org}/deleted-projects/", adminProjects, anyone, Doc{Tag: tag, Summary: "The deleted projects that can be restored, the last deleted first", Paged: true,
		Text: "Sundew's own. They are those whose owner the token's person is."}, a.deletedProjects)
	change(a, "POST", "/organizations/{org}/deleted-projects/{project}/restore/", "restore project by API", adminProjects, ofDeleted, Doc{Tag: tag, Summary: "Restore a deleted project",
		Text: "Sundew's own. Events that were sent meanwhile are gone."}, a.restoreProject)
}

// makesInTeam lets those in who make projects in the team that {team} names.
func makesInTeam(rx *store.Rx, r *request) error {
	team, err := teamNamed(rx, r.PathValue("team"))
	if err == nil && !r.person.Makes(team.ID) {
		err = errForbidden
	}
	return err
}

// makesAnywhere lets those in who make projects in any team, or in none.
func makesAnywhere(rx *store.Rx, r *request) error {
	_, err := deed.UsualTeam(rx, r.person)
	return err
}

// ofDeleted lets those in who can restore the project that {project} names, by slug or
// number, and puts it into the request.
func ofDeleted(rx *store.Rx, r *request) error {
	all, err := deed.Restorable(rx, r.person, r.api.cfg.Now())
	name := strings.ToLower(r.PathValue("project"))
	at := slices.IndexFunc(all, func(p store.Project) bool { return p.Slug == name || projectNumber(p.ID) == name })
	if err != nil || at < 0 {
		return cmp.Or(err, store.ErrNotFound)
	}
	r.project = all[at]
	return nil
}

// NewProject is a project to make.
type NewProject struct {
	Name         string  `json:"name"`
	Slug         *string `json:"slug"`
	Platform     *string `json:"platform"`
	DefaultRules *bool   `json:"default_rules"` // false: without the alert rule that projects begin with
}

func (a *API) createInTeam(tx *store.Tx, r *request, in NewProject) (ProjectDetails, error) {
	team, err := teamNamed(&tx.Rx, r.PathValue("team"))
	if err != nil {
		return ProjectDetails{}, err
	}
	return a.createProject(tx, r, in, team.ID)
}

func (a *API) createAnywhere(tx *store.Tx, r *request, in NewProject) (ProjectDetails, error) {
	team, err := deed.UsualTeam(&tx.Rx, r.person)
	if err != nil {
		return ProjectDetails{}, err
	}
	return a.createProject(tx, r, in, team)
}

func (a *API) createProject(tx *store.Tx, r *request, in NewProject, team int64) (ProjectDetails, error) {
	n := store.NewProject{ProjectChange: store.ProjectChange{Name: in.Name}, Team: team, NoRule: in.DefaultRules != nil && !*in.DefaultRules}
	if in.Slug != nil {
		n.Slug = *in.Slug
	}
	if in.Platform != nil {
		n.Platform = *in.Platform
	}
	project, err := deed.CreateProject(tx, r.by(), n)
	if errors.Is(err, store.ErrTaken) {
		_, words := explain(err)
		return ProjectDetails{}, &Problem{http.StatusConflict, words}
	}
	if err != nil {
		return ProjectDetails{}, err
	}
	return a.detailsAgain(&tx.Rx, r, project)
}

// detailsAgain shows a project after a change of what who asks may do with it.
func (a *API) detailsAgain(rx *store.Rx, r *request, p store.Project) (details ProjectDetails, err error) {
	if r.person, _, err = rx.PersonOfToken(bearer(r.Request), a.cfg.Now()); err != nil {
		return details, err
	}
	r.project = p
	return a.projectDetails(rx, r)
}

// ProjectDetails is a project, with what is set about it where who asks may see that.
type ProjectDetails struct {
	Project
	*ProjectSettings
}

func (a *API) projectDetails(rx *store.Rx, r *request) (ProjectDetails, error) {
	views, err := projectViews(rx, r, []store.Project{r.project})
	if err != nil {
		return ProjectDetails{}, err
	}
	details := ProjectDetails{Project: views[0]}
	if r.person.In(r.project.ID) >= access.Admin && r.person.Scopes&readProjects != 0 {
		details.ProjectSettings, err = settingsOf(rx, r.project)
	}
	return details, err
}

// ProjectChange is what a project is to be; what is not there stays.
type ProjectChange struct {
	Name     *string       `json:"name"`
	Slug     *string       `json:"slug"`
	Platform Maybe[string] `json:"platform"` // null or empty: not said
	SettingsChange
}

// names is what a project is to be called, and whether that is anything else.
func (c ProjectChange) names(p store.Project) (store.ProjectChange, bool) {
	was := store.ProjectChange{Name: p.Name, Slug: p.Slug, Platform: p.Platform}
	is := was
	if c.Name != nil {
		is.Name = *c.Name
	}
	if c.Slug != nil {
		is.Slug = *c.Slug
	}
	if c.Platform.Set {
		is.Platform = c.Platform.Value
	}
	return is, is != was
}

func (a *API) changeProject(tx *store.Tx, r *request, in ProjectChange) (ProjectDetails, error) {
	if err := in.SettingsChange.check(); err != nil {
		return ProjectDetails{}, err
	}
	if names, other := in.names(r.project); other {
		project, err := deed.ChangeProject(tx, r.by(), r.project, names)
		if err != nil {
			return ProjectDetails{}, err
		}
		r.project = project
	}
	if err := in.SettingsChange.apply(tx, r); err != nil {
		return ProjectDetails{}, err
	}
	return a.projectDetails(&tx.Rx, r)
}

func (a *API) deleteProject(tx *store.Tx, r *request, _ None) (None, error) {
	return None{}, deed.DeleteProject(tx, r.by(), r.project)
}

// DeletedProject is a project that can be restored.
type DeletedProject struct {
	Project
	DateDeleted     Time `json:"dateDeleted"`
	RestorableUntil Time `json:"restorableUntil"`
}

func (a *API) deletedProjects(rx *store.Rx, r *request) (List[DeletedProject], error) {
	all, err := deed.Restorable(rx, r.person, a.cfg.Now())
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	if err != nil {
		return nil, err
	}
	views, err := projectViews(rx, r, page)
	deleted := make(List[DeletedProject], len(views))
	for i, v := range views {
		v.Status, v.HasAccess = "pending_deletion", false
		deleted[i] = DeletedProject{Project: v, DateDeleted: Time{page[i].DeletedAt}, RestorableUntil: Time{page[i].DeletedAt.Add(store.ProjectUndo)}}
	}
	return deleted, err
}

func (a *API) restoreProject(tx *store.Tx, r *request, _ None) (ProjectDetails, error) {
	project, err := deed.RestoreProject(tx, r.by(), r.project.ID)
	if err != nil {
		return ProjectDetails{}, err
	}
	return a.detailsAgain(&tx.Rx, r, project)
}
