package dashboard

import (
	"net/http"
	"strings"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// deletionPage asks whether a project shall be deleted.
type deletionPage struct {
	settingsFrame
	Typed string // as the project's name, when the form comes back
}

// deletedPage lists deleted projects that can be taken back.
type deletedPage struct {
	shell
	Notice   string
	Projects []deletedRow
}

// deletedRow is one of them.
type deletedRow struct {
	store.Project
	Until time.Time // when it goes for good
}

func (d *Dashboard) showDeletion(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	return show("deletion", deletionPage{settingsFrame: d.settingsFrame(r, p, "")}), nil
}

// deleteProject is POST /projects/{id}/settings/delete, with the project's name typed.
func (d *Dashboard) deleteProject(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	if typed := strings.TrimSpace(r.PostFormValue("name")); typed != p.Name {
		page := deletionPage{settingsFrame: d.settingsFrame(r, p, ""), Typed: typed}
		page.Error = "That is not the project's name."
		return returned("deletion", page), nil
	}
	if err := deed.DeleteProject(tx, d.by(r), p); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.deletedProjects(), "deleted")), nil
}

func (d *Dashboard) showDeleted(rx *store.Rx, r *http.Request) (reply, error) {
	page := deletedPage{
		shell: shell{Title: "Deleted projects", Trail: d.trail()}, Notice: settledWords(r.URL.Query().Get("done")),
	}
	projects, err := deed.Restorable(rx, who(r), d.cfg.Now())
	for _, p := range projects {
		page.Projects = append(page.Projects, deletedRow{p, p.DeletedAt.Add(store.ProjectUndo)})
	}
	return show("deleted", page), err
}

// restoreProject is POST /projects/{id}/restore.
func (d *Dashboard) restoreProject(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathProjectID(r)
	if err != nil {
		return reply{}, err
	}
	if _, err := deed.RestoreProject(tx, d.by(r), id); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settings(id), "restored")), nil
}
