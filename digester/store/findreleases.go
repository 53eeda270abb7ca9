package store

import (
	"slices"

	"sundew/digester/search"
	"sundew/schema/event"
)

const (
	// maxVersions is how many releases of a version are looked up by their names.
	maxVersions = 50

	// maxKeyRows is of how many issues with a tag HasTag looks at the project.
	maxKeyRows = 10_000
)

// release looks up the releases that the projects have of a version, since an index has
// names of releases by their beginning only.
func (f *finder) release(t search.Term, c search.Release) error {
	any := slices.Clone(c.Any)
	for _, p := range c.Any {
		version, ok := p.Version()
		if !ok {
			continue
		}
		names, err := f.rx.releasesLike(f.Projects, versionOf(version), maxVersions+1)
		if err != nil {
			return err
		}
		if len(names) > maxVersions {
			any = append(any, versionOf(version))
			continue
		}
		for _, name := range names {
			any = append(any, search.Pattern{name})
		}
	}
	f.tags(t, search.Tag{Key: "release", Any: any})
	return nil
}

// versionOf stands for a version of any package.
func versionOf(version string) search.Pattern { return search.Pattern{"", "@" + version} }

// withVersions adds what versions stand for.
func withVersions(patterns []search.Pattern) []search.Pattern {
	any := slices.Clone(patterns)
	for _, p := range patterns {
		if version, ok := p.Version(); ok {
			any = append(any, versionOf(version))
		}
	}
	return any
}

// releasesLike returns the names of some projects' releases that a pattern stands for.
func (rx *Rx) releasesLike(projects []event.ProjectID, p search.Pattern, limit int) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT DISTINCT r.version FROM json_each(?) p CROSS JOIN releases r ON r.project_id = p.value
		WHERE r.version LIKE ? ESCAPE '\' LIMIT ?`, jsonOf(projects), likePattern(p), limit)
	return collect(rows, err, func(s *string) []any { return []any{s} })
}

// HasRelease reports whether some projects have a release that a search for any of some
// patterns means.
func (rx *Rx) HasRelease(projects []event.ProjectID, patterns []search.Pattern) (bool, error) {
	for _, p := range withVersions(patterns) {
		if names, err := rx.releasesLike(projects, p, 1); err != nil || len(names) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// HasTag reports whether an issue of some projects may have a tag. It is sure that none
// has where it says so; where very many issues of other projects have the tag, it does
// not look at all of them.
func (rx *Rx) HasTag(projects []event.ProjectID, key string) (has bool, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		WITH tagged AS (SELECT issue_id FROM issue_tags INDEXED BY issue_tags_by_value WHERE key = ?1 LIMIT ?2)
		SELECT (SELECT count(*) FROM tagged) = ?2 OR EXISTS (
		  SELECT 1 FROM tagged CROSS JOIN issues i ON i.id = tagged.issue_id WHERE i.project_id IN (SELECT value FROM json_each(?3)))`,
		key, maxKeyRows, jsonOf(projects)).Scan(&has)
	return has, err
}
