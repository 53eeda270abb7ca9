package store

import "database/sql"

const insertHistory = `INSERT INTO history (issue_id, at, kind, event_id) VALUES (?, ?, ?, ?)`

// addHistory adds an entry that no event caused.
func (tx *Tx) addHistory(issue int64, kind string) error {
	_, err := tx.exec(insertHistory, issue, ms(tx.now), kind, nil)
	return err
}

// History returns what happened to an issue, oldest first.
func (rx *Rx) History(issue int64) ([]HistoryEntry, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT h.at, h.kind, coalesce(e.number, 0) FROM history h LEFT JOIN events e ON e.id = h.event_id
		WHERE h.issue_id = ? ORDER BY h.id`, issue)
	var at sql.NullInt64
	return collectThen(rows, err, func(h *HistoryEntry) []any { return []any{&at, &h.Kind, &h.Event} },
		func(h *HistoryEntry) { h.At = fromMS(at) })
}
