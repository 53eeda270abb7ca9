package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxEventPage bounds a page of events.
const maxEventPage = 100

const eventColumns = ` e.id, e.event_id, e.project_id, e.issue_id, e.number, e.occurred_at, e.received_at, e.digested_at,
	e.level, e.title, e.release, e.environment, e.user `

func (rx *Rx) events(where string, args ...any) ([]Event, error) {
	return collectEvents(rx.q.QueryContext(rx.ctx, `SELECT`+eventColumns+`FROM events e `+where, args...))
}

func collectEvents(rows cursor, err error) ([]Event, error) {
	var id []byte
	var occurred, received, digested sql.NullInt64
	return collectThen(rows, err, func(e *Event) []any {
		return []any{&e.ID, &id, &e.ProjectID, &e.IssueID, &e.Number, &occurred, &received, &digested,
			&e.Level, &e.Title, &e.Release, &e.Environment, &e.User}
	}, func(e *Event) {
		copy(e.EventID[:], id)
		e.OccurredAt, e.ReceivedAt, e.DigestedAt = fromMS(occurred), fromMS(received), fromMS(digested)
	})
}

// Events returns the events of an issue and its members in front of one, the newest
// first, and whether there are more. before is that one's ID, 0 starts at the newest.
func (rx *Rx) Events(issue, before int64, limit int) ([]Event, bool, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	limit = min(max(limit, 1), maxEventPage)
	events, err := collectEvents(rx.q.QueryContext(rx.ctx, untilEvent+`
		SELECT`+eventColumns+`FROM strands s CROSS JOIN events e ON e.issue_id = s.id AND e.number <= s.newest
		  AND e.number > coalesce((SELECT number FROM events WHERE issue_id = s.id AND number <= s.newest ORDER BY number DESC LIMIT 1 OFFSET ?3), 0)
		ORDER BY e.id DESC LIMIT ?3`, issue, before, limit+1))
	if len(events) > limit {
		return events[:limit], true, err
	}
	return events, false, err
}

// EventsAfter returns the events of an issue and its members right behind one, the
// newest of them first, and whether there are newer ones still. after is that one's
// ID.
func (rx *Rx) EventsAfter(issue, after int64, limit int) ([]Event, bool, error) {
	limit = min(max(limit, 1), maxEventPage)
	events, err := collectEvents(rx.q.QueryContext(rx.ctx, untilEvent+`
		SELECT`+eventColumns+`FROM strands s CROSS JOIN events e ON e.issue_id = s.id AND e.number > s.newest
		  AND e.number <= coalesce((SELECT number FROM events WHERE issue_id = s.id AND number > s.newest ORDER BY number LIMIT 1 OFFSET ?3), e.number)
		ORDER BY e.id LIMIT ?3`, issue, after+1, limit+1))
	more := len(events) > limit
	if more {
		events = events[:limit]
	}
	slices.Reverse(events)
	return events, more, err
}

// EventByNumber returns the n-th event of an issue, ErrNotFound if there is none.
func (rx *Rx) EventByNumber(issue, number int64) (Event, error) {
	return one(rx.events(`WHERE issue_id = ? AND number = ?`, issue, number))
}

// MovedEvent returns the event that was the n-th of an issue before it moved to another,
// ErrNotFound if there is none.
func (rx *Rx) MovedEvent(issue, number int64) (Event, error) {
	return one(rx.events(`WHERE e.id = (SELECT event_id FROM event_moves WHERE issue_id = ? AND number = ?)`, issue, number))
}

// EventByID returns the newest stored event with an SDK's id, whatever its
// project, ErrNotFound if there is none.
func (rx *Rx) EventByID(id event.ID) (Event, error) {
	return one(rx.events(`WHERE event_id = ? ORDER BY id DESC LIMIT 1`, id[:]))
}

// EventsByID returns the stored events with an SDK's id, of at most a few projects,
// the newest first.
func (rx *Rx) EventsByID(id event.ID) ([]Event, error) {
	return rx.events(`WHERE event_id = ? ORDER BY id DESC LIMIT 20`, id[:])
}

// EventPlace returns the events around one, which ID names, among those of an issue
// and its members.
func (rx *Rx) EventPlace(issue, id int64) (EventPlace, error) {
	var p EventPlace
	err := rx.q.QueryRowContext(rx.ctx, untilEvent+`
		SELECT coalesce(f.issue_id, 0), coalesce(f.number, 0), coalesce(p.issue_id, 0), coalesce(p.number, 0),
		       coalesce(n.issue_id, 0), coalesce(n.number, 0), coalesce(l.issue_id, 0), coalesce(l.number, 0)
		FROM (SELECT min(first) AS first, max(previous) AS previous, min(next) AS next, max(last) AS last FROM (
		        SELECT (SELECT id FROM events WHERE issue_id = s.id ORDER BY number LIMIT 1) AS first,
		               (SELECT id FROM events WHERE issue_id = s.id AND number <= s.newest ORDER BY number DESC LIMIT 1) AS previous,
		               (SELECT id FROM events WHERE issue_id = s.id AND number > s.newest AND id <> ?2 ORDER BY number LIMIT 1) AS next,
		               (SELECT id FROM events WHERE issue_id = s.id ORDER BY number DESC LIMIT 1) AS last
		        FROM strands s)) around
		LEFT JOIN events f ON f.id = around.first LEFT JOIN events p ON p.id = around.previous
		LEFT JOIN events n ON n.id = around.next LEFT JOIN events l ON l.id = around.last`, issue, id).
		Scan(&p.First.Issue, &p.First.Number, &p.Previous.Issue, &p.Previous.Number, &p.Next.Issue, &p.Next.Number, &p.Last.Issue, &p.Last.Number)
	return p, err
}

// storedBody is a row of event_bodies.
type storedBody struct {
	kind     wire.Kind
	encoding wire.Encoding
	meta     string
	body     []byte
	symbols  storedSymbols
}

// EventBody returns a stored event's payload; ErrNotFound if there is none,
// wire.ErrCorrupt or wire.ErrVersion if it cannot be unpacked.
func (rx *Rx) EventBody(eventRow int64) (EventBody, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT b.kind, b.encoding, b.meta, b.body, coalesce(s.encoding, 0), s.body
		FROM event_bodies b LEFT JOIN event_symbols s ON s.event_id = b.event_id WHERE b.event_id = ?`, eventRow)
	stored, err := one(collect(rows, err, func(b *storedBody) []any {
		return []any{&b.kind, &b.encoding, &b.meta, &b.body, &b.symbols.encoding, &b.symbols.body}
	}))
	if err != nil {
		return EventBody{}, err
	}
	body, err := rx.readBody(stored)
	if err != nil {
		return EventBody{}, fmt.Errorf("event %d: %w", eventRow, err)
	}
	return body, nil
}

// Event reads the payload. Its error says what is wrong with it.
func (b EventBody) Event() (*event.Event, error) {
	if b.Kind == wire.KindCSP {
		return event.ParseSecurity(b.JSON, b.Meta.Environment, b.Meta.Release)
	}
	return event.Parse(b.JSON)
}

// readBody unpacks a payload.
func (rx *Rx) readBody(stored storedBody) (body EventBody, err error) {
	body.Kind = stored.kind
	if body.JSON, err = rx.codec.Decompress(stored.body, stored.encoding); err != nil {
		return EventBody{}, fmt.Errorf("the stored body: %w", err)
	}
	if err := json.Unmarshal([]byte(stored.meta), &body.Meta); err != nil {
		return EventBody{}, fmt.Errorf("the stored meta: %w: %v", wire.ErrCorrupt, err)
	}
	body.Symbols = rx.readSymbols(stored.symbols)
	return body, nil
}
