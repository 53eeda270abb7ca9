package store

import (
	"errors"
	"testing"
	"time"

	"sundew/schema/event"
)

// The same for questions about events: by way of ids where these are few, else by way of
// issues.
func TestEventPlans(t *testing.T) {
	now := time.UnixMilli(1e12)
	scan := EventScan{Projects: []event.ProjectID{1}, Environments: []string{"x"}, From: now.Add(-time.Hour), To: now, By: EventTitle | EventUser, Step: time.Hour}
	among := scan
	among.Issues = []int64{1}
	byIssue := reach{above: 1, below: 9, byIssue: true}
	sums := func(s EventScan) func(*Rx) error {
		return func(rx *Rx) error { _, err := rx.EventRows(s); return err }
	}
	checkPlans(t, []planned{
		{"sums of events", sums(scan), "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", []string{"json_each"}},
		{"sums of some issues' events", sums(among), "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", []string{"json_each", "i", "j"}},
		{"sums of few issues' events among many", func(rx *Rx) error { _, err := rx.eventRows(among, byIssue); return err },
			"SEARCH e USING INDEX events_by_issue (issue_id=? AND number>?)", []string{"json_each", "b", "j", "h", "bounds"}},
		{"how many events issues have", func(rx *Rx) error { _, err := rx.inWindows(among, 1); return err },
			"SEARCH v USING COVERING INDEX events_by_issue (issue_id=? AND number<?)", []string{"b", "j", "h", "bounds"}},
		{"members of issues in windows", func(rx *Rx) error { _, err := rx.inWindows(among, 1); return err }, "issues_by_head (merged_into=?)", []string{"b", "j", "h", "bounds"}},
		{"events of a question", func(rx *Rx) error { _, _, err := rx.ScannedEvents(scan, 0, 10); return err }, "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)", []string{"json_each"}},
		{"issues of strands", func(rx *Rx) error { _, err := rx.HeadsOf([]int64{1}); return err }, "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)", []string{"j", "json_each"}},
		{"bodies", func(rx *Rx) error { _, err := rx.EventBodies([]int64{1}); return err }, "SEARCH b USING INTEGER PRIMARY KEY (rowid=?)", []string{"j"}},
		{"books of projects", func(rx *Rx) error { _, err := rx.OutcomeHours([]event.ProjectID{1}, now, now, 1); return err }, "SEARCH o USING PRIMARY KEY (project_id=? AND hour>? AND hour<?)", []string{"p"}},
		{"groups of an issue", func(rx *Rx) error { _, err := rx.IssueGroupings(1); return err }, "groupings_by_issue", nil},
	}, nil)
}

// TestEventBound answers by way of issues where all events are too many, and not at all
// where theirs are, too.
func TestEventBound(t *testing.T) {
	checkPlans(t, nil, func(tx *Tx) error {
		for _, statement := range []string{
			`INSERT INTO projects (id, slug, name, created_at) VALUES (1, 'a', 'A', 0)`,
			`INSERT INTO issues (id, project_id, number, level, title, culprit, platform, event_count, first_seen, last_seen, seen_step, count_step, merged_into, state)
			 VALUES (1, 1, 1, 3, 't', '', '', 2, 0, 0, 0, 0, NULL, 0), (2, 1, 2, 3, 't', '', '', 4, 0, 0, 0, 0, NULL, 0), (3, 1, 3, 3, 't', '', '', 1, 0, 0, 0, 0, 1, 3)`,
		} {
			if _, err := tx.exec(statement); err != nil {
				return err
			}
		}
		// Issue 1 has an event of the day before and one of the hour, its member another.
		for i, e := range []struct{ issue, number, hour int64 }{{1, 1, 0}, {2, 1, 30}, {2, 2, 30}, {2, 3, 30}, {1, 2, 30}, {2, 4, 30}, {3, 1, 30}} {
			at := e.hour * 3_600_000
			if _, err := tx.exec(`INSERT INTO events (id, project_id, issue_id, event_id, number, occurred_at, received_at, digested_at, level, title, release, environment, user)
				VALUES (?, 1, ?, ?, ?, ?, ?, ?, 3, 't', '', '', '')`, i+1, e.issue, []byte{byte(i)}, e.number, at, at, at); err != nil {
				return err
			}
		}
		scan := EventScan{Projects: []event.ProjectID{1}, From: fromHour(29), To: fromHour(31)}
		count := func(s EventScan) (n int64, err error) {
			rows, err := tx.EventRows(s)
			for _, row := range rows {
				n += row.Count
			}
			return n, err
		}
		for _, c := range []struct {
			most   int64
			issues []int64
			want   int64
			err    error
		}{{6, nil, 6, nil}, {5, nil, 0, ErrTooMany}, {6, []int64{1}, 2, nil}, {2, []int64{1}, 2, nil}, {1, []int64{1}, 0, ErrTooMany}, {4, []int64{2}, 4, nil}, {6, []int64{}, 0, nil}} {
			scan.most, scan.Issues = c.most, c.issues
			if n, err := count(scan); n != c.want || !errors.Is(err, c.err) {
				t.Errorf("at most %d of issues %v: %d events, error %v", c.most, c.issues, n, err)
			}
		}
		// Of a list so much is looked at, and said where it goes on.
		scan.most, scan.Issues = 3, nil
		events, next, err := tx.ScannedEvents(scan, 0, 10)
		if err != nil || len(events) != 3 || events[2].ID != 5 || next != 5 {
			t.Errorf("%d events, then %d, error %v", len(events), next, err)
		}
		if events, next, err = tx.ScannedEvents(scan, next, 10); err != nil || len(events) != 3 || events[0].ID != 4 || next != 0 {
			t.Errorf("then %d events, then %d, error %v", len(events), next, err)
		}
		return nil
	})
}
