package store

import (
	"encoding/json"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxSymbols bounds what is stored of one event: servers take no larger values.
const maxSymbols = 1 << 20

// storedSymbols is a row of event_symbols.
type storedSymbols struct {
	encoding wire.Encoding
	body     []byte
}

// noteSymbols stores what source maps say of the event, if they say something or could
// not be asked.
func (p *plan) noteSymbols() error {
	var s storedSymbols
	switch in := p.in; {
	case len(in.Symbols) > 0 && len(in.Symbols) <= maxSymbols:
		s = storedSymbols{in.SymbolsEncoding, in.Symbols}
	case !in.SymbolsDue:
		return nil
	}
	return p.to.exec(insertSymbols, p.ids.event, int64(s.encoding), s.bytes())
}

const insertSymbols = `INSERT INTO event_symbols (event_id, encoding, body) VALUES (?, ?, ?)`

// bytes returns the body, which is never NULL.
func (s storedSymbols) bytes() []byte {
	if s.body == nil {
		return []byte{}
	}
	return s.body
}

// readSymbols unpacks what is stored. What cannot be unpacked is as if it was not
// there: the event itself can be read all the same.
func (rx *Rx) readSymbols(stored storedSymbols) []byte {
	if len(stored.body) == 0 {
		return nil
	}
	plain, err := rx.codec.Decompress(stored.body, stored.encoding)
	if err != nil {
		return nil
	}
	return plain
}

// EventSymbols is what source maps say of a stored event.
type EventSymbols struct {
	Event    int64 // the row's id
	Title    string
	Encoding wire.Encoding
	Body     []byte // compressed; empty: nothing
}

// StoreSymbols stores what source maps say of events, in place of what they said before.
// Those that are gone are left out.
func (tx *Tx) StoreSymbols(all []EventSymbols) error {
	for _, s := range all {
		if len(s.Body) == 0 || len(s.Body) > maxSymbols {
			if _, err := tx.exec(`DELETE FROM event_symbols WHERE event_id = ?`, s.Event); err != nil {
				return err
			}
			continue
		}
		if _, err := tx.exec(`
			INSERT INTO event_symbols (event_id, encoding, body) SELECT id, ?2, ?3 FROM events WHERE id = ?1
			ON CONFLICT DO UPDATE SET encoding = excluded.encoding, body = excluded.body`, s.Event, int64(s.Encoding), s.Body); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE events SET title = ?1 WHERE id = ?2 AND title <> ?1`, s.Title, s.Event); err != nil {
			return err
		}
	}
	return nil
}

// mapped are the platforms whose events may have frames of minified scripts.
const mapped = `('javascript', 'node')`

// SymbolsCursor returns up to which bundle, by Bundle.Published, events were looked at
// again.
func (rx *Rx) SymbolsCursor() (published int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT bundle FROM symbol_state`).Scan(&published)
	return published, err
}

// MoveSymbolsCursor notes that events were looked at again, up to a bundle.
func (tx *Tx) MoveSymbolsCursor(published int64) error {
	_, err := tx.exec(`UPDATE symbol_state SET bundle = ?1 WHERE bundle < ?1`, published)
	return err
}

// MappedIssues returns issues of a project, members too, that may have frames of
// minified scripts and were seen since a time, in the order of their ids from the one
// behind after, at most limit.
func (rx *Rx) MappedIssues(project event.ProjectID, since time.Time, after int64, limit int) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id FROM issues WHERE project_id = ? AND state IN (0, 1, 2, 3) AND seen_step >= ? AND +id > ? AND platform IN `+mapped+`
		ORDER BY id LIMIT ?`, int64(project), ms(since)/seenStepMS, after, limit)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// NewestOf returns the newest stored events of an issue without its members, at most
// limit, in digest order.
func (rx *Rx) NewestOf(issue int64, limit int) ([]Event, error) {
	return rx.events(`WHERE e.issue_id = ?1 AND e.number > coalesce((
		SELECT number FROM events WHERE issue_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2), 0) ORDER BY e.number`, issue, limit)
}

// SymbolsDue returns issues with events whose source maps could not be asked when they
// were digested, and these events; at most limit of them.
func (rx *Rx) SymbolsDue(limit int) (map[int64][]int64, error) {
	type due struct{ event, issue int64 }
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT s.event_id, e.issue_id FROM event_symbols s CROSS JOIN events e ON e.id = s.event_id
		WHERE length(s.body) = 0 ORDER BY s.event_id LIMIT ?`, limit)
	all, err := collect(rows, err, func(d *due) []any { return []any{&d.event, &d.issue} })
	issues := make(map[int64][]int64)
	for _, d := range all {
		issues[d.issue] = append(issues[d.issue], d.event)
	}
	return issues, err
}

// EventsOf returns events by their rows' ids, in digest order; those that are gone are
// left out.
func (rx *Rx) EventsOf(ids []int64) ([]Event, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return rx.events(`WHERE e.id IN `+theseIDs+` ORDER BY e.id`, string(list))
}

// ArtifactSum returns the SHA-256 of a file of a bundle, by ArtifactFile.ID.
func (rx *Rx) ArtifactSum(id int64) (sum [32]byte, err error) {
	var stored []byte
	if err := rx.q.QueryRowContext(rx.ctx, `SELECT sha256 FROM artifact_files WHERE id = ?`, id).Scan(&stored); err != nil {
		return sum, err
	}
	copy(sum[:], stored)
	return sum, nil
}
