package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

const (
	// sampleIssues is how many issues rules are tried on, by their newest events.
	sampleIssues = 100

	// maxSampled bounds the bytes of events that one try reads.
	maxSampled = 16 << 20
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
	Issue store.Issue
	URL   string // of the event
	Line  int    // of the rule
	Parts string // what the event would be grouped by
	Moves bool   // that is not what it is grouped by now
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
	err = tx.SetFingerprintRules(p.ID, page.Text)
	if page.Error = formWords(err); page.Error != "" {
		return returned("grouping", page), nil
	}
	if err != nil {
		return reply{}, err
	}
	if err := d.noteSetting(tx, r, p, "project.grouping", strconv.Itoa(page.Rules)+" rules"); err != nil {
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
	page.Tried, err = d.try(rx, p, rules)
	return show("grouping", page), err
}

func (d *Dashboard) try(rx *store.Rx, p store.Project, rules grouping.Rules) (*triedRules, error) {
	found, err := rx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Limit: sampleIssues, Now: d.cfg.Now()})
	if err != nil {
		return nil, err
	}
	tried, read := &triedRules{}, 0
	for _, issue := range found.Issues {
		ev, err := rx.NewestEventOf(issue.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		body, err := rx.EventBody(ev.ID)
		if err != nil {
			return nil, err
		}
		if read += len(body.JSON); read > maxSampled {
			break
		}
		payload, err := body.Event()
		if err != nil { // its page says why
			continue
		}
		symbolicate.Lay(body.Symbols, payload)
		tried.Events++
		if match, ok := rules.Match(payload); ok {
			after := grouping.GroupBy(payload, rules)
			tried.Matched = append(tried.Matched, triedEvent{
				Issue: issue, URL: d.links.event(issue.ID, ev.Number), Line: match.Line, Parts: partsText(after),
				Moves: after.Key != grouping.GroupBy(payload, decidingRule(body.Meta)).Key,
			})
		}
	}
	return tried, nil
}

// partsText is what an event is grouped by, in one line.
func partsText(g grouping.Result) string {
	const most = 200
	texts := make([]string, len(g.Parts))
	for i, part := range g.Parts {
		texts[i] = part.Text
	}
	text := []rune(strings.Join(texts, " · "))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
