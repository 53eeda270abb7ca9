package store

import (
	"time"

	"sundew/schema/event"
)

// DeletionUndo is for how long a deleted issue can be taken back. Only then its rows
// are removed.
const DeletionUndo = 10 * time.Minute

const (
	// removedEvents is how many events go in one transaction; each may have a
	// megabyte.
	removedEvents = 100

	// removedTags is how many values of tags do.
	removedTags = 1000
)

// DeleteIssues deletes issues, with their members, and returns them: they are in no
// list any more, and an event of their groups makes a new issue. Restore takes it
// back for DeletionUndo, then RemoveDeleted removes what is left of them.
func (tx *Tx) DeleteIssues(issues []int64, by int64) ([]int64, error) {
	return tx.each(issues, func(a acted) (bool, error) {
		if err := tx.park(a.id); err != nil {
			return false, err
		}
		return tx.changed(a.id, HistoryDeleted, by, Detail{}, `
			UPDATE issues SET aside_state = state, aside_at = ?, state = 4, revision = revision + 1 WHERE id = ?`, ms(tx.now), a.id)
	})
}

// Restore takes back that issues were deleted and returns them. Issues that were
// made meanwhile, because events came in whose groups had none, become members.
// ErrNotFound if it is too late for all of them.
func (tx *Tx) Restore(issues []int64, by int64) ([]int64, error) {
	var restored []int64
	for _, issue := range issues {
		done, err := tx.changed(issue, HistoryRestored, by, Detail{}, `
			UPDATE issues SET state = aside_state, aside_state = NULL, aside_at = NULL, revision = revision + 1
			WHERE id = ? AND state = 4 AND aside_at > ?`, issue, ms(tx.now.Add(-DeletionUndo)))
		if err != nil {
			return nil, err
		}
		if !done {
			continue
		}
		if err := tx.unpark(issue, by); err != nil {
			return nil, err
		}
		restored = append(restored, issue)
	}
	if len(restored) == 0 {
		return nil, ErrNotFound
	}
	return restored, nil
}

// park takes the groupings from an issue and its members.
func (tx *Tx) park(issue int64) error {
	if _, err := tx.exec(`
		INSERT INTO parked_groupings (issue_id, key_hash, version, created_at)
		SELECT issue_id, key_hash, version, created_at FROM groupings WHERE issue_id IN `+strandsOf1, issue); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM groupings WHERE issue_id IN `+strandsOf1, issue)
	return err
}

// unpark gives an issue and its members their groupings back. One that another
// issue has meanwhile stays with it, and it becomes a member; if it became part of
// something else, it stays what it is.
func (tx *Tx) unpark(issue, by int64) error {
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT DISTINCT i.id FROM parked_groupings p JOIN issues s ON s.id = p.issue_id
		JOIN groupings g ON g.project_id = s.project_id AND g.key_hash = p.key_hash JOIN issues i ON i.id = g.issue_id
		WHERE p.issue_id IN `+strandsOf1+` AND g.issue_id NOT IN `+strandsOf1+` AND i.state < 3 AND i.merged_first_seen IS NULL
		ORDER BY i.id LIMIT ?2`, issue, MaxActed)
	takers, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`INSERT INTO groupings (project_id, key_hash, version, issue_id, created_at)
		 SELECT s.project_id, p.key_hash, p.version, p.issue_id, p.created_at FROM parked_groupings p JOIN issues s ON s.id = p.issue_id
		 WHERE p.issue_id IN ` + strandsOf1 + ` ON CONFLICT DO NOTHING`,
		`DELETE FROM parked_groupings WHERE issue_id IN ` + strandsOf1 + ` AND EXISTS (
		   SELECT 1 FROM groupings g WHERE g.issue_id = parked_groupings.issue_id AND g.key_hash = parked_groupings.key_hash)`,
	} {
		if _, err := tx.exec(statement, issue); err != nil {
			return err
		}
	}
	if len(takers) == 0 {
		return nil
	}
	if _, _, err := tx.merge(issue, takers, by); err != nil {
		return err
	}
	// There were events meanwhile.
	_, err = tx.exec(`UPDATE issues SET `+undecided+` WHERE id = ? AND state = 1`, issue)
	return err
}

// RemoveDeleted removes a part of what is left of a deleted issue that cannot be
// taken back any more, in a short transaction. It returns false if there was nothing
// to do.
func (tx *Tx) RemoveDeleted() (bool, error) {
	type deleted struct {
		id      int64
		project event.ProjectID
		at      int64
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT id, project_id, aside_at FROM issues WHERE state = 4 AND aside_at <= ? ORDER BY aside_at LIMIT 1`, ms(tx.now.Add(-DeletionUndo)))
	all, err := collect(rows, err, func(d *deleted) []any { return []any{&d.id, &d.project, &d.at} })
	if err != nil || len(all) == 0 {
		return false, err
	}
	d := all[0]
	if d.at != 0 { // from now on there is no way back, whatever the clock does
		if _, err := tx.exec(`UPDATE issues SET aside_at = 0 WHERE id = ?`, d.id); err != nil {
			return false, err
		}
	}
	strand := d.id
	if members, err := tx.Members(d.id); err != nil {
		return false, err
	} else if len(members) > 0 {
		strand = members[0].ID
	}
	return true, tx.removeStrand(d.id, strand, d.project)
}

// removeStrand takes the next step: events, then tags, then all the rest.
func (tx *Tx) removeStrand(head, strand int64, project event.ProjectID) error {
	oldest, err := tx.oldestEvents(strand, removedEvents)
	if err != nil {
		return err
	}
	if len(oldest) > 0 {
		_, err := tx.RemoveEvents(oldest)
		return err
	}
	n, err := tx.exec(`DELETE FROM issue_tags WHERE issue_id = ?1 AND (key, value) IN (SELECT key, value FROM issue_tags WHERE issue_id = ?1 LIMIT ?2)`, strand, removedTags)
	if err != nil || n == removedTags {
		return err
	}
	for _, statement := range goneWithIssue() {
		if _, err := tx.exec(statement, strand); err != nil {
			return err
		}
	}
	if _, err := tx.exec(`UPDATE projects SET evicted_issues = evicted_issues + 1 WHERE id = ?`, int64(project)); err != nil {
		return err
	}
	if head == strand {
		return nil
	}
	return tx.recount(head)
}

// goneWithIssue is what removes the rows of issue ?1 that has no events and no tags
// any more.
func goneWithIssue() []string {
	return []string{
		`UPDATE digest_state SET removed_issue = max(removed_issue, ?1)`,
		`DELETE FROM issue_hours WHERE issue_id = ?1`,
		`DELETE FROM issue_users WHERE issue_id = ?1`,
		`DELETE FROM issue_sketches WHERE issue_id = ?1`,
		`DELETE FROM parked_groupings WHERE issue_id = ?1`,
		`DELETE FROM event_moves WHERE issue_id = ?1`,
		`DELETE FROM history WHERE issue_id = ?1`,
		`DELETE FROM alerts WHERE issue_id = ?1`,
		`DELETE FROM issue_texts WHERE rowid = ?1`,
		`DELETE FROM issue_texts_due WHERE issue_id = ?1`,
		`DELETE FROM notifications WHERE issue_id = ?1`,
		`DELETE FROM issues WHERE id = ?1`,
	}
}

// Chores is what time has made due, for who does it in the background.
type Chores struct {
	Unmute bool // UnmuteDue
	Remove bool // RemoveDeleted
	Empty  bool // RemoveProjects
	Forget bool // RemoveComments
}

// Chores says what is due at a moment.
func (rx *Rx) Chores(now time.Time) (Chores, error) {
	var c Chores
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT EXISTS (SELECT 1 FROM issues WHERE mute_until <= ?1 AND state = 2),
		       EXISTS (SELECT 1 FROM issues WHERE state = 4 AND aside_at <= ?2),
		       EXISTS (SELECT 1 FROM history WHERE kind = 'taken back' AND at <= ?2)`,
		ms(now), ms(now.Add(-DeletionUndo))).Scan(&c.Unmute, &c.Remove, &c.Forget)
	if err != nil {
		return c, err
	}
	c.Empty, err = rx.projectsDue(now)
	return c, err
}
