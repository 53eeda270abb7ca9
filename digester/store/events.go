package store

import (
	"database/sql"
	"encoding/json"
	"fmt"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxEventPage bounds a page of events.
const maxEventPage = 100

const eventColumns = `SELECT id, event_id, project_id, issue_id, number, occurred_at, received_at, digested_at,
	level, title, release, environment, user FROM events `

func (rx *Rx) events(where string, args ...any) ([]Event, error) {
	rows, err := rx.q.QueryContext(rx.ctx, eventColumns+where, args...)
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

// Events returns an issue's events with numbers below before, newest first, and
// whether there are more; before 0 starts at the newest.
func (rx *Rx) Events(issue, before int64, limit int) ([]Event, bool, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	limit = min(max(limit, 1), maxEventPage)
	events, err := rx.events(`WHERE issue_id = ? AND number < ? ORDER BY number DESC LIMIT ?`, issue, before, limit+1)
	if len(events) > limit {
		return events[:limit], true, err
	}
	return events, false, err
}

// EventByNumber returns the n-th event of an issue, ErrNotFound if there is none.
func (rx *Rx) EventByNumber(issue, number int64) (Event, error) {
	return one(rx.events(`WHERE issue_id = ? AND number = ?`, issue, number))
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

// EventPlace returns the numbers of the events around one of an issue's events.
func (rx *Rx) EventPlace(issue, number int64) (EventPlace, error) {
	var p EventPlace
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT coalesce((SELECT min(number) FROM events WHERE issue_id = ?1), 0),
		       coalesce((SELECT max(number) FROM events WHERE issue_id = ?1 AND number < ?2), 0),
		       coalesce((SELECT min(number) FROM events WHERE issue_id = ?1 AND number > ?2), 0),
		       coalesce((SELECT max(number) FROM events WHERE issue_id = ?1), 0)`, issue, number).
		Scan(&p.First, &p.Previous, &p.Next, &p.Last)
	return p, err
}

// storedBody is a row of event_bodies.
type storedBody struct {
	kind     wire.Kind
	encoding wire.Encoding
	meta     string
	body     []byte
}

// EventBody returns a stored event's payload, ErrNotFound if there is none.
func (rx *Rx) EventBody(eventRow int64) (EventBody, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT kind, encoding, meta, body FROM event_bodies WHERE event_id = ?`, eventRow)
	stored, err := one(collect(rows, err, func(b *storedBody) []any { return []any{&b.kind, &b.encoding, &b.meta, &b.body} }))
	if err != nil {
		return EventBody{}, err
	}
	body := EventBody{Kind: stored.kind}
	if body.JSON, err = rx.codec.Decompress(stored.body, stored.encoding); err != nil {
		return EventBody{}, fmt.Errorf("the stored body of event %d: %w", eventRow, err)
	}
	if err := json.Unmarshal([]byte(stored.meta), &body.Meta); err != nil {
		return EventBody{}, fmt.Errorf("the stored meta of event %d: %w", eventRow, err)
	}
	return body, nil
}
