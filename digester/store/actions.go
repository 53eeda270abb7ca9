package store

import (
	"fmt"
	"strings"

	"sundew/schema/event"
)

// MaxActed bounds how many issues one action is about: its transaction is to be
// short.
const MaxActed = 100

// acted is an issue that a person acts on.
type acted struct {
	id      int64
	project event.ProjectID
	state   IssueState
	total   int64
}

// choose returns the issues that a person means by ids, in the order of these: of a
// merged one its head. What is deleted or was never there is left out; ErrNotFound if
// nothing is left, and an error that wraps ErrInvalid if they are too many.
func (tx *Tx) choose(ids []int64) ([]acted, error) {
	if len(ids) > MaxActed {
		return nil, fmt.Errorf("%w: %d issues at a time are at most %d", ErrInvalid, len(ids), MaxActed)
	}
	if len(ids) == 0 {
		return nil, ErrNotFound
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT i.id, h.id, h.project_id, h.state, h.total_events FROM issues i JOIN issues h ON h.id = coalesce(i.merged_into, i.id)
		WHERE i.id IN `+list(len(ids))+` AND h.state < ?`, append(anys(ids), int64(StateMerged))...)
	type found struct {
		asked int64
		acted
	}
	all, err := collect(rows, err, func(f *found) []any { return []any{&f.asked, &f.id, &f.project, &f.state, &f.total} })
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]acted, len(all))
	for _, f := range all {
		byID[f.asked] = f.acted
	}
	var chosen []acted
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		a, there := byID[id]
		if there && !seen[a.id] {
			seen[a.id] = true
			chosen = append(chosen, a)
		}
	}
	if len(chosen) == 0 {
		return nil, ErrNotFound
	}
	return chosen, nil
}

// list is the places of n values in a statement.
func list(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

func anys(ids []int64) []any {
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
}

// changed runs an UPDATE of one issue and, if it changed something, adds an entry to
// its history.
func (tx *Tx) changed(issue int64, kind string, by int64, detail Detail, query string, args ...any) (bool, error) {
	n, err := tx.exec(query, args...)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.addHistory(issue, kind, by, detail)
	return true, err
}

// each runs an action on the chosen issues and returns the ids of those that it
// changed.
func (tx *Tx) each(issues []int64, action func(acted) (bool, error)) ([]int64, error) {
	chosen, err := tx.choose(issues)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, a := range chosen {
		done, err := action(a)
		if err != nil {
			return nil, err
		}
		if done {
			ids = append(ids, a.id)
		}
	}
	return ids, nil
}

// IssueProjects returns the projects of issues, for who has to know whether
// somebody may act on them; those that do not exist are left out.
func (rx *Rx) IssueProjects(issues []int64) (map[int64]event.ProjectID, error) {
	if len(issues) == 0 {
		return nil, nil
	}
	type row struct {
		id      int64
		project event.ProjectID
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.id, i.project_id FROM issues i JOIN projects p ON p.id = i.project_id
		WHERE p.deleted_at IS NULL AND i.id IN `+list(len(issues)), anys(issues)...)
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.id, &r.project} })
	projects := make(map[int64]event.ProjectID, len(all))
	for _, r := range all {
		projects[r.id] = r.project
	}
	return projects, err
}
