package store

import "database/sql"

// noteHistory records what the event did to its issue, if anything.
func (tx *Tx) noteHistory(in *Incoming, issue *issueState, eventRow int64) error {
	switch {
	case issue.isNew:
		return tx.addHistory(issue.id, "created", eventRow)
	case issue.isRegress:
		return tx.addHistory(issue.id, "regressed", eventRow)
	}
	return nil
}

// addHistory adds an entry; eventRow is events.id, nil if no event caused it.
func (tx *Tx) addHistory(issue int64, kind string, eventRow any) error {
	_, err := tx.exec(`INSERT INTO history (issue_id, at, kind, event_id) VALUES (?, ?, ?, ?)`, issue, ms(tx.now), kind, eventRow)
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
