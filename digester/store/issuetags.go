package store

import (
	"database/sql"
	"slices"
	"time"
)

// TagKey is a tag of issues: how many values it has, of how many events.
type TagKey struct {
	Key    string
	Values int64
	Events int64
}

// TagValue is a value of a tag of an issue.
type TagValue struct {
	Value    string
	Count    int64
	LastSeen time.Time
}

// TagKeys returns the tags of some issues and their members, by name.
func (rx *Rx) TagKeys(issues []int64) ([]TagKey, error) {
	if len(issues) == 0 {
		return nil, nil
	}
	ids := anys(issues)
	rows, err := rx.q.QueryContext(rx.ctx, withStrandsOf(len(ids))+`
		SELECT t.key, count(DISTINCT t.value), sum(t.count) FROM strands s CROSS JOIN issue_tags t ON t.issue_id = s.id
		GROUP BY t.key ORDER BY t.key`, slices.Concat(ids, ids)...)
	return collect(rows, err, func(t *TagKey) []any { return []any{&t.Key, &t.Values, &t.Events} })
}

// TagValues returns a page of the values that a tag of some issues and their members
// has, the most frequent first, and whether there are more.
func (rx *Rx) TagValues(issues []int64, key string, offset, limit int) ([]TagValue, bool, error) {
	if len(issues) == 0 {
		return nil, false, nil
	}
	ids := anys(issues)
	rows, err := rx.q.QueryContext(rx.ctx, withStrandsOf(len(ids))+`
		SELECT t.value, sum(t.count) AS n, max(t.last_seen) FROM strands s CROSS JOIN issue_tags t ON t.issue_id = s.id AND t.key = ?
		GROUP BY t.value ORDER BY n DESC, t.value LIMIT ? OFFSET ?`, append(slices.Concat(ids, ids), key, limit+1, offset)...)
	var seen sql.NullInt64
	values, err := collectThen(rows, err, func(t *TagValue) []any { return []any{&t.Value, &t.Count, &seen} },
		func(t *TagValue) { t.LastSeen = fromMS(seen) })
	if len(values) > limit {
		return values[:limit], true, err
	}
	return values, false, err
}
