package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/store"
)

// projectsPage lists all projects and has the form for a new one.
type projectsPage struct {
	shell
	Projects []projectRow
	Name     string // as typed, when the form comes back
	Error    string // why the form came back
}

// projectRow is one project of the list.
type projectRow struct {
	store.Project
	DSN   string // empty when the project has no enabled key
	Chart chart
}

func (d *Dashboard) showProjects(rx *store.Rx, _ *http.Request) (reply, error) {
	page, err := d.projectsPage(rx)
	return show("projects", page), err
}

// createProject is POST /projects.
func (d *Dashboard) createProject(tx *store.Tx, r *http.Request) (reply, error) {
	name := r.PostFormValue("name")
	project, err := tx.CreateProject(name)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.projectsPage(&tx.Rx)
		page.Name = name
		page.Error = "A name needs 1 to 80 characters and no line breaks."
		rep := show("projects", page)
		rep.status = http.StatusUnprocessableEntity
		return rep, err
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.setup(project.ID, "")), nil
}

func (d *Dashboard) projectsPage(rx *store.Rx) (projectsPage, error) {
	page := projectsPage{shell: shell{Title: "Projects"}}
	projects, err := rx.Projects()
	if err != nil {
		return page, err
	}
	now := d.cfg.Now()
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
