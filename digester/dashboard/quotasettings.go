package dashboard

import (
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/quota"
)

// quotaRoutes are the routes of limits.
func (d *Dashboard) quotaRoutes() {
	admin, all := ofProject(access.Admin), ofInstallation(access.Admin)
	d.get("/projects/{id}/settings/limits", admin, d.showLimits)
	d.post("/projects/{id}/settings/limits", "limits", admin, d.saveLimits)
	d.get("/limits", all, d.showAllLimits)
	d.post("/limits", "limits", all, d.saveAllLimits)
}

// limitsPage is what a project may report.
type limitsPage struct {
	settingsFrame
	Form    quotaForm
	Spike   string // as typed; empty: the usual number
	Counted int64  // events of the project, ever
	Stored  int64  // of these, stored
}

func (d *Dashboard) showLimits(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	set, err := rx.Quotas(p.ID)
	if err != nil {
		return reply{}, err
	}
	page, err := d.limitsPage(rx, r, p, func(_ string, class quota.Class, window quota.Window) string {
		return limitText(set.Limits[class][window])
	})
	if set.Spike != store.UsualSpike {
		page.Spike = strconv.FormatInt(set.Spike, 10)
	}
	return show("limits", page), err
}

func (d *Dashboard) limitsPage(rx *store.Rx, r *http.Request, p store.Project, value func(string, quota.Class, quota.Window) string) (limitsPage, error) {
	page := limitsPage{settingsFrame: d.settingsFrame(r, p, "limits")}
	uses, err := deed.LimitUses(rx, p.ID, d.cfg.Now())
	if err != nil {
		return page, err
	}
	page.Form = newQuotaForm(uses, value)
	page.Counted, page.Stored, err = rx.KeptOf(p.ID)
	return page, err
}

// saveLimits is POST /projects/{id}/settings/limits.
func (d *Dashboard) saveLimits(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	set := store.Quotas{Spike: store.UsualSpike}
	set.Limits, err = parseLimits(r.PostFormValue)
	if typed := r.PostFormValue("spike"); err == nil && typed != "" {
		set.Spike, err = parseLimit(typed)
	}
	if err == nil {
		err = deed.SetLimits(tx, d.by(r), p, set)
	}
	if words := formWords(err); words != "" {
		page, err := d.limitsPage(&tx.Rx, r, p, func(name string, _ quota.Class, _ quota.Window) string { return r.PostFormValue(name) })
		page.Spike, page.Error = r.PostFormValue("spike"), words
		return returned("limits", page), err
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "limits"), "saved")), nil
}

// allLimitsPage is what all projects together may report.
type allLimitsPage struct {
	shell
	Form     quotaForm
	Projects []projectLimits // that have limits of their own
	Notice   string
	Error    string
}

// projectLimits is a project with how far its fullest limit is used up.
type projectLimits struct {
	Name, URL string
	Use       quotaUse
}

func (d *Dashboard) showAllLimits(rx *store.Rx, r *http.Request) (reply, error) {
	set, err := rx.Quotas(quota.Installation)
	if err != nil {
		return reply{}, err
	}
	page, err := d.allLimitsPage(rx, r, func(_ string, class quota.Class, window quota.Window) string {
		return limitText(set.Limits[class][window])
	})
	page.Notice = settledWords(r.URL.Query().Get("done"))
	return show("alllimits", page), err
}

func (d *Dashboard) allLimitsPage(rx *store.Rx, r *http.Request, value func(string, quota.Class, quota.Window) string) (allLimitsPage, error) {
	page := allLimitsPage{shell: shell{Title: "Limits"}}
	uses, err := deed.LimitUses(rx, quota.Installation, d.cfg.Now())
	if err != nil {
		return page, err
	}
	page.Form = newQuotaForm(uses, value)
	projects, err := rx.Projects()
	if err != nil {
		return page, err
	}
	for _, p := range projects {
		view, err := d.newQuotaView(rx, who(r), p.ID)
		if err != nil {
			return page, err
		}
		if view != nil && view.Fullest != (quotaUse{}) {
			page.Projects = append(page.Projects, projectLimits{Name: p.Name, URL: d.links.settingsPart(p.ID, "limits"), Use: view.Fullest})
		}
	}
	return page, nil
}

// saveAllLimits is POST /limits.
func (d *Dashboard) saveAllLimits(tx *store.Tx, r *http.Request) (reply, error) {
	limits, err := parseLimits(r.PostFormValue)
	if err == nil {
		err = deed.SetAllLimits(tx, d.by(r), limits)
	}
	if words := formWords(err); words != "" {
		page, err := d.allLimitsPage(&tx.Rx, r, func(name string, _ quota.Class, _ quota.Window) string { return r.PostFormValue(name) })
		page.Error = words
		return returned("alllimits", page), err
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.limits(), "saved")), nil
}
