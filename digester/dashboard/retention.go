package dashboard

import (
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/retention"
	"sundew/digester/store"
)

// retentionPage says how long a project's events are kept.
type retentionPage struct {
	settingsFrame
	Stored    int64 // events
	Over      int64 // that are being removed
	Days      retentionChoice
	Events    retentionChoice
	MinEvents int64
	MaxEvents int64
	MaxDays   int64
}

// retentionChoice is one of the limits: as the installation has it, a number of the
// project's own, or none.
type retentionChoice struct {
	How     string // "", "own" or "none"
	Own     string // as typed
	Default string // what the installation has, in words
}

func (d *Dashboard) showRetention(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.retentionPage(rx, r)
	return show("retention", page), err
}

func (d *Dashboard) retentionPage(rx *store.Rx, r *http.Request) (retentionPage, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return retentionPage{}, err
	}
	kept, err := rx.Retention(p.ID)
	if err != nil {
		return retentionPage{}, err
	}
	base, policy := d.cfg.Retention, kept.Setting.Or(d.cfg.Retention)
	page := retentionPage{
		settingsFrame: d.settingsFrame(r, p, "retention"), Stored: kept.Stored, MinEvents: retention.MinEvents, MaxEvents: retention.MaxEvents, MaxDays: retention.MaxDays,
		Days:   newRetentionChoice(kept.Setting.Days, base.Days, deed.DaysWords(base.Days)),
		Events: newRetentionChoice(kept.Setting.Events, base.Events, deed.EventsWords(base.Events)),
	}
	if policy.Events > 0 {
		page.Over = max(kept.Stored-policy.Events, 0)
	}
	return page, nil
}

func newRetentionChoice(set *int64, base int64, words string) retentionChoice {
	c := retentionChoice{Default: words}
	if base > 0 { // to begin with
		c.Own = strconv.FormatInt(base, 10)
	}
	switch {
	case set == nil:
	case *set == 0:
		c.How = "none"
	default:
		c.How, c.Own = "own", strconv.FormatInt(*set, 10)
	}
	return c
}

// saveRetention is POST /projects/{id}/settings/retention.
func (d *Dashboard) saveRetention(tx *store.Tx, r *http.Request) (reply, error) {
	page, err := d.retentionPage(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	var set retention.Setting
	if set.Days, err = parseRetention(r, "days", &page.Days); err == nil {
		set.Events, err = parseRetention(r, "events", &page.Events)
	}
	if err != nil {
		return reply{}, err
	}
	err = deed.SetRetention(tx, d.by(r), page.Project, set, d.cfg.Retention)
	if page.Error = formWords(err); page.Error != "" {
		return returned("retention", page), nil
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(page.Project.ID, "retention"), "saved")), nil
}

// parseRetention reads one of the limits, nil if it is the installation's, and one that
// is refused if what was typed is not a number from 1 on. What was typed goes into c.
func parseRetention(r *http.Request, name string, c *retentionChoice) (*int64, error) {
	c.How = r.PostFormValue(name)
	switch c.How {
	case "":
		return nil, nil
	case "none":
		return new(int64(0)), nil
	case "own":
		c.Own = strings.TrimSpace(r.PostFormValue(name + "-own"))
		n, err := strconv.ParseInt(c.Own, 10, 64)
		if err != nil || n < 1 {
			n = -1
		}
		return &n, nil
	}
	return nil, errForm
}
