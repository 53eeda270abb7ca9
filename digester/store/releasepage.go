package store

import (
	"database/sql"
	"time"

	"sundew/schema/event"
)

// maxReleaseIssues bounds each list of a release's issues.
const maxReleaseIssues = 100

// Release returns one release, with the counts of all environments; ErrNotFound if
// no event named it and no tool made it.
func (rx *Rx) Release(project event.ProjectID, version string) (Release, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT `+releaseColumns+`
		FROM releases r LEFT JOIN release_counts c ON c.project_id = r.project_id AND c.release = r.version
		WHERE r.project_id = ? AND r.version = ? GROUP BY r.id`, int64(project), version)
	return one(collectReleases(rows, err))
}

// ReleaseEnvironments returns where a release was seen, the most events first.
func (rx *Rx) ReleaseEnvironments(project event.ProjectID, version string) ([]Environment, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT environment, event_count, first_seen, last_seen FROM release_counts
		WHERE project_id = ? AND release = ? ORDER BY event_count DESC, environment`, int64(project), version)
	var first, last sql.NullInt64
	return collectThen(rows, err, func(e *Environment) []any { return []any{&e.Name, &e.Events, &first, &last} },
		func(e *Environment) { e.First, e.Last = fromMS(first), fromMS(last) })
}

// NewIssues returns issues whose first event that named a release named this one,
// those last seen first. The plus keeps SQLite from the indexes by state.
func (rx *Rx) NewIssues(project event.ProjectID, version string, limit int) ([]Issue, error) {
	return rx.issues(`
		WHERE i.project_id = ? AND i.first_release = ? AND i.first_release <> '' AND +i.state < 3
		ORDER BY i.total_last_seen DESC, i.id DESC LIMIT ?`, int64(project), version, min(max(limit, 1), maxReleaseIssues))
}

// RegressedIssues returns issues that events of a release brought back after they
// were resolved, those last seen first. since is when the release appeared.
func (rx *Rx) RegressedIssues(project event.ProjectID, version string, since time.Time, limit int) ([]Issue, error) {
	return rx.issues(`
		WHERE i.state < 3 AND i.id IN (
		  SELECT coalesce(s.merged_into, s.id) FROM history h JOIN events e ON e.id = h.event_id JOIN issues s ON s.id = h.issue_id
		  WHERE h.kind = 'regressed' AND h.at >= ? AND e.project_id = ? AND e.release = ?)
		ORDER BY i.total_last_seen DESC, i.id DESC LIMIT ?`, ms(since), int64(project), version, min(max(limit, 1), maxReleaseIssues))
}
