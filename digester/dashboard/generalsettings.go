package dashboard

import (
	"net/http"
	"slices"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// generalPage is the first page of a project's settings.
type generalPage struct {
	settingsFrame
	Name      string // as typed
	Slug      string
	Platforms []option
	Teams     []option // that the project may go to; empty: who asks may not move it
	Owner     bool     // who asks may delete it
}

func (d *Dashboard) showSettings(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.generalPage(rx, r, p)
	return show("settings", page), err
}

// findSettings is GET /settings/{org}/projects/{project}: the settings of a project by
// its slug, or its set-up for those who do not change them.
func (d *Dashboard) findSettings(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := rx.ProjectBySlug(r.PathValue("project"))
	if err != nil {
		return reply{}, err
	}
	if err := enough(who(r).In(p.ID), access.Viewer); err != nil {
		return reply{}, err
	}
	if who(r).In(p.ID) < access.Admin {
		return redirect(d.links.setup(p.ID, "")), nil
	}
	return redirect(d.links.settings(p.ID)), nil
}

func (d *Dashboard) generalPage(rx *store.Rx, r *http.Request, p store.Project) (generalPage, error) {
	page := generalPage{
		settingsFrame: d.settingsFrame(r, p, ""), Name: p.Name, Slug: p.Slug,
		Platforms: platformOptions(p.Platform), Owner: who(r).In(p.ID) >= access.Owner,
	}
	if !page.Owner {
		return page, nil
	}
	teams, err := deed.TeamsFor(rx, who(r))
	for _, t := range teams {
		page.Teams = append(page.Teams, option{strconv.FormatInt(t.ID, 10), t.Name, t.ID == p.TeamID})
	}
	return page, err
}

// platformOptions are the platforms that there are guides for, and the one that is
// chosen: programs know more of them.
func platformOptions(chosen string) []option {
	options := []option{{Value: "", Text: "Not said", Selected: chosen == ""}}
	for _, g := range setupGuides() {
		options = append(options, option{g.key, g.name, g.key == chosen})
	}
	if !slices.ContainsFunc(options, func(o option) bool { return o.Selected }) {
		options = append(options, option{chosen, chosen, true})
	}
	return options
}

// changeProject is POST /projects/{id}/settings.
func (d *Dashboard) changeProject(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	change := store.ProjectChange{Name: r.PostFormValue("name"), Slug: r.PostFormValue("slug"), Platform: r.PostFormValue("platform")}
	if !slices.ContainsFunc(platformOptions(p.Platform), func(o option) bool { return o.Value == change.Platform }) {
		return reply{}, errForm
	}
	_, err = deed.ChangeProject(tx, d.by(r), p, change)
	if words := formWords(err); words != "" {
		page, err := d.generalPage(&tx.Rx, r, p)
		page.Name, page.Slug, page.Platforms, page.Error = change.Name, change.Slug, platformOptions(change.Platform), words
		return returned("settings", page), err
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settings(p.ID), "saved")), nil
}

// transferProject is POST /projects/{id}/settings/team: to a team of which who asks
// is an admin.
func (d *Dashboard) transferProject(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	id, err := strconv.ParseInt(r.PostFormValue("team"), 10, 64)
	if err != nil {
		return reply{}, errForm
	}
	team, err := tx.Team(id)
	if err != nil {
		return reply{}, err
	}
	if err := deed.TransferProject(tx, d.by(r), p, team); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.afterTransfer(r, p, team), "transferred")), nil
}

// afterTransfer leads to the settings, if who asks still may see them.
func (d *Dashboard) afterTransfer(r *http.Request, p store.Project, team store.Team) string {
	if who(r).SeesAll() || who(r).OfTeam(team.ID) >= access.Admin {
		return d.links.settings(p.ID)
	}
	return d.links.home()
}
