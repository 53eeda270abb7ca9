package store

import (
	"database/sql"
	"fmt"
	"time"

	"sundew/digester/triage"
)

// Merge makes issues members of another one, their head, and returns the new
// members. Their own members, if they have any, become the head's too. What people
// decided about the head holds for all of it, unless one of them is open: then the
// head is opened too, as nobody has decided about that one, and it would leave the
// lists unseen. An error that wraps ErrInvalid if they belong to several projects,
// ErrNotFound if nothing is left to merge (see choose). Unmerge takes it back, but
// for the head's state.
func (tx *Tx) Merge(head int64, members []int64, by int64) ([]int64, error) {
	merged, open, err := tx.merge(head, members, by)
	if err != nil || !open {
		return merged, err
	}
	_, err = tx.Reopen([]int64{head}, by)
	return merged, err
}

// merge is Merge that leaves the head's state; open reports whether one of the new
// members was open.
func (tx *Tx) merge(head int64, members []int64, by int64) (merged []int64, open bool, err error) {
	chosen, err := tx.choose([]int64{head})
	if err != nil {
		return nil, false, err
	}
	to := chosen[0]
	merged, err = tx.each(members, func(a acted) (bool, error) {
		if a.id == to.id {
			return false, nil
		}
		if a.project != to.project {
			return false, fmt.Errorf("%w: issues of several projects cannot be merged", ErrInvalid)
		}
		open = open || a.state == StateOpen
		return true, tx.mergeOne(to.id, a.id, by)
	})
	if err != nil {
		return nil, false, err
	}
	if len(merged) == 0 {
		return nil, false, ErrNotFound
	}
	if err := tx.recount(to.id); err != nil {
		return nil, false, err
	}
	_, err = tx.addHistory(to.id, HistoryMerged, by, Detail{Members: merged})
	return merged, open, err
}

func (tx *Tx) mergeOne(head, member, by int64) error {
	moved, err := tx.exec(`UPDATE issues SET merged_into = ?, revision = revision + 1 WHERE merged_into = ?`, head, member)
	if err != nil {
		return err
	}
	if moved > 0 {
		if err := tx.recount(member); err != nil {
			return err
		}
	}
	_, err = tx.changed(member, HistoryMerged, by, Detail{Head: head}, `
		UPDATE issues SET aside_state = state, aside_at = ?, state = 3, merged_into = ?, revision = revision + 1
		WHERE id = ?`, ms(tx.now), head, member)
	return err
}

// Unmerge makes members of an issue issues of their own again and returns them. Each
// has the state that it had before, but is open if there were events of it
// meanwhile. ErrNotFound if none of them is a member of it.
func (tx *Tx) Unmerge(head int64, members []int64, by int64) ([]int64, error) {
	if len(members) == 0 {
		return nil, ErrNotFound
	}
	if len(members) > MaxActed {
		return nil, fmt.Errorf("%w: %d issues at a time are at most %d", ErrInvalid, len(members), MaxActed)
	}
	type member struct {
		id    int64
		state IssueState
		since bool // there were events since it was merged
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT i.id, i.aside_state, coalesce((SELECT digested_at FROM events WHERE issue_id = i.id ORDER BY number DESC LIMIT 1), 0) > i.aside_at
		FROM issues i JOIN issues h ON h.id = i.merged_into
		WHERE i.merged_into = ? AND h.state < 3 AND i.id IN `+list(len(members))+` ORDER BY i.id`, append([]any{head}, anys(members)...)...)
	found, err := collect(rows, err, func(m *member) []any { return []any{&m.id, &m.state, &m.since} })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	var ids []int64
	for _, m := range found {
		set := `state = aside_state`
		if m.since {
			set = undecided
		}
		if _, err := tx.changed(m.id, HistoryUnmerged, by, Detail{Head: head}, `
			UPDATE issues SET `+set+`, aside_state = NULL, aside_at = NULL, merged_into = NULL, revision = revision + 1
			WHERE id = ?`, m.id); err != nil {
			return nil, err
		}
		ids = append(ids, m.id)
	}
	if err := tx.recount(head); err != nil {
		return nil, err
	}
	_, err = tx.addHistory(head, HistoryUnmerged, by, Detail{Members: ids})
	return ids, err
}

// Members returns the members of an issue, in the order in which they were made.
func (rx *Rx) Members(issue int64) ([]Issue, error) {
	return rx.issues(`WHERE i.merged_into = ? ORDER BY i.id`, issue)
}

// recount makes an issue's numbers of its members what these say, after one came or
// went: an issue that is to be quiet for so many more events has as many left as
// before.
func (tx *Tx) recount(issue int64) error {
	var before, own, lastSeen, merged int64
	var first, last sql.NullInt64
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT i.total_events, i.event_count, i.last_seen, coalesce(sum(m.event_count), 0), min(m.first_seen), max(m.last_seen)
		FROM issues i LEFT JOIN issues m ON m.merged_into = i.id WHERE i.id = ? GROUP BY i.id`, issue).
		Scan(&before, &own, &lastSeen, &merged, &first, &last)
	if err != nil {
		return err
	}
	if _, err := tx.exec(`
		UPDATE issues SET merged_events = ?, merged_first_seen = ?, merged_last_seen = ?, seen_step = ?, count_step = ?,
		  mute_events = mute_events + CASE mute_kind WHEN ? THEN ? ELSE 0 END, revision = revision + 1
		WHERE id = ?`,
		merged, nullTime(fromMS(first)), nullTime(fromMS(last)), max(lastSeen, last.Int64)/seenStepMS, countStep(own+merged),
		int64(triage.MuteMore), own+merged-before, issue); err != nil {
		return err
	}
	return tx.gatherUsers(issue)
}

// nullTime is how a time is stored that may be none; the inverse of fromMS.
func nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return ms(t)
}
