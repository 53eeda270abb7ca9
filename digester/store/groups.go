package store

import "encoding/hex"

// IssueGroups returns the keys of the groups that an issue and its members consist of,
// in hex digits, the oldest first.
func (rx *Rx) IssueGroups(issue int64) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT key_hash FROM groupings WHERE issue_id IN `+strandsOf1+` ORDER BY created_at, key_hash`, issue)
	keys, err := collect(rows, err, func(key *[]byte) []any { return []any{key} })
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = hex.EncodeToString(key)
	}
	return texts, err
}
