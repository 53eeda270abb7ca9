package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// tagChunk is how many tags one statement counts. Every length up to it is a
// prepared statement of its own.
const tagChunk = 16

// countTags adds one to the counter of each tag's value.
func (p *plan) countTags(at int64) error {
	for tags := p.in.Tags; len(tags) > 0; {
		n := min(len(tags), tagChunk)
		args := make([]any, 0, 2+2*n)
		args = append(args, p.issue.id, at)
		for _, t := range tags[:n] {
			args = append(args, t.Key, t.Value)
		}
		if err := p.to.exec(countTagsTexts[n], args...); err != nil {
			return err
		}
		tags = tags[n:]
	}
	return nil
}

// countTagsTexts[n] counts n tags. Its parameters are the issue, the time, then
// key and value of each. Made once: a digest must not build texts.
var countTagsTexts = func() (texts [tagChunk + 1]string) {
	for n := 1; n <= tagChunk; n++ {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf("(?1, ?%d, ?%d, 1, ?2)", 3+2*i, 4+2*i))
		}
		texts[n] = `INSERT INTO issue_tags (issue_id, key, value, count, last_seen) VALUES ` + strings.Join(rows, ", ") +
			` ON CONFLICT DO UPDATE SET count = count + 1, last_seen = max(last_seen, excluded.last_seen)`
	}
	return texts
}()

// IssueTags returns the tags of an issue and its members by key, each with its
// perKey most frequent values.
func (rx *Rx) IssueTags(issue int64, perKey int) ([]TagCount, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT key, value, n, seen FROM (
		  SELECT *, row_number() OVER (PARTITION BY key ORDER BY n DESC, value) AS place
		  FROM (SELECT key, value, sum(count) AS n, max(last_seen) AS seen FROM issue_tags WHERE issue_id IN `+strandsOf1+` GROUP BY key, value))
		WHERE place <= ?2 ORDER BY key, place`, issue, perKey)
	var seen sql.NullInt64
	return collectThen(rows, err, func(t *TagCount) []any { return []any{&t.Key, &t.Value, &t.Count, &seen} },
		func(t *TagCount) { t.LastSeen = fromMS(seen) })
}
