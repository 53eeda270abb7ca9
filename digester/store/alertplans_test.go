package store

import (
	"testing"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
)

// The same for what is read to tell people.
func TestAlertQueryPlans(t *testing.T) {
	var since time.Time
	queries := []planned{
		{"rules", func(rx *Rx) error { _, err := rx.AlertRules(1); return err }, "alert_rules_by_project (project_id=?)", nil},
		{"channels of a rule", func(rx *Rx) error { _, err := rx.AlertRules(1); return err }, "PRIMARY KEY (rule_id=?)", nil},
		{"rules that count", func(rx *Rx) error { _, err := rx.CountingRules(); return err }, "alert_rules_counting", []string{"alert_rules"}},
		{"what is due", func(rx *Rx) error { _, err := rx.AlertsDue(since); return err }, "alert_paces_due (summary_at<?)", []string{"alerts"}},
		{"what is pending", func(rx *Rx) error { _, err := rx.PendingAlerts(10); return err }, "alerts USING INDEX alerts_pending", []string{"alerts"}},
		{"last alerts", func(rx *Rx) error { _, err := rx.LastAlerts(1, notify.KindNew); return err }, "alerts_by_issue (issue_id=? AND kind=?)", nil},
		{"last counted", func(rx *Rx) error { _, err := rx.LastCounted(1, notify.KindVolume, 1); return err }, "alerts_by_issue (issue_id=? AND kind=?)", nil},
		{"the log", func(rx *Rx) error { _, err := rx.AlertLog(1, 10); return err }, "alerts_by_project (project_id=?)", nil},
		{"where it was sent", func(rx *Rx) error { _, err := rx.loggedSends(1, 1); return err }, "alerts_by_project (project_id=? AND rowid>?)", nil},
		{"paces", func(rx *Rx) error { _, err := rx.AlertPace(1); return err }, "INTEGER PRIMARY KEY", nil},
		{"summaries that are due", func(rx *Rx) error { _, err := rx.DueSummaries(since); return err }, "alert_paces_due (summary_at<?)", nil},
		{"collected issues", func(rx *Rx) error { _, err := rx.CollectedIssues(AlertPace{}, 5); return err }, "alert_sends_by_channel (channel_id=? AND alert_id>?)", nil},
		{"issues of new events", func(rx *Rx) error { _, err := rx.seenIssues(1, 2); return err }, "events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", []string{"e"}},
		{"events since", func(rx *Rx) error { _, err := rx.EventsIn(1, Stretch{}); return err }, "events_by_issue (issue_id=? AND number<?)", nil},
		{"a closer look", func(rx *Rx) error { _, err := rx.Examine(1, Stretch{}, alert.Filter{}, 10); return err }, "events_by_issue (issue_id=? AND number>?)", []string{"h", "json_each", "examined"}},
		{"events that fit", func(rx *Rx) error { _, err := rx.Fitting(1, Stretch{}, alert.Filter{}, 10, 5); return err }, "events_by_issue (issue_id=? AND number>?)", []string{"h", "json_each", "examined"}},
	}
	checkPlans(t, queries, func(tx *Tx) error {
		e := &explainer{querier: tx.q, t: t}
		if _, err := (&Tx{Rx: Rx{ctx: tx.ctx, q: e}, w: tx.w}).Summed(AlertPace{}); err != nil {
			return err
		}
		checkPlan(t, "the last that was collected", e.plans, "alert_sends_by_channel (channel_id=?)", nil)
		e = &explainer{querier: tx.q, t: t}
		e.explain(tx.ctx, alertOfEvent, []any{1, 1, "new", 1, 1, 1, "", "", ""})
		checkPlan(t, "the digest's own", e.plans, "alert_rules_by_project (project_id=?)", nil)
		return nil
	})
}
