package store

import (
	"errors"
	"math"
	"strconv"
	"time"

	"sundew/schema/event"
)

// ProjectUndo is for how long a deleted project can be taken back. Only then its rows
// are removed.
const ProjectUndo = 24 * time.Hour

const (
	// removedIssues is how many issues of a project one transaction hands to
	// RemoveDeleted.
	removedIssues = 50

	// removedFeedback is how much feedback goes in one transaction.
	removedFeedback = 200
)

// DeleteProject deletes a project: it is in no list any more, its keys are off, and
// events of it that are under way are dropped as of no project. RestoreProject takes
// it back for ProjectUndo, then RemoveProjects removes what is left of it but one
// row. ErrNotFound if there is no such project.
func (tx *Tx) DeleteProject(id event.ProjectID) error {
	return someChanged(tx.exec(`UPDATE projects SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL`, ms(tx.now), int64(id)))
}

// RestoreProject takes back that a project was deleted. Events that came meanwhile
// are gone. ErrNotFound if it is not deleted, or too late.
func (tx *Tx) RestoreProject(id event.ProjectID) error {
	return someChanged(tx.exec(`UPDATE projects SET deleted_at = NULL WHERE id = ? AND deleted_at > ?`, int64(id), ms(tx.now.Add(-ProjectUndo))))
}

// DeletedProjects returns the projects that can still be taken back, the last deleted
// first.
func (rx *Rx) DeletedProjects(now time.Time) ([]Project, error) {
	return rx.projects(`WHERE deleted_at > ? AND emptied_at IS NULL ORDER BY deleted_at DESC, id`, ms(now.Add(-ProjectUndo)))
}

// DeletedProject returns one of these, ErrNotFound if it is none.
func (rx *Rx) DeletedProject(id event.ProjectID, now time.Time) (Project, error) {
	return one(rx.projects(`WHERE id = ? AND deleted_at > ?`, int64(id), ms(now.Add(-ProjectUndo))))
}

// projectsDue reports whether RemoveProjects has something to do.
func (rx *Rx) projectsDue(now time.Time) (bool, error) {
	_, err := rx.dueProject(now)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// dueProject returns a project to remove rows of. One whose issues are all on their
// way out has to wait for RemoveDeleted.
func (rx *Rx) dueProject(now time.Time) (event.ProjectID, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id FROM projects p WHERE deleted_at <= ? AND emptied_at IS NULL AND (
		  NOT EXISTS (SELECT 1 FROM issues WHERE project_id = p.id)
		  OR EXISTS (SELECT 1 FROM issues WHERE project_id = p.id AND state <= 2)
		  OR EXISTS (SELECT 1 FROM issues WHERE project_id = p.id AND state = 4 AND aside_at > 0))
		ORDER BY id LIMIT 1`, ms(now.Add(-ProjectUndo)))
	return one(collect(rows, err, func(id *event.ProjectID) []any { return []any{id} }))
}

// RemoveProjects takes the next step of removing a deleted project's rows, in a short
// transaction: it hands its issues to RemoveDeleted, and when they are gone removes
// the rest. It returns false if there was nothing to do. The project's own row stays,
// without its name, and its outcomes: so the books balance, and nobody else gets the
// number in its DSNs.
func (tx *Tx) RemoveProjects() (bool, error) {
	id, err := tx.dueProject(tx.now)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// From now on there is no way back, whatever the clock does.
	if _, err := tx.exec(`UPDATE projects SET deleted_at = 0 WHERE id = ?`, int64(id)); err != nil {
		return false, err
	}
	left, err := tx.abandonIssues(id)
	if err != nil || left {
		return true, err
	}
	// What comes beside events may belong to none.
	if left, err = tx.removeAside(id); err != nil || left {
		return true, err
	}
	return true, tx.emptyProject(id)
}

// removeAside removes some of a project's attachments, channels, uploads or feedback. It reports
// whether there were any.
func (tx *Tx) removeAside(project event.ProjectID) (bool, error) {
	if n, err := tx.evictFrom(int64(project), math.MaxInt64, 0); err != nil || n > 0 {
		return true, err
	}
	if gone, err := tx.removeChannels(project); err != nil || gone {
		return true, err
	}
	if gone, err := tx.removeProjectBundles(project); err != nil || gone {
		return true, err
	}
	n, err := tx.exec(`DELETE FROM feedback WHERE id IN (SELECT id FROM feedback WHERE project_id = ? LIMIT ?)`, int64(project), removedFeedback)
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.exec(`UPDATE projects SET feedback_evicted = feedback_evicted + ? WHERE id = ?`, n, int64(project))
	return true, err
}

// abandonIssues hands issues of a project to RemoveDeleted, with their members, for
// good. It reports whether there are any.
func (tx *Tx) abandonIssues(project event.ProjectID) (bool, error) {
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT id FROM issues WHERE project_id = ? AND (state <= 2 OR state = 4 AND aside_at > 0) LIMIT ?`, int64(project), removedIssues)
	heads, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err != nil {
		return false, err
	}
	for _, head := range heads {
		if err := tx.park(head); err != nil { // of one that is deleted already, none
			return false, err
		}
		if _, err := tx.exec(`
			UPDATE issues SET aside_state = CASE state WHEN 4 THEN aside_state ELSE state END, state = 4, aside_at = 0, revision = revision + 1
			WHERE id = ?`, head); err != nil {
			return false, err
		}
	}
	return len(heads) > 0, nil
}

// goneWithProject is what removes the rows of project ?1 that has no issues any more.
// Its events stay counted, as one number.
func goneWithProject() []string {
	return []string{
		`INSERT INTO release_counts (project_id, release, environment, first_seen, last_seen, event_count, evicted, counted)
		 SELECT project_id, '', '', min(first_seen), max(last_seen), sum(event_count), sum(evicted), sum(event_count) FROM release_counts
		 WHERE project_id = ?1 AND (release <> '' OR environment <> '') GROUP BY project_id
		 ON CONFLICT DO UPDATE SET event_count = event_count + excluded.event_count, evicted = evicted + excluded.evicted,
		   counted = event_count + excluded.event_count, first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)`,
		`DELETE FROM release_counts WHERE project_id = ?1 AND (release <> '' OR environment <> '')`,
		`DELETE FROM release_hours WHERE project_id = ?1`,
		`DELETE FROM release_commits WHERE release_id IN (SELECT id FROM releases WHERE project_id = ?1)`,
		`DELETE FROM release_refs WHERE release_id IN (SELECT id FROM releases WHERE project_id = ?1)`,
		`DELETE FROM releases WHERE project_id = ?1`,
		`DELETE FROM deploys WHERE project_id = ?1`,
		`DELETE FROM hidden_environments WHERE project_id = ?1`,
		`DELETE FROM saved_searches WHERE project_id = ?1`,
		`DELETE FROM alert_rules WHERE project_id = ?1`,
		`DELETE FROM project_rules WHERE project_id = ?1`,
		`DELETE FROM project_retention WHERE project_id = ?1`,
		`DELETE FROM erasure_events WHERE erasure_id IN (SELECT id FROM erasures WHERE project_id = ?1)`,
		`DELETE FROM erasures WHERE project_id = ?1`,
		`DELETE FROM quotas WHERE project_id = ?1`,
		`DELETE FROM quota_uses WHERE project_id = ?1`,
		`DELETE FROM project_keys WHERE project_id = ?1`,
		`DELETE FROM project_members WHERE project_id = ?1`,
		`DELETE FROM former_slugs WHERE project_id = ?1`,
		`DELETE FROM imported_issues WHERE project_id = ?1`,
		`DELETE FROM imported_projects WHERE project_id = ?1`,
		`DELETE FROM rejects WHERE project_id = ?1`,
	}
}

// emptyProject removes what is left of a project whose issues are gone.
func (tx *Tx) emptyProject(id event.ProjectID) error {
	var issues int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM issues WHERE project_id = ?`, int64(id)).Scan(&issues); err != nil || issues > 0 {
		return err
	}
	for _, statement := range goneWithProject() {
		if _, err := tx.exec(statement, int64(id)); err != nil {
			return err
		}
	}
	// The audit log refers to tokens.
	if _, err := tx.exec(`UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE project_id = ?`, ms(tx.now), int64(id)); err != nil {
		return err
	}
	_, err := tx.exec(`
		UPDATE projects SET slug = ?, name = ?, platform = '', team_id = NULL, emptied_at = ? WHERE id = ?`,
		"deleted-"+strconv.FormatInt(int64(id), 10), "Deleted project", ms(tx.now), int64(id))
	return err
}
