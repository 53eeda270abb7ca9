package deed

import (
	"errors"
	"strconv"
	"strings"
	"time"

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

// CheckRules returns an *Unfit that says of each line of fingerprint rules that cannot
// be understood why.
func CheckRules(problems []grouping.RuleError) error {
	if len(problems) == 0 {
		return nil
	}
	lines := []string{"Nothing was saved."}
	for _, p := range problems {
		lines = append(lines, "Line "+strconv.Itoa(p.Line)+": "+p.Why+".")
	}
	return Cannot(strings.Join(lines, " "))
}

// SetRules says which of a project's events belong together.
func SetRules(tx *store.Tx, by By, p store.Project, text string) error {
	text = Text(text)
	rules, problems := grouping.ParseRules(text)
	if err := CheckRules(problems); err != nil {
		return err
	}
	if err := tx.SetFingerprintRules(p.ID, text); err != nil {
		return refusal(err)
	}
	return by.setting(tx, p, "project.grouping", strconv.Itoa(rules.Len())+" rules")
}

// TriedRules says what rules would make of events that are there.
type TriedRules struct {
	Events  int64 // looked at
	Matched []TriedEvent
}

// TriedEvent is one event that a rule matches.
type TriedEvent struct {
	Issue  store.Issue
	Number int64  // of the event within the issue
	Line   int    // of the rule
	Parts  string // what the event would be grouped by
	Moves  bool   // that is not what it is grouped by now
}

// TryRules returns what rules would make of the newest event of each issue of a project
// that was seen lately. Nothing is kept.
func TryRules(rx *store.Rx, p store.Project, rules grouping.Rules, now time.Time) (TriedRules, error) {
	var tried TriedRules
	found, err := rx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Limit: sampleIssues, Now: now})
	if err != nil {
		return tried, err
	}
	read := 0
	for _, issue := range found.Issues {
		ev, err := rx.NewestEventOf(issue.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return tried, err
		}
		body, err := rx.EventBody(ev.ID)
		if err != nil {
			return tried, err
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
			tried.Matched = append(tried.Matched, TriedEvent{
				Issue: issue, Number: ev.Number, Line: match.Line, Parts: partsText(after),
				Moves: after.Key != grouping.GroupBy(payload, DecidingRule(body.Meta)).Key,
			})
		}
	}
	return tried, nil
}

// DecidingRule returns the fingerprint rule by which an event was grouped, as it was
// then, so that what is said of it is what happened and not what would happen today.
func DecidingRule(meta store.EventMeta) grouping.Rules {
	rules, _ := grouping.ParseRules(meta.Rule) // it was parsed before it decided
	return rules
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
