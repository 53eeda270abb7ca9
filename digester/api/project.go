package api

import (
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// projectRoutes are about projects and all that is set about them.
func (a *API) projectRoutes() {
	const tag = "Projects"
	lists := Doc{Tag: tag, Summary: "The projects that the token sees, by name", Paged: true, Query: []Param{{Name: "query", Text: "a part of the name or slug"}}}
	read(a, "/projects/", readOrg, anyone, lists, a.projects)
	read(a, "/organizations/{org}/projects/", readOrg, anyone, lists, a.projects)
	read(a, "/projects/{org}/{project}/teams/", readProjects, ofProject(access.Viewer), Doc{Tag: tag, Summary: "The team that a project belongs to, if any", Paged: true}, a.projectTeams)
	a.projectChangeRoutes()
	a.keyRoutes()
	a.environmentRoutes()
	a.projectMemberRoutes()
	a.privacyRoutes()
	a.groupingRoutes()
	a.retentionRoutes()
	a.limitRoutes()
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
