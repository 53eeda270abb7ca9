package store

import (
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Outcomes of messages, as the books name them; items that never became messages
// have those of wire.Outcome.
const (
	OutcomeStored    = outcomeStored
	OutcomeDuplicate = outcomeDuplicate
	OutcomeDropped   = outcomeDropped
)

// Books are the database's side of the books: what was decided, and which
// numbers have not arrived.
type Books struct {
	Totals   Totals
	Outcomes []OutcomeCount // of all time
	Hours    []HourOutcome  // of the newest hours
	Lanes    []Lane
	Gaps     []Gap
}

// HourOutcome is a line of the books of one hour.
type HourOutcome struct {
	OutcomeCount
	Hour time.Time // its start, UTC
}

// Gap is a run of numbers below a lane's high that have not arrived.
type Gap struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	From, To int64 // inclusive
	Since    time.Time
}

// Reject is a message that was dropped.
type Reject struct {
	Project    event.ProjectID
	EventID    event.ID
	ReceivedAt time.Time
	DigestedAt time.Time
	Reason     string
	Detail     string // says more, for people; may quote what a client sent
}

// Books returns the books as of one moment, hours from since on.
func (rx *Rx) Books(since time.Time) (b Books, err error) {
	if b.Totals, err = rx.Totals(); err != nil {
		return b, err
	}
	if b.Outcomes, err = rx.Outcomes(); err != nil {
		return b, err
	}
	if b.Hours, err = rx.HourOutcomes(since); err != nil {
		return b, err
	}
	if b.Lanes, err = rx.Lanes(); err != nil {
		return b, err
	}
	b.Gaps, err = rx.Gaps()
	return b, err
}

// HourOutcomes returns the books of each hour from since on, by project and hour.
// The few projects that the books know are looked up first, so that only their
// newest hours are read and not all the books.
func (rx *Rx) HourOutcomes(since time.Time) ([]HourOutcome, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		WITH known (id) AS (SELECT id FROM projects UNION SELECT project_id FROM outcome_totals)
		SELECT o.project_id, o.hour, o.category, o.outcome, o.reason, o.quantity
		FROM known CROSS JOIN outcomes o ON o.project_id = known.id AND o.hour >= ?
		ORDER BY o.project_id, o.hour, o.category, o.outcome, o.reason`, hourOf(since))
	var hour int64
	return collectThen(rows, err, func(o *HourOutcome) []any {
		return []any{&o.Project, &hour, &o.Category, &o.Outcome, &o.Reason, &o.Quantity}
	}, func(o *HourOutcome) { o.Hour = fromHour(hour) })
}

// Gaps returns the open gaps of all lanes, those of one lane in order.
func (rx *Rx) Gaps() ([]Gap, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.instance, l.project_id, g.from_seq, g.to_seq, g.since
		FROM edge_gaps g JOIN edge_lanes l ON l.id = g.lane_id JOIN edge_instances i ON i.id = l.instance_id
		ORDER BY g.lane_id, g.from_seq`)
	var instance []byte
	var since int64
	return collectThen(rows, err, func(g *Gap) []any {
		return []any{&instance, &g.Project, &g.From, &g.To, &since}
	}, func(g *Gap) {
		copy(g.Instance[:], instance)
		g.Since = time.UnixMilli(since).UTC()
	})
}

// Rejects returns the newest dropped messages of a project, or with zero of all,
// the newest first. There are never more than maxRejects to look through.
func (rx *Rx) Rejects(project event.ProjectID, limit int) ([]Reject, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT project_id, event_id, received_at, digested_at, reason, detail
		FROM rejects WHERE ?1 = 0 OR project_id = ?1 ORDER BY id DESC LIMIT ?2`, int64(project), limit)
	var id []byte
	var received, digested int64
	return collectThen(rows, err, func(r *Reject) []any {
		return []any{&r.Project, &id, &received, &digested, &r.Reason, &r.Detail}
	}, func(r *Reject) {
		copy(r.EventID[:], id)
		r.ReceivedAt, r.DigestedAt = time.UnixMilli(received).UTC(), time.UnixMilli(digested).UTC()
	})
}
