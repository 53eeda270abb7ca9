package store

// IssueGroups returns the keys of the groups that an issue and its members consist of,
// in hex digits, the oldest first.
func (rx *Rx) IssueGroups(issue int64) ([]string, error) {
	all, err := rx.IssueGroupings(issue)
	texts := make([]string, len(all))
	for i, g := range all {
		texts[i] = g.Key
	}
	return texts, err
}

// Grouping is the key of a group, in hex digits, and the strand that it is of.
type Grouping struct {
	Key   string
	Issue int64 // the issue itself, or the member that brought it
}

// IssueGroupings returns the groups that an issue and its members consist of, the oldest
// first.
func (rx *Rx) IssueGroupings(issue int64) ([]Grouping, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT lower(hex(key_hash)), issue_id FROM groupings WHERE issue_id IN `+strandsOf1+` ORDER BY created_at, key_hash`, issue)
	return collect(rows, err, func(g *Grouping) []any { return []any{&g.Key, &g.Issue} })
}
