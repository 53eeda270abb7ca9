package store

import (
	"database/sql"
	"strings"
)

const (
	// similarAmong is how many issues of each state, those seen last, are looked
	// at: what was seen long ago explains little, and an index over titles would be
	// written by every event.
	similarAmong = 500

	// maxSimilar is how many are returned.
	maxSimilar = 50
)

// SimilarIssues returns issues of the same project that have an issue's culprit,
// or whose titles begin with prefix, the one seen last first. Either may be empty
// and then finds nothing. It looks at those seen last only.
func (rx *Rx) SimilarIssues(issue Issue, prefix string) ([]Issue, error) {
	var parts []string
	var args []any
	for _, state := range []IssueState{StateOpen, StateResolved, StateMuted} {
		parts = append(parts, `SELECT * FROM (SELECT id FROM issues INDEXED BY issues_by_seen
			WHERE project_id = ? AND state = ? ORDER BY seen_step DESC LIMIT ?)`)
		args = append(args, int64(issue.ProjectID), int64(state), similarAmong)
	}
	args = append(args, issue.ID, issue.Culprit, issue.Culprit, prefix, prefix, prefix, maxSimilar)
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, number, state, level, title, culprit, total_events, total_last_seen FROM issues
		WHERE id IN (`+strings.Join(parts, " UNION ALL ")+`) AND id <> ?
		  AND (culprit = ? AND ? <> '' OR substr(title, 1, length(?)) = ? AND ? <> '')
		ORDER BY seen_step DESC, id DESC LIMIT ?`, args...)
	var last sql.NullInt64
	return collectThen(rows, err, func(i *Issue) []any {
		*i = Issue{ProjectID: issue.ProjectID, Project: issue.Project}
		return []any{&i.ID, &i.Number, &i.State, &i.Level, &i.Title, &i.Culprit, &i.Events, &last}
	}, func(i *Issue) { i.LastSeen = fromMS(last) })
}
