package store

import (
	"testing"
	"time"
)

// What is read behind uploads, and what moves events, reads no more than it is about.
func TestSymbolQueryPlans(t *testing.T) {
	moving := []movingEvent{{row: movedRow{id: 1}}}
	queries := []planned{
		{"issues with scripts", func(rx *Rx) error { _, err := rx.MappedIssues(1, time.Time{}, 0, 10); return err }, "issues_by_seen (project_id=? AND state=? AND seen_step>?)", nil},
		{"the newest events of an issue", func(rx *Rx) error { _, err := rx.NewestOf(1, 10); return err }, "events_by_issue (issue_id=? AND number>?)", nil},
		{"events to be looked at again", func(rx *Rx) error { _, err := rx.SymbolsDue(10); return err }, "event_symbols_due", []string{"s"}},
		{"events by their ids", func(rx *Rx) error { _, err := rx.EventsOf([]int64{1}); return err }, "SEARCH e USING INTEGER PRIMARY KEY", []string{"json_each"}},
		{"where keys lead", func(rx *Rx) error {
			_, err := rx.headsOfKeys(1, []Regrouped{{Mapped: true}})
			return err
		}, "SEARCH g USING PRIMARY KEY (project_id=? AND key_hash=?)", []string{"j"}},
		{"events that belong elsewhere", func(rx *Rx) error {
			_, _, err := rx.strays(strand{id: 1, head: 1}, []Regrouped{{Event: 1, Mapped: true}}, nil)
			return err
		}, "SEARCH e USING INTEGER PRIMARY KEY", []string{"j"}},
		{"who left", func(rx *Rx) error { _, err := rx.leftBy(1, []string{"id:1"}); return err }, "events_by_issue (issue_id=?)", []string{"json_each", "(subquery-1)", "still"}},
		{"an event that moved", func(rx *Rx) error { _, err := rx.MovedEvent(1, 1); return notFoundIsFine(err) }, "PRIMARY KEY (issue_id=? AND number=?)", nil},
		{"an issue to move behind", func(rx *Rx) error { _, err := rx.behind(1, 2, moving); return err }, "issues_by_head (merged_into=?)", nil},
	}
	checkPlans(t, queries, func(tx *Tx) error {
		for name, statement := range map[string]string{
			"arriving":   moveRows,
			"its hours":  arriveHours,
			"hours left": leaveHours,
		} {
			e := &explainer{querier: tx.q, t: t}
			e.explain(tx.ctx, statement, []any{"[1]", 2, 3}[:placesOf(statement)])
			checkPlan(t, name, e.plans, "USING INTEGER PRIMARY KEY", []string{"j", "json_each", "m"})
		}
		return nil
	})
}

func placesOf(statement string) int {
	if statement == moveRows {
		return 3
	}
	return 2
}
