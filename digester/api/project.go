package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// projectRoutes are about projects: what they are called, their keys, where they run.
func (a *API) projectRoutes() {
	const tag = "Projects"
	lists := Doc{Tag: tag, Summary: "The projects that the token sees, by name", Paged: true, Query: []Param{{Name: "query", Text: "a part of the name or slug"}}}
	read(a, "/projects/", readOrg, anyone, lists, a.projects)
	read(a, "/organizations/{org}/projects/", readOrg, anyone, lists, a.projects)
	read(a, "/projects/{org}/{project}/", readOrg, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project, by slug, former slug or number"}, a.projectDetails)
	read(a, "/projects/{org}/{project}/keys/", readProjects|access.Releases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's client keys (DSNs)", Paged: true}, a.keys)
	read(a, "/projects/{org}/{project}/keys/{key}/", readProjects|access.Releases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A client key, by its public key"}, a.key)
	read(a, "/projects/{org}/{project}/environments/", readProjects|readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's environments"}, a.environments)
	read(a, "/projects/{org}/{project}/teams/", readProjects, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The team that a project belongs to, if any", Paged: true}, a.projectTeams)
	read(a, "/projects/{org}/{project}/members/", readProjects, ofProject(access.Viewer), Doc{Tag: tag, Summary: "Who has a role in a project"}, a.projectMembers)
}

// ProjectRef is a project as other things mention it.
type ProjectRef struct {
	ID       string `json:"id"`
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	Platform string `json:"platform"`
}

func projectRef(p store.Project) ProjectRef {
	return ProjectRef{ID: projectNumber(p.ID), Slug: p.Slug, Name: p.Name, Platform: p.Platform}
}

func projectNumber(id event.ProjectID) string { return number(int64(id)) }

func number(id int64) string { return strconv.FormatInt(id, 10) }

// Project is one application that reports.
type Project struct {
	ID              string        `json:"id"`
	Slug            string        `json:"slug"`
	Name            string        `json:"name"`
	Platform        *string       `json:"platform"`
	DateCreated     Time          `json:"dateCreated"`
	LastEvent       Time          `json:"lastEvent"` // Sundew's own
	Status          string        `json:"status"`
	IsBookmarked    bool          `json:"isBookmarked"`
	IsMember        bool          `json:"isMember"`
	HasAccess       bool          `json:"hasAccess"`
	IsPublic        bool          `json:"isPublic"`
	IsInternal      bool          `json:"isInternal"`
	Features        List[string]  `json:"features"`
	Access          List[string]  `json:"access"`
	Avatar          Avatar        `json:"avatar"`
	Color           string        `json:"color"`
	HasReplays      bool          `json:"hasReplays"`
	HasProfiles     bool          `json:"hasProfiles"`
	HasLogs         bool          `json:"hasLogs"`
	HasMonitors     bool          `json:"hasMonitors"`
	HasTransactions bool          `json:"firstTransactionEvent"`
	HasSessions     bool          `json:"hasSessions"`
	HasFeedbacks    bool          `json:"hasFeedbacks"`
	Team            *TeamRef      `json:"team"`
	Teams           List[TeamRef] `json:"teams"`
	Organization    Organization  `json:"organization"`
}

// TeamRef is a team as other things mention it.
type TeamRef struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// projectViews shows projects.
func projectViews(rx *store.Rx, r *request, projects []store.Project) (List[Project], error) {
	teams, err := rx.Teams()
	if err != nil {
		return nil, err
	}
	organization, err := organizationOf(rx, r)
	if err != nil {
		return nil, err
	}
	views := make(List[Project], len(projects))
	for i, p := range projects {
		role := r.person.In(p.ID)
		views[i] = Project{
			ID: projectNumber(p.ID), Slug: p.Slug, Name: p.Name, DateCreated: Time{p.CreatedAt}, LastEvent: Time{p.LastEventAt}, Status: "active", IsMember: role >= access.Member,
			HasAccess: true, Access: r.person.Scopes.Names(), Avatar: letters(), Color: "#3f7fbf", Organization: organization,
		}
		if p.Platform != "" {
			views[i].Platform = &p.Platform
		}
		if at := slices.IndexFunc(teams, func(t store.Team) bool { return t.ID == p.TeamID }); at >= 0 {
			ref := teamRef(teams[at])
			views[i].Team, views[i].Teams = &ref, List[TeamRef]{ref}
		}
	}
	return views, nil
}

func teamRef(t store.Team) TeamRef { return TeamRef{ID: number(t.ID), Slug: t.Slug, Name: t.Name} }

func (a *API) projects(rx *store.Rx, r *request) (List[Project], error) {
	all, err := visible(rx, r)
	if err != nil {
		return nil, err
	}
	for _, word := range strings.Fields(strings.ToLower(r.query("query"))) {
		word = strings.TrimPrefix(strings.TrimPrefix(word, "slug:"), "name:")
		all = slices.DeleteFunc(all, func(p store.Project) bool {
			return !strings.Contains(p.Slug, word) && !strings.Contains(strings.ToLower(p.Name), word)
		})
	}
	page, err := paged(r, all, 100, 100)
	if err != nil {
		return nil, err
	}
	return projectViews(rx, r, page)
}

func (a *API) projectDetails(rx *store.Rx, r *request) (Project, error) {
	views, err := projectViews(rx, r, []store.Project{r.project})
	if err != nil {
		return Project{}, err
	}
	return views[0], nil
}

// Key is what clients report with.
type Key struct {
	ID          string    `json:"id"` // the public key, as at Sentry
	Name        string    `json:"name"`
	Label       string    `json:"label"`
	Public      string    `json:"public"`
	Secret      string    `json:"secret"` // no client needs one any more: the public key again
	ProjectID   int64     `json:"projectId"`
	IsActive    bool      `json:"isActive"`
	RateLimit   *KeyLimit `json:"rateLimit"`
	DSN         KeyDSN    `json:"dsn"`
	DateCreated Time      `json:"dateCreated"`
}

// KeyLimit is how many events a key takes: Sundew's limits are those of projects.
type KeyLimit struct {
	Window int `json:"window"`
	Count  int `json:"count"`
}

// KeyDSN is the addresses that are made of a key.
type KeyDSN struct {
	Public   string `json:"public"`
	Secret   string `json:"secret"`
	Security string `json:"security"`
}

func (a *API) keyView(p store.Project, k store.ProjectKey) Key {
	scheme, rest, _ := strings.Cut(a.cfg.PublicURL, "://")
	dsn := scheme + "://" + k.Public + "@" + rest + "/" + projectNumber(p.ID)
	name := cmp.Or(k.Name, "Default")
	return Key{
		ID: k.Public, Name: name, Label: name, Public: k.Public, Secret: k.Public, ProjectID: int64(p.ID), IsActive: k.Enabled,
		DSN: KeyDSN{Public: dsn, Secret: dsn, Security: a.cfg.PublicURL + "/api/" + projectNumber(p.ID) + "/security/?sentry_key=" + k.Public}, DateCreated: Time{k.CreatedAt},
	}
}

func (a *API) keys(rx *store.Rx, r *request) (List[Key], error) {
	all, err := rx.ProjectKeys(r.project.ID)
	if err != nil {
		return nil, err
	}
	switch r.query("status") {
	case "active":
		all = slices.DeleteFunc(all, func(k store.ProjectKey) bool { return !k.Enabled })
	case "inactive":
		all = slices.DeleteFunc(all, func(k store.ProjectKey) bool { return k.Enabled })
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Key], len(page))
	for i, k := range page {
		views[i] = a.keyView(r.project, k)
	}
	return views, err
}

func (a *API) key(rx *store.Rx, r *request) (Key, error) {
	all, err := rx.ProjectKeys(r.project.ID)
	for _, k := range all {
		if k.Public == strings.ToLower(r.PathValue("key")) {
			return a.keyView(r.project, k), nil
		}
	}
	if err == nil {
		err = store.ErrNotFound
	}
	return Key{}, err
}

// environments lists a project's; with visibility=all or hidden also those that it
// hides.
func (a *API) environments(rx *store.Rx, r *request) (List[Environment], error) {
	all, err := rx.Environments(r.project.ID)
	if err != nil {
		return nil, err
	}
	hidden, err := rx.HiddenEnvironments(r.project.ID)
	var views List[Environment]
	for _, e := range all {
		show := !hidden[e.Name]
		switch r.query("visibility") {
		case "all":
			show = true
		case "hidden":
			show = hidden[e.Name]
		}
		if show && e.Name != "" {
			views = append(views, Environment{ID: e.Name, Name: e.Name, IsHidden: hidden[e.Name]})
		}
	}
	return views, err
}
