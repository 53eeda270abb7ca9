package dashboard

import (
	"net/http"

	"sundew/digester/deed"
	"sundew/digester/grouping"
	"sundew/digester/store"
)

// rulesPage is the grouping of a project: its version and the rules of its people.
type rulesPage struct {
	settingsFrame
	Version  int
	Text     string
	Problems []grouping.RuleError
	Rules    int
	Tried    *triedRules // nil: nothing was tried
}

// triedRules says what rules would make of events that are there.
type triedRules struct {
	Events  int64 // looked at
	Matched []triedEvent
}

// triedEvent is one event that a rule matches.
type triedEvent struct {
	deed.TriedEvent
	URL string // of the event
}

func (d *Dashboard) showRules(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	rules, err := rx.ProjectRules(p.ID)
	return show("grouping", d.rulesPage(r, p, rules.Fingerprint)), err
}

func (d *Dashboard) rulesPage(r *http.Request, p store.Project, text string) rulesPage {
	page := rulesPage{settingsFrame: d.settingsFrame(r, p, "grouping"), Version: grouping.Version, Text: text}
	var rules grouping.Rules
	rules, page.Problems = grouping.ParseRules(text)
	page.Rules = rules.Len()
	return page
}

// saveRules is POST /projects/{id}/settings/grouping.
func (d *Dashboard) saveRules(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	page := d.rulesPage(r, p, formText(r, "rules"))
	if len(page.Problems) > 0 {
		page.Error = "Nothing was saved."
		return returned("grouping", page), nil
	}
	err = deed.SetRules(tx, d.by(r), p, page.Text)
	if page.Error = formWords(err); page.Error != "" {
		return returned("grouping", page), nil
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "grouping"), "saved")), nil
}

// tryRules is POST /projects/{id}/settings/grouping/try: what the rules would make of
// the newest event of each issue that was seen lately. It saves nothing.
func (d *Dashboard) tryRules(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page := d.rulesPage(r, p, formText(r, "rules"))
	rules, _ := grouping.ParseRules(page.Text)
	tried, err := deed.TryRules(rx, p, rules, d.cfg.Now())
	page.Tried = &triedRules{Events: tried.Events}
	for _, e := range tried.Matched {
		page.Tried.Matched = append(page.Tried.Matched, triedEvent{e, d.links.event(e.Issue.ID, e.Number)})
	}
	return show("grouping", page), err
}
