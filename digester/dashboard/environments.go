package dashboard

import (
	"net/http"
	"slices"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// environmentsPage says which environments filters offer.
type environmentsPage struct {
	settingsFrame
	Environments []environmentRow
}

// environmentRow is one environment of the list.
type environmentRow struct {
	store.Environment
	Hidden bool
}

func (d *Dashboard) showEnvironments(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page := environmentsPage{settingsFrame: d.settingsFrame(r, p, "environments")}
	all, err := rx.Environments(p.ID)
	if err != nil {
		return reply{}, err
	}
	hidden, err := rx.HiddenEnvironments(p.ID)
	for _, e := range all {
		page.Environments = append(page.Environments, environmentRow{e, hidden[e.Name]})
	}
	return show("environments", page), err
}

// saveEnvironments is POST /projects/{id}/settings/environments: those that are shown
// are checked. Of the others it changes only those that the form knew.
func (d *Dashboard) saveEnvironments(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	known, shown := r.PostForm["known"], r.PostForm["shown"]
	hide := make(map[string]bool, len(known))
	for _, name := range known {
		hide[name] = !slices.Contains(shown, name)
	}
	if err := deed.HideEnvironments(tx, d.by(r), p, hide); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "environments"), "saved")), nil
}
