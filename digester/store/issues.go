package store

import (
	"database/sql"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"sundew/schema/event"
)

// maxIssuePage bounds a page of issues.
const maxIssuePage = 100

// seenStepMS is the width of issues.seen_step.
const seenStepMS = 60_000

// countStep is issues.count_step of a count: equal to it up to 7, then four steps
// for each doubling. It never decreases as n grows.
func countStep(n int64) int64 {
	if n < 8 {
		return n
	}
	e := bits.Len64(uint64(n)) - 3
	return int64(e)<<2 + n>>e
}

// insertIssue makes the event's issue, with the event in it and in its project.
func (p *plan) insertIssue() error {
	in, at := p.in, ms(p.in.OccurredAt)
	number := p.cache.projects[in.Project].issues + 1
	p.newIssue = true
	p.ids.issue++
	p.issue = issueState{id: p.ids.issue, events: 1, firstSeen: at, lastSeen: at, seenStep: at / seenStepMS, countStep: countStep(1)}
	if err := p.to.assert(`
		UPDATE projects SET event_count = event_count + 1, last_event_at = ?, issue_count = CASE WHEN issue_count = ? THEN ? END
		WHERE id = ?`, p.now, number-1, number, int64(in.Project)); err != nil {
		return err
	}
	if err := p.to.assert(`
		INSERT INTO issues (id, project_id, number, level, title, culprit, platform, event_count, first_seen, last_seen, seen_step, count_step)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)`,
		p.issue.id, int64(in.Project), number, int64(in.Level), in.Title, in.Culprit, in.Platform, at, at, p.issue.seenStep, p.issue.countStep); err != nil {
		return err
	}
	return p.to.assert(`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(in.Project), in.Group[:], int64(in.GroupRules), p.issue.id, p.now)
}

// updateIssue adds one event to an issue, asserting that it is as remembered, and
// to its project, which an issue cannot be without. An event of a resolved issue
// reopens it.
func (p *plan) updateIssue(old *issueState) error {
	in, at := p.in, ms(p.in.OccurredAt)
	if err := p.to.exec(`UPDATE projects SET event_count = event_count + 1, last_event_at = ? WHERE id = ?`, p.now, int64(in.Project)); err != nil {
		return err
	}
	p.issue = *old
	s := &p.issue
	s.events++
	s.firstSeen, s.lastSeen = min(s.firstSeen, at), max(s.lastSeen, at)
	if err := p.to.assert(`
		UPDATE issues SET event_count = CASE WHEN event_count = ? AND state = ? THEN ? END,
		  first_seen = ?, last_seen = ?, level = ?, title = ?, culprit = ?
		WHERE id = ?`,
		old.events, int64(old.state), s.events, s.firstSeen, s.lastSeen, int64(in.Level), in.Title, in.Culprit, s.id); err != nil {
		return err
	}
	if s.state == StateResolved {
		s.state, p.reopened = StateOpen, true
	}
	s.seenStep, s.countStep = s.lastSeen/seenStepMS, countStep(s.events)
	return p.moveInLists(old)
}

// moveInLists changes the columns that indexes order lists by, each on its own:
// SQLite rewrites every index that has a column of the SET list, changed or not.
// Usually there is nothing to do.
func (p *plan) moveInLists(old *issueState) error {
	s := &p.issue
	if s.seenStep != old.seenStep {
		if err := p.to.exec(`UPDATE issues SET seen_step = ? WHERE id = ?`, s.seenStep, s.id); err != nil {
			return err
		}
	}
	if s.countStep != old.countStep {
		if err := p.to.exec(`UPDATE issues SET count_step = ? WHERE id = ?`, s.countStep, s.id); err != nil {
			return err
		}
	}
	if s.state != old.state {
		return p.to.exec(`UPDATE issues SET state = ?, resolved_at = NULL WHERE id = ?`, int64(s.state), s.id)
	}
	return nil
}

// Issues returns a page of issues and whether there are more behind it.
func (rx *Rx) Issues(q IssueQuery) ([]Issue, bool, error) {
	states := q.States
	if len(states) == 0 {
		states = []IssueState{StateOpen, StateResolved}
	}
	limit := min(max(q.Limit, 1), maxIssuePage)
	// Each state is a range of the index, already in order; several are merged.
	// The exact value orders within a step of the index.
	// Without the index's name the planner, which knows nothing of the sizes,
	// may take the other one and sort the whole project.
	index, step, exact := "issues_by_seen", "seen_step", "last_seen"
	if q.Sort == SortEvents {
		index, step, exact = "issues_by_count", "count_step", "event_count"
	}
	var parts []string
	var args []any
	for _, s := range states {
		parts = append(parts, fmt.Sprintf(`SELECT * FROM (SELECT id, %[1]s, %[2]s FROM issues INDEXED BY %[3]s
			WHERE project_id = ? AND state = ? ORDER BY %[1]s DESC, %[2]s DESC, id DESC LIMIT ?)`, step, exact, index))
		args = append(args, int64(q.Project), int64(s), q.Offset+limit+1)
	}
	args = append(args, limit+1, q.Offset)
	issues, err := rx.issues(fmt.Sprintf(`WHERE i.id IN (SELECT id FROM (%s ORDER BY 2 DESC, 3 DESC, 1 DESC LIMIT ? OFFSET ?))
		ORDER BY i.%s DESC, i.%s DESC, i.id DESC`, strings.Join(parts, " UNION ALL "), step, exact), args...)
	if err != nil {
		return nil, false, err
	}
	if len(issues) > limit {
		return issues[:limit], true, nil
	}
	return issues, false, nil
}

// Issue returns one issue, ErrNotFound if there is none.
func (rx *Rx) Issue(id int64) (Issue, error) {
	return one(rx.issues("WHERE i.id = ?", id))
}

// IssueProject returns the project of an issue, ErrNotFound if there is none.
func (rx *Rx) IssueProject(id int64) (event.ProjectID, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id FROM issues WHERE id = ?`, id)
	return one(collect(rows, err, func(p *event.ProjectID) []any { return []any{p} }))
}

func (rx *Rx) issues(where string, args ...any) ([]Issue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.id, i.project_id, p.slug, i.number, i.state, i.level, i.title, i.culprit, i.platform,
		       i.event_count, i.first_seen, i.last_seen, i.resolved_at
		FROM issues i JOIN projects p ON p.id = i.project_id `+where, args...)
	var first, last, resolved sql.NullInt64
	return collectThen(rows, err, func(i *Issue) []any {
		return []any{&i.ID, &i.ProjectID, &i.Project, &i.Number, &i.State, &i.Level, &i.Title, &i.Culprit, &i.Platform,
			&i.Events, &first, &last, &resolved}
	}, func(i *Issue) {
		i.FirstSeen, i.LastSeen, i.ResolvedAt = fromMS(first), fromMS(last), fromMS(resolved)
	})
}

// IssueCounts returns how many issues of a project are open and resolved.
func (rx *Rx) IssueCounts(project event.ProjectID) (open, resolved int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT (SELECT count(*) FROM issues WHERE project_id = ?1 AND state = 0),
		       (SELECT count(*) FROM issues WHERE project_id = ?1 AND state = 1)`, int64(project)).Scan(&open, &resolved)
	return open, resolved, err
}

// IssueHours returns the events of each issue in each hour from since on,
// ascending; hours without events are left out.
func (rx *Rx) IssueHours(issues []int64, since time.Time) (map[int64][]HourCount, error) {
	if len(issues) == 0 {
		return nil, nil
	}
	args := make([]any, 0, len(issues)+1)
	for _, id := range issues {
		args = append(args, id)
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT issue_id, hour, count FROM issue_hours
		WHERE issue_id IN (?`+strings.Repeat(", ?", len(issues)-1)+`) AND hour >= ? ORDER BY issue_id, hour`, append(args, hourOf(since))...)
	return collectHours[int64](rows, err)
}

// SetIssueState resolves or reopens an issue and says so in its history; changed
// is false if it was in that state already. ErrNotFound: there is no such issue.
func (tx *Tx) SetIssueState(issue int64, state IssueState) (changed bool, err error) {
	if _, err := tx.Issue(issue); err != nil {
		return false, err
	}
	var resolvedAt any
	kind := "reopened"
	if state == StateResolved {
		resolvedAt, kind = ms(tx.now), "resolved"
	}
	n, err := tx.exec(`UPDATE issues SET state = ?, resolved_at = ? WHERE id = ? AND state <> ?`, int64(state), resolvedAt, issue, int64(state))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.addHistory(issue, kind)
}
