package store

import (
	"math"

	"sundew/schema/event"
)

// maxEventsPassed bounds how many events of other projects a page of a project's events
// goes past: there is no index of them by project, and it would cost every digest.
const maxEventsPassed = 20_000

// ProjectEvents returns a project's events with ids below before, the newest first;
// before 0 starts at the newest. next is where to go on, 0 if there is nothing more: it
// may come with a page that is not full, or empty.
func (rx *Rx) ProjectEvents(project event.ProjectID, before int64, limit int) (events []Event, next int64, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	limit = min(max(limit, 1), maxEventPage)
	var low int64
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT coalesce((SELECT id FROM events WHERE id < ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2), 0)`, before, maxEventsPassed).Scan(&low)
	if err != nil {
		return nil, 0, err
	}
	events, err = rx.events(`WHERE e.id < ? AND e.id > ? AND +e.project_id = ? ORDER BY e.id DESC LIMIT ?`, before, low, int64(project), limit)
	if len(events) == limit {
		return events, events[limit-1].ID, err
	}
	if low > 0 {
		low++
	}
	return events, low, err
}
