package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// projectsPage lists all projects and has the form for a new one.
type projectsPage struct {
	shell
	Projects []projectRow
	Teams    []store.Team // that a new project may belong to
	Makes    bool         // the person may make projects
	Deleted  int          // projects that the person can still take back
	Name     string       // as typed, when the form comes back
	Error    string       // why the form came back
}

// projectRow is one project of the list.
type projectRow struct {
	store.Project
	DSN   string // empty when the project has no enabled key
	Chart chart
}

func (d *Dashboard) showProjects(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.projectsPage(rx, who(r))
	return show("projects", page), err
}

// createProject is POST /projects.
func (d *Dashboard) createProject(tx *store.Tx, r *http.Request) (reply, error) {
	name := r.PostFormValue("name")
	team, err := projectTeam(tx, r)
	if err != nil {
		return reply{}, err
	}
	project, err := deed.CreateProject(tx, d.by(r), store.NewProject{ProjectChange: store.ProjectChange{Name: name}, Team: team})
	if words := formWords(err); words != "" {
		page, err := d.projectsPage(&tx.Rx, who(r))
		page.Name, page.Error = name, words
		return returned("projects", page), err
	}
	return redirect(d.links.setup(project.ID, "")), err
}

// projectTeam returns the team that a new project shall belong to: the one that was
// chosen, or the usual one.
func projectTeam(tx *store.Tx, r *http.Request) (int64, error) {
	chosen := r.PostFormValue("team")
	if chosen == "" {
		return deed.UsualTeam(&tx.Rx, who(r))
	}
	teams, err := deed.TeamsFor(&tx.Rx, who(r))
	for _, t := range teams {
		if strconv.FormatInt(t.ID, 10) == chosen {
			return t.ID, nil
		}
	}
	return 0, cmp.Or(err, errForbidden)
}

func (d *Dashboard) projectsPage(rx *store.Rx, p access.Person) (projectsPage, error) {
	page := projectsPage{shell: shell{Title: "Projects"}}
	projects, err := rx.Projects()
	if err != nil {
		return page, err
	}
	projects = slices.DeleteFunc(projects, func(of store.Project) bool { return p.In(of.ID) == access.None })
	if page.Teams, err = deed.TeamsFor(rx, p); err != nil {
		return page, err
	}
	page.Makes = len(page.Teams) > 0 || p.Makes(0)
	now := d.cfg.Now()
	deleted, err := deed.Restorable(rx, p, now)
	if err != nil {
		return page, err
	}
	page.Deleted = len(deleted)
	hours, err := rx.ProjectHours(chartStart(now))
	if err != nil {
		return page, err
	}
	for _, p := range projects {
		page.Projects = append(page.Projects, projectRow{
			Project: p, DSN: d.dsn(p), Chart: newChart(hours[p.ID], now),
		})
	}
	return page, nil
}

// dsn returns the DSN with the project's oldest key: newer ones replace it only
// once it is disabled.
func (d *Dashboard) dsn(p store.Project) string {
	if len(p.Keys) == 0 {
		return ""
	}
	return DSN(d.cfg.PublicURL, p.Keys[0], p.ID)
}
