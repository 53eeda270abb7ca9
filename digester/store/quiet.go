package store

import (
	"time"

	"sundew/schema/event"
)

// QuietIssue is an open issue that has not been seen for a while, as a read found
// it.
type QuietIssue struct {
	ID     int64
	Events int64 // ever digested
}

// QuietIssues returns the open issues of a project that were last seen before a
// time.
func (rx *Rx) QuietIssues(project event.ProjectID, before time.Time) ([]QuietIssue, error) {
	// The index has the step; whether an issue of the last step is quiet its row says.
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, event_count FROM issues INDEXED BY issues_by_seen
		WHERE project_id = ? AND state = 0 AND seen_step <= ? AND last_seen < ?`,
		int64(project), ms(before)/seenStepMS, ms(before))
	return collect(rows, err, func(q *QuietIssue) []any { return []any{&q.ID, &q.Events} })
}

// ResolveQuiet resolves those issues that are as they were read: open, not seen
// since before, and without an event that came meanwhile, however late. It returns
// how many; the others stay as they are. Callers hand over as many at a time as make
// a short transaction.
func (tx *Tx) ResolveQuiet(issues []QuietIssue, before time.Time) (int, error) {
	resolved := 0
	for _, issue := range issues {
		n, err := tx.exec(`
			UPDATE issues SET state = 1, resolved_at = ?
			WHERE id = ? AND state = 0 AND last_seen < ? AND event_count = ?`,
			ms(tx.now), issue.ID, ms(before), issue.Events)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			continue
		}
		if err := tx.addHistory(issue.ID, "resolved"); err != nil {
			return 0, err
		}
		resolved++
	}
	return resolved, nil
}
