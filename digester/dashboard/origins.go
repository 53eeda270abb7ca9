package dashboard

import (
	"net/http"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// originsPage says from where browsers may report to a project.
type originsPage struct {
	settingsFrame
	Text string
}

func (d *Dashboard) showOrigins(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	rules, err := rx.ProjectRules(p.ID)
	return show("origins", originsPage{settingsFrame: d.settingsFrame(r, p, "domains"), Text: rules.Origins}), err
}

// saveOrigins is POST /projects/{id}/settings/domains.
func (d *Dashboard) saveOrigins(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	text := formText(r, "domains")
	if err := deed.SetOrigins(tx, d.by(r), p, text); err != nil {
		page := originsPage{settingsFrame: d.settingsFrame(r, p, "domains"), Text: text}
		if page.Error = formWords(err); page.Error == "" {
			return reply{}, err
		}
		return returned("origins", page), nil
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "domains"), "saved")), nil
}
