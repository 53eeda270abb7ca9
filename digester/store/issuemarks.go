package store

import (
	"database/sql"
	"slices"
	"time"
)

// IssueMarks is what has become of an issue and its members, for lists.
type IssueMarks struct {
	CameBack time.Time // when an event last brought it back after it was resolved; zero: never
	Unmuted  time.Time // when a silence last ended by itself; zero: never
	Comments int64
}

// IssueMarks returns the marks of issues; those without any are left out.
func (rx *Rx) IssueMarks(issues []int64) (map[int64]IssueMarks, error) {
	if len(issues) == 0 {
		return nil, nil
	}
	ids := anys(issues)
	rows, err := rx.q.QueryContext(rx.ctx, `
		`+withStrandsOf(len(ids))+`
		SELECT s.head, max(CASE h.kind WHEN 'regressed' THEN h.at END), max(CASE h.kind WHEN 'unmuted' THEN h.at END), sum(h.kind = 'comment')
		FROM strands s CROSS JOIN history h ON h.issue_id = s.id AND h.kind IN ('regressed', 'unmuted', 'comment')
		GROUP BY s.head`, slices.Concat(ids, ids)...)
	type row struct {
		head int64
		IssueMarks
	}
	var back, unmuted sql.NullInt64
	all, err := collectThen(rows, err, func(r *row) []any { return []any{&r.head, &back, &unmuted, &r.Comments} },
		func(r *row) { r.CameBack, r.Unmuted = fromMS(back), fromMS(unmuted) })
	marks := make(map[int64]IssueMarks, len(all))
	for _, r := range all {
		marks[r.head] = r.IssueMarks
	}
	return marks, err
}

// AssigneeNames returns what users and teams are called: a name, or the mail address
// of who has none; a team by its slug, as in #backend. Those that are gone are left
// out.
func (rx *Rx) AssigneeNames(of []Assignee) (map[Assignee]string, error) {
	if len(of) == 0 {
		return nil, nil
	}
	var users, teams []any
	for _, a := range of {
		users, teams = append(users, a.User), append(teams, a.Team)
	}
	places := list(len(of))
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, 0, coalesce(nullif(name, ''), email) FROM users WHERE id IN `+places+`
		UNION ALL SELECT 0, id, '#' || slug FROM teams WHERE id IN `+places, append(users, teams...)...)
	type row struct {
		Assignee
		name string
	}
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.User, &r.Team, &r.name} })
	names := make(map[Assignee]string, len(all))
	for _, r := range all {
		names[r.Assignee] = r.name
	}
	return names, err
}
