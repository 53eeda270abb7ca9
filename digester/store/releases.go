package store

import (
	"database/sql"
	"time"

	"sundew/digester/triage"
	"sundew/schema/event"
)

// maxReleasePage bounds a page of releases.
const maxReleasePage = 100

// Release is a version of a project that events named, or that a tool made.
type Release struct {
	ID        int64 // in the order in which they appeared
	Project   event.ProjectID
	Version   string
	CreatedAt time.Time // when it was made, or its first event was digested
	NewIssues int64     // issues ever made by an event of it
	ReleaseFacts
	Seen
}

// Environment is where a project runs, as its events say.
type Environment struct {
	Name string // empty: of events that name none
	Seen
}

// Seen is how often something was seen, and from when to when; zero times: never.
type Seen struct {
	Events int64 // ever digested
	First  time.Time
	Last   time.Time
}

// ReleaseQuery selects a page of a project's releases.
type ReleaseQuery struct {
	Project     event.ProjectID
	Environment *string // nil: all
	Before      int64   // the id of the last release of the page in front; 0: the first page
	Limit       int     // at most 100
}

// IssueReleases are the first and the last release whose events belong to an issue;
// empty: no event of it named one.
type IssueReleases struct{ First, Last string }

// noteRelease makes the event's release if it is not there.
func (p *plan) noteRelease() error {
	in := p.in
	if _, known := p.cache.releases[releaseKey{in.Project, in.Release}]; known || in.Release == "" {
		return nil
	}
	return p.to.exec(`INSERT INTO releases (project_id, version, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, int64(in.Project), in.Release, p.now)
}

// order asks in which order an event's release and that of its issue's resolution
// appeared.
func (a *asking) order(s *issueState, in *Incoming) {
	key := orderKey{s.id, in.Release, in.Environment}
	if !a.once(key) {
		return
	}
	a.add(func(r row) error {
		var event, other triage.Sighting
		if err := r.Scan(&event.Here, &event.Project, &other.Here, &other.Project); err != nil {
			return err
		}
		a.cache.orders[key] = triage.Order(event, other)
		return nil
	}, `
		SELECT coalesce((SELECT first_seen FROM release_counts WHERE project_id = ?1 AND release = ?3 AND environment = ?2), 0),
		       coalesce((SELECT id FROM releases WHERE project_id = ?1 AND version = ?3), 0),
		       coalesce((SELECT first_seen FROM release_counts WHERE project_id = ?1 AND release = ?4 AND environment = ?2), 0),
		       coalesce((SELECT id FROM releases WHERE project_id = ?1 AND version = ?4), 0)`,
		int64(in.Project), in.Environment, in.Release, s.resolution.Release)
}

// Releases returns a page of a project's releases, the newest first, and whether
// there are more. With an environment the counts are of it, and releases that were
// never seen there are left out.
func (rx *Rx) Releases(q ReleaseQuery) ([]Release, bool, error) {
	limit := min(max(q.Limit, 1), maxReleasePage)
	before := q.Before
	if before <= 0 {
		before = 1<<63 - 1
	}
	where, args := ``, []any{int64(q.Project), before, limit + 1}
	having := ``
	if q.Environment != nil {
		where, having = `AND c.environment = ?4`, `HAVING sum(c.event_count) > 0`
		args = append(args, *q.Environment)
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT `+releaseColumns+`
		FROM releases r LEFT JOIN release_counts c ON c.project_id = r.project_id AND c.release = r.version `+where+`
		WHERE r.project_id = ?1 AND r.id < ?2
		GROUP BY r.id `+having+` ORDER BY r.id DESC LIMIT ?3`, args...)
	releases, err := collectReleases(rows, err)
	if len(releases) > limit {
		return releases[:limit], true, err
	}
	return releases, false, err
}

// releaseColumns are those of collectReleases, of releases r with their counts c.
const releaseColumns = `r.id, r.project_id, r.version, r.created_at, r.new_issues, r.url, r.ref, r.started_at, r.released_at, r.archived,
		       coalesce(sum(c.event_count), 0), min(c.first_seen), max(c.last_seen)`

func collectReleases(rows cursor, err error) ([]Release, error) {
	var created, started, released, first, last sql.NullInt64
	return collectThen(rows, err, func(r *Release) []any {
		return []any{&r.ID, &r.Project, &r.Version, &created, &r.NewIssues, &r.URL, &r.Ref, &started, &released, &r.Archived, &r.Events, &first, &last}
	}, func(r *Release) {
		r.CreatedAt, r.StartedAt, r.ReleasedAt = fromMS(created), fromMS(started), fromMS(released)
		r.First, r.Last = fromMS(first), fromMS(last)
	})
}

// Environments returns a project's environments by name, the one without a name
// among them if there are such events.
func (rx *Rx) Environments(project event.ProjectID) ([]Environment, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT environment, sum(event_count), min(first_seen), max(last_seen)
		FROM release_counts WHERE project_id = ? GROUP BY environment ORDER BY environment`, int64(project))
	var first, last sql.NullInt64
	return collectThen(rows, err, func(e *Environment) []any { return []any{&e.Name, &e.Events, &first, &last} },
		func(e *Environment) { e.First, e.Last = fromMS(first), fromMS(last) })
}

// IssueReleases returns the first and the last release of an issue and its members,
// ErrNotFound if there is no such issue.
func (rx *Rx) IssueReleases(issue int64) (IssueReleases, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT coalesce((SELECT first_release FROM issues WHERE id IN `+strandsOf1+` AND first_release <> '' ORDER BY first_seen LIMIT 1), ''),
		       coalesce((SELECT last_release FROM issues WHERE id IN `+strandsOf1+` AND last_release <> '' ORDER BY last_seen DESC LIMIT 1), '')
		FROM issues WHERE id = ?1`, issue)
	return one(collect(rows, err, func(r *IssueReleases) []any { return []any{&r.First, &r.Last} }))
}

// ReleaseNames returns the names of a project's newest releases, the newest first.
func (rx *Rx) ReleaseNames(project event.ProjectID, limit int) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT version FROM releases WHERE project_id = ? ORDER BY id DESC LIMIT ?`, int64(project), limit)
	return collect(rows, err, func(v *string) []any { return []any{v} })
}

// newestRelease returns a project's newest release, empty if it has none.
func (rx *Rx) newestRelease(project event.ProjectID) (string, error) {
	const enough = 5000 // of the newest; among older ones nobody resolves
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT version FROM (SELECT id, version FROM releases WHERE project_id = ? ORDER BY id DESC LIMIT ?) ORDER BY id`, int64(project), enough)
	versions, err := collect(rows, err, func(v *string) []any { return []any{v} })
	return triage.NewestRelease(versions), err
}
