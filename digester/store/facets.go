package store

import "sundew/schema/event"

// maxFacets is how many environments or releases can be chosen from; others are typed.
const maxFacets = 50

// Facets are what lists can be narrowed to.
type Facets struct {
	Environments []string // the last seen first
	Releases     []string // likewise
}

// Facets returns the environments and releases that some projects had events of.
// Environments that a project hides are left out.
func (rx *Rx) Facets(projects []event.ProjectID) (f Facets, err error) {
	const shown = `AND NOT EXISTS (SELECT 1 FROM hidden_environments h WHERE h.project_id = c.project_id AND h.name = c.environment)`
	if f.Environments, err = rx.facet("environment", shown, projects); err != nil {
		return f, err
	}
	f.Releases, err = rx.facet("release", "", projects)
	return f, err
}

func (rx *Rx) facet(column, only string, projects []event.ProjectID) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT c.`+column+` FROM json_each(?) p CROSS JOIN release_counts c ON c.project_id = p.value
		WHERE c.`+column+` <> '' `+only+` GROUP BY 1 ORDER BY max(c.last_seen) DESC, 1 LIMIT ?`, jsonOf(projects), maxFacets)
	return collect(rows, err, func(s *string) []any { return []any{s} })
}
