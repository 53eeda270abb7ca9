package store

import (
	"database/sql"
	"errors"
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

// countInIssue finds or makes the event's issue and adds the event to it. The
// state it returns has the event in it; the cache gets it after the commit.
func (tx *Tx) countInIssue(cache *digestCache, in *Incoming) (*issueState, error) {
	key := groupKey{in.Project, in.Group}
	old, known := cache.issues[key]
	if !known {
		var err error
		if old, err = tx.loadIssue(in); err != nil {
			return nil, err
		}
	}
	now := &issueState{}
	if old == nil {
		if err := tx.insertIssue(in, now); err != nil {
			return nil, err
		}
	} else {
		*now = *old
		if err := tx.updateIssue(in, old, now); err != nil {
			return nil, err
		}
	}
	after := *now
	after.isNew, after.isRegress = false, false
	tx.OnCommit(func() { remember(cache.issues, key, &after) })
	return now, nil
}

// loadIssue returns the state of the issue that the event's grouping leads to,
// nil if there is none.
func (tx *Tx) loadIssue(in *Incoming) (*issueState, error) {
	var s issueState
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT i.id, i.state, i.event_count, i.first_seen, i.last_seen, i.seen_step, i.count_step
		FROM groupings g JOIN issues i ON i.id = g.issue_id
		WHERE g.project_id = ? AND g.key_hash = ?`, int64(in.Project), in.Group[:]).
		Scan(&s.id, &s.state, &s.events, &s.firstSeen, &s.lastSeen, &s.seenStep, &s.countStep)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &s, err
}

func (tx *Tx) insertIssue(in *Incoming, s *issueState) error {
	at := ms(in.OccurredAt)
	*s = issueState{events: 1, firstSeen: at, lastSeen: at, seenStep: at / seenStepMS, countStep: countStep(1), isNew: true}
	var number int64
	err := tx.q.QueryRowContext(tx.ctx, `UPDATE projects SET issue_count = issue_count + 1 WHERE id = ? RETURNING issue_count`, int64(in.Project)).Scan(&number)
	if err != nil {
		return err
	}
	s.id, err = tx.insert(`
		INSERT INTO issues (project_id, number, level, title, culprit, platform, event_count, first_seen, last_seen, seen_step, count_step)
		VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)`,
		int64(in.Project), number, int64(in.Level), in.Title, in.Culprit, in.Platform, at, at, s.seenStep, s.countStep)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(in.Project), in.Group[:], int64(in.GroupRules), s.id, ms(tx.now))
	return err
}

// updateIssue adds one event to an issue, asserting that it is as remembered. An
// event of a resolved issue reopens it.
func (tx *Tx) updateIssue(in *Incoming, old, s *issueState) error {
	at := ms(in.OccurredAt)
	s.events++
	s.firstSeen, s.lastSeen = min(s.firstSeen, at), max(s.lastSeen, at)
	changed, err := tx.exec(`
		UPDATE issues SET event_count = ?, first_seen = ?, last_seen = ?, level = ?, title = ?, culprit = ?
		WHERE id = ? AND event_count = ? AND state = ?`,
		s.events, s.firstSeen, s.lastSeen, int64(in.Level), in.Title, in.Culprit,
		s.id, old.events, int64(old.state))
	if err != nil {
		return err
	}
	if changed == 0 {
		return errStaleIssue
	}
	if s.state == StateResolved {
		s.state, s.isRegress = StateOpen, true
	}
	s.seenStep, s.countStep = s.lastSeen/seenStepMS, countStep(s.events)
	return tx.moveInLists(old, s)
}

// moveInLists changes the columns that indexes order lists by, each on its own:
// SQLite rewrites every index that has a column of the SET list, changed or not.
// Usually there is nothing to do.
func (tx *Tx) moveInLists(old, s *issueState) error {
	if s.seenStep != old.seenStep {
		if _, err := tx.exec(`UPDATE issues SET seen_step = ? WHERE id = ?`, s.seenStep, s.id); err != nil {
			return err
		}
	}
	if s.countStep != old.countStep {
		if _, err := tx.exec(`UPDATE issues SET count_step = ? WHERE id = ?`, s.countStep, s.id); err != nil {
			return err
		}
	}
	if s.state != old.state {
		if _, err := tx.exec(`UPDATE issues SET state = ?, resolved_at = NULL WHERE id = ?`, int64(s.state), s.id); err != nil {
			return err
		}
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
	return true, tx.addHistory(issue, kind, nil)
}
