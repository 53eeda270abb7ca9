package dashboard

import (
	"net/http"
	"strconv"

	"sundew/digester/store"
	"sundew/schema/keyring"
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
	allowed, err := keyring.ParseOrigins(text)
	if err == nil {
		err = tx.SetOrigins(p.ID, text)
	}
	if err != nil {
		page := originsPage{settingsFrame: d.settingsFrame(r, p, "domains"), Text: text}
		if page.Error = originWords(err); page.Error == "" {
			return reply{}, err
		}
		return returned("origins", page), nil
	}
	if err := d.noteSetting(tx, r, p, "project.domains", strconv.Itoa(len(allowed))+" allowed"); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "domains"), "saved")), nil
}
