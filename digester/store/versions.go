package store

import (
	"sundew/schema/event"
)

// VersionQuery selects a page of the names that releases of some projects have.
type VersionQuery struct {
	Projects []event.ProjectID
	Text     string // that the name contains, in whatever case; empty: all
	Archived *bool  // nil: both
	Before   int64  // the ID of the last one of the page in front; 0: the first page
	Limit    int    // at most 100
}

// Version is the name of releases, which several projects may share.
type Version struct {
	ID   int64 // of the newest release of this name
	Name string
}

// Versions returns a page of the names of releases, that of the newest release first,
// and whether there are more.
func (rx *Rx) Versions(q VersionQuery) ([]Version, bool, error) {
	limit := min(max(q.Limit, 1), maxReleasePage)
	before := q.Before
	if before <= 0 {
		before = 1<<63 - 1
	}
	var archived any
	if q.Archived != nil {
		archived = *q.Archived
	}
	// Read in the order of their ids: what is asked for is usually at the end.
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT r.id, r.version FROM releases r
		WHERE r.id < ?2 AND +r.project_id IN (SELECT value FROM json_each(?1)) AND instr(lower(r.version), lower(?3)) > 0
		  AND r.archived = coalesce(?4, r.archived)
		  AND NOT EXISTS (SELECT 1 FROM json_each(?1) p CROSS JOIN releases n ON n.project_id = p.value AND n.version = r.version
		    WHERE n.id > r.id AND n.archived = coalesce(?4, n.archived))
		ORDER BY r.id DESC LIMIT ?5`, jsonOf(q.Projects), before, q.Text, archived, limit+1)
	versions, err := collect(rows, err, func(v *Version) []any { return []any{&v.ID, &v.Name} })
	if len(versions) > limit {
		return versions[:limit], true, err
	}
	return versions, false, err
}

// ReleasesNamed returns the releases of some projects that have one of some names, the
// oldest first.
func (rx *Rx) ReleasesNamed(projects []event.ProjectID, names []string) ([]Release, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT `+releaseColumns+`
		FROM json_each(?1) p CROSS JOIN json_each(?2) v CROSS JOIN releases r ON r.project_id = p.value AND r.version = v.value
		LEFT JOIN release_counts c ON c.project_id = r.project_id AND c.release = r.version
		GROUP BY r.id ORDER BY r.id`, jsonOf(projects), jsonOf(names))
	return collectReleases(rows, err)
}

// ReleaseExtent is how much was said of a release.
type ReleaseExtent struct {
	Release int64 // its ID
	Commits int64
	Deploys int64
}

// ReleaseExtents returns the extents of releases by their IDs.
func (rx *Rx) ReleaseExtents(ids []int64) (map[int64]ReleaseExtent, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT r.id, (SELECT count(*) FROM release_commits c WHERE c.release_id = r.id),
		       (SELECT count(*) FROM deploys d WHERE d.project_id = r.project_id AND d.release = r.version)
		FROM json_each(?) i CROSS JOIN releases r ON r.id = i.value`, jsonOf(ids))
	all, err := collect(rows, err, func(e *ReleaseExtent) []any { return []any{&e.Release, &e.Commits, &e.Deploys} })
	extents := make(map[int64]ReleaseExtent, len(all))
	for _, e := range all {
		extents[e.Release] = e
	}
	return extents, err
}
