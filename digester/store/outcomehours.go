package store

import (
	"database/sql"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxOutcomeRows bounds what of the books is handed out at a time.
const maxOutcomeRows = 50_000

// OutcomeHour is a line of the books: of an hour, or of several.
type OutcomeHour struct {
	Project  event.ProjectID
	Hour     time.Time // the first
	Category string
	Outcome  string // as the constants below, or another of wire.Outcome
	Reason   string
	Quantity int64
}

// OutcomeHours returns the books of some projects from one hour until before another, in
// stretches of so many hours, counted from the epoch. The error is ErrTooMany where they
// have too many lines.
func (rx *Rx) OutcomeHours(projects []event.ProjectID, from, to time.Time, stretch int64) ([]OutcomeHour, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT o.project_id, o.hour / ?4 * ?4, o.category, o.outcome, o.reason, sum(o.quantity)
		FROM json_each(?1) p CROSS JOIN outcomes o ON o.project_id = p.value AND o.hour >= ?2 AND o.hour < ?3
		GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 LIMIT ?5`,
		jsonOf(projects), hourOf(from), hourOf(to), max(stretch, 1), maxOutcomeRows+1)
	var hour sql.NullInt64
	all, err := collectThen(rows, err, func(o *OutcomeHour) []any {
		return []any{&o.Project, &hour, &o.Category, &o.Outcome, &o.Reason, &o.Quantity}
	}, func(o *OutcomeHour) { o.Hour = fromHour(hour.Int64) })
	if len(all) > maxOutcomeRows {
		return nil, ErrTooMany
	}
	return all, err
}

// Outcomes, for those who read the books.
const (
	BookStored    = outcomeStored
	BookDuplicate = outcomeDuplicate
	BookDropped   = outcomeDropped
	BookUnstored  = string(wire.OutcomeUnstored)
	BookLimited   = string(wire.OutcomeLimited)
	BookClient    = string(wire.OutcomeClient)
)
