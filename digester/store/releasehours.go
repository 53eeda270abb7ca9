package store

import (
	"time"

	"sundew/schema/event"
)

// ReleaseHoursKept is how far release_hours goes back.
const ReleaseHoursKept = 30 * 24 * time.Hour

// maxReleaseDeltas is how many rows one transaction counts.
const maxReleaseDeltas = 200

// ReleaseDelta is events of a release in an environment that no hour has yet.
type ReleaseDelta struct {
	Project     event.ProjectID
	Release     string
	Environment string
	counted     int64 // before
	total       int64
}

// ReleaseDeltas returns what CountReleaseHours has to count, as much as it takes at
// once.
func (rx *Rx) ReleaseDeltas() ([]ReleaseDelta, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT project_id, release, environment, counted, event_count FROM release_counts WHERE event_count <> counted LIMIT ?`, maxReleaseDeltas)
	return collect(rows, err, func(d *ReleaseDelta) []any {
		return []any{&d.Project, &d.Release, &d.Environment, &d.counted, &d.total}
	})
}

// CountReleaseHours counts events in the hour of the transaction. What was counted
// meanwhile is not counted again.
func (tx *Tx) CountReleaseHours(deltas []ReleaseDelta) error {
	for _, d := range deltas {
		n, err := tx.exec(`
			UPDATE release_counts SET counted = ? WHERE project_id = ? AND release = ? AND environment = ? AND counted = ? AND event_count >= ?`,
			d.total, int64(d.Project), d.Release, d.Environment, d.counted, d.total)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if _, err := tx.exec(`
			INSERT INTO release_hours (project_id, release, environment, hour, count) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT DO UPDATE SET count = count + ?5`,
			int64(d.Project), d.Release, d.Environment, hourOf(tx.now), d.total-d.counted); err != nil {
			return err
		}
	}
	return nil
}

// ForgetReleaseHours removes the oldest hours that need not be kept any more, in a
// short transaction. It returns false if there was nothing to do.
func (tx *Tx) ForgetReleaseHours() (bool, error) {
	n, err := tx.exec(`
		DELETE FROM release_hours WHERE hour = (SELECT min(hour) FROM release_hours) AND hour < ?`, hourOf(tx.now.Add(-ReleaseHoursKept)))
	return n > 0, err
}

// Adoption is how many events a release had lately, by when they were digested.
type Adoption struct {
	Day  int64 // in the last 24 hours
	Week int64 // in the last 7 days
}

// Adoptions returns the adoption of a project's releases, that of events without one
// under "", in one environment or, with nil, in all. Releases without events in the
// last week are left out.
func (rx *Rx) Adoptions(project event.ProjectID, environment *string, now time.Time) (map[string]Adoption, error) {
	only, args := ``, []any{int64(project), hourOf(now.Add(-7 * 24 * time.Hour)), hourOf(now.Add(-24 * time.Hour))}
	if environment != nil {
		only = ` AND environment = ?4`
		args = append(args, *environment)
	}
	type row struct {
		release string
		Adoption
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT release, coalesce(sum(n) FILTER (WHERE hour > ?3), 0), sum(n) FROM (
		  SELECT release, hour, count AS n FROM release_hours WHERE project_id = ?1 AND hour > ?2`+only+`
		  UNION ALL SELECT release, ?3 + 1, event_count - counted FROM release_counts WHERE project_id = ?1 AND event_count > counted`+only+`)
		GROUP BY release`, args...)
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.release, &r.Day, &r.Week} })
	adoptions := make(map[string]Adoption, len(all))
	for _, r := range all {
		adoptions[r.release] = r.Adoption
	}
	return adoptions, err
}

// ReleaseHours returns a release's events by hour of digesting from since to now,
// ascending; hours without events are left out. What is not counted by hour yet is of
// the present one.
func (rx *Rx) ReleaseHours(project event.ProjectID, release string, since, now time.Time) ([]HourCount, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT 0, hour, sum(n) FROM (
		  SELECT hour, count AS n FROM release_hours WHERE project_id = ?1 AND release = ?2 AND hour >= ?3
		  UNION ALL SELECT ?4, event_count - counted FROM release_counts WHERE project_id = ?1 AND release = ?2 AND event_count > counted)
		GROUP BY hour ORDER BY hour`,
		int64(project), release, hourOf(since), hourOf(now))
	hours, err := collectHours[int](rows, err)
	return hours[0], err
}
