package store

import (
	"testing"
	"time"

	"sundew/digester/erasure"
)

// What removes events looks for them by indexes that pages need anyway: an event pays
// for none when it is digested.
func TestRetentionQueryPlans(t *testing.T) {
	var since time.Time
	queries := []planned{
		{"what projects keep", func(rx *Rx) error { _, err := rx.Retentions(); return err }, "", []string{"p"}},
		{"the stock of issues", func(rx *Rx) error { _, err := rx.IssueStocks(1, 9, 10); return err }, "sqlite_autoindex_issues_1 (project_id=? AND number<?)", nil},
		{"the age of issues' oldest events", func(rx *Rx) error { _, err := rx.IssueStocks(1, 9, 10); return err }, "events_by_issue (issue_id=?)", nil},
		{"old events", func(rx *Rx) error { _, err := rx.ExpiredEvents(1, since, 10); return err }, "events_by_issue (issue_id=?)", nil},
		{"stored events", func(rx *Rx) error { _, err := rx.StoredEvents(1, 10); return err }, "COVERING INDEX events_by_issue (issue_id=?)", nil},
		{"noted events", func(rx *Rx) error { _, err := rx.NotedEvents(1, 2); return err }, "history_by_issue (issue_id=?)", nil},
		{"events of feedback", func(rx *Rx) error { _, err := rx.FeedbackEvents(1); return err }, "sqlite_autoindex_events_1 (event_id=? AND project_id=?)", []string{"f"}},
		{"weights", func(rx *Rx) error { _, err := rx.EventWeights([]int64{1}); return err }, "SEARCH b USING INTEGER PRIMARY KEY", []string{"j"}},
		{"old tags", func(rx *Rx) error { _, _, err := rx.OldTags(1, since, TagPlace{}, 10); return err }, "PRIMARY KEY (issue_id=? AND (key,value)>(?,?))", nil},
		{"old feedback and files", func(rx *Rx) error { _, err := rx.OldAside(1, since); return err }, "attachments_by_project (project_id=?)", nil},
		{"requests of a project", func(rx *Rx) error { _, err := rx.Erasures(1); return err }, "erasures_by_project (project_id=?)", nil},
		{"requests to work on", func(rx *Rx) error { _, err := rx.ErasuresToDo(); return err }, "erasures_to_do", []string{"e"}},
		{"events to search", func(rx *Rx) error { _, err := rx.EventsToSearch(1, 5, 10); return err }, "SEARCH events USING INTEGER PRIMARY KEY (rowid>?)", []string{"e"}},
		{"events found", func(rx *Rx) error { _, err := rx.EventsFound(1, 5, 10); return err }, "PRIMARY KEY (erasure_id=? AND event_id>?)", []string{"f"}},
		{"files found", func(rx *Rx) error { _, err := rx.FoundFiles(1, []int64{1}); return err }, "sqlite_autoindex_attachments_1 (event_id=? AND project_id=?)", []string{"j"}},
		{"feedback to search", func(rx *Rx) error { _, err := rx.FeedbackAfter(1, 5, 10); return err }, "feedback_by_project (project_id=? AND rowid>?)", nil},
		{"all feedback to search", func(rx *Rx) error { _, err := rx.FeedbackAfter(0, 5, 10); return err }, "SEARCH f USING INTEGER PRIMARY KEY (rowid>?)", nil},
		{"issues of a user", func(rx *Rx) error {
			_, err := rx.IssuesOfUser(1, erasure.Subject{Kind: erasure.ByID, Value: "1"})
			return err
		}, "issue_tags_by_value (key=? AND value=?)", nil},
		{"events of a user", func(rx *Rx) error { _, err := rx.HasUser(1, "id:1"); return err }, "events_by_issue (issue_id=?)", nil},
		{"old audit log", func(rx *Rx) error { _, err := rx.OldAudit(since); return err }, "", []string{"audit"}}, // the first row of it
	}
	checkPlans(t, queries, func(tx *Tx) error {
		for _, statement := range goneWithEvents() {
			e := &explainer{querier: tx.q, t: t}
			e.explain(tx.ctx, statement, []any{"[1]"})
			checkPlan(t, statement, e.plans, "", []string{"j", "json_each", "gone", "digest_state"})
		}
		return nil
	})
}
