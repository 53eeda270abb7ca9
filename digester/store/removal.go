package store

import (
	"context"
	"encoding/json"
	"time"
)

// These are rows of events, by a JSON list of their ids in ?1.
const (
	theseIDs   = `(SELECT value FROM json_each(?1))`
	theseFiles = `(SELECT a.id FROM json_each(?1) j CROSS JOIN events e ON e.id = j.value
	               CROSS JOIN attachments a ON a.event_id = e.event_id AND a.project_id = e.project_id)`
)

// goneWithEvents is what removes events, whatever refers to them and the files that
// came with them, and notes in every count that they are gone. Those that are gone
// already change nothing.
func goneWithEvents() []string {
	return []string{
		`UPDATE projects SET attachment_bytes = attachment_bytes - gone.bytes, attachments_evicted = attachments_evicted + gone.n FROM (
		   SELECT project_id AS p, sum(bytes) AS bytes, count(*) AS n FROM attachments WHERE id IN ` + theseFiles + ` GROUP BY 1) gone
		 WHERE id = gone.p`,
		`DELETE FROM attachment_parts WHERE attachment_id IN ` + theseFiles,
		`DELETE FROM attachments WHERE id IN ` + theseFiles,
		`UPDATE digest_state SET removed_event = max(removed_event, coalesce((SELECT max(id) FROM events WHERE id IN ` + theseIDs + `), 0))`,
		`UPDATE release_counts SET evicted = evicted + gone.n FROM (
		   SELECT project_id AS p, release AS r, environment AS e, count(*) AS n FROM events WHERE id IN ` + theseIDs + ` GROUP BY 1, 2, 3) gone
		 WHERE project_id = gone.p AND release = gone.r AND environment = gone.e`,
		`UPDATE issues SET evicted_events = evicted_events + gone.n FROM (
		   SELECT issue_id AS i, count(*) AS n FROM events WHERE id IN ` + theseIDs + ` GROUP BY 1) gone
		 WHERE id = gone.i`,
		`UPDATE projects SET evicted_events = evicted_events + gone.n FROM (
		   SELECT project_id AS p, count(*) AS n FROM events WHERE id IN ` + theseIDs + ` GROUP BY 1) gone
		 WHERE id = gone.p`,
		`UPDATE history SET event_id = NULL WHERE event_id IN ` + theseIDs,
		`DELETE FROM event_moves WHERE event_id IN ` + theseIDs,
		`DELETE FROM event_symbols WHERE event_id IN ` + theseIDs,
		`DELETE FROM event_bodies WHERE event_id IN ` + theseIDs,
	}
}

// RemoveEvents removes events by their rows' ids, with their files, and returns how
// many were still there. What is counted of them stays counted. How long that takes
// says EventWeights.
func (tx *Tx) RemoveEvents(ids []int64) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	for _, statement := range goneWithEvents() {
		if _, err := tx.exec(statement, string(list)); err != nil {
			return 0, err
		}
	}
	return tx.exec(`DELETE FROM events WHERE id IN `+theseIDs, string(list))
}

const (
	// removalWeight is how many transactions of a digest the removal of an event
	// counts as, when it comes to moving the WAL into the database. The pages of an
	// event are all over the file; moved in small pieces they keep nobody waiting.
	removalWeight = 4

	// maxRemovals is after how many events removing makes a Barrier itself.
	maxRemovals = 512
)

// RemoveEvents removes events in one transaction, as Tx.RemoveEvents does, and returns
// how long that took, without what it waited for its turn. It does not wait for the
// disk: the next Write makes it last, and a power cut before that undoes it; then it can
// be done again. Where events are digested there soon is one, and who digests also
// moves the WAL, between two batches; only where there is none it is made here.
func (d *DB) RemoveEvents(ctx context.Context, why string, ids []int64) (n int64, took time.Duration, err error) {
	err = d.exclusively(ctx, why, func() error {
		began := time.Now()
		err := d.writeLocked(ctx, func(tx *Tx) (err error) {
			n, err = tx.RemoveEvents(ids)
			return err
		})
		took = time.Since(began)
		return err
	})
	if err != nil {
		return 0, took, err
	}
	d.unmoved.Add(removalWeight * n)
	if d.removals.Add(n) > maxRemovals {
		err = d.Barrier(ctx)
	}
	return n, took, err
}

// EventWeight is how many bytes go with an event.
type EventWeight struct {
	ID    int64
	Bytes int64 // of its body, its source frames and its files
}

// EventWeights returns how much goes with events, by their rows' ids, in this order;
// those that are gone are left out.
func (rx *Rx) EventWeights(ids []int64) ([]EventWeight, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT e.id, length(b.body) + coalesce((SELECT length(s.body) FROM event_symbols s WHERE s.event_id = e.id), 0) + coalesce((
		  SELECT sum(a.bytes) FROM attachments a WHERE a.event_id = e.event_id AND a.project_id = e.project_id), 0)
		FROM json_each(?) j CROSS JOIN events e ON e.id = j.value JOIN event_bodies b ON b.event_id = e.id ORDER BY j.key`, string(list))
	return collect(rows, err, func(w *EventWeight) []any { return []any{&w.ID, &w.Bytes} })
}

// oldestEvents returns the rows' ids of an issue's oldest events.
func (rx *Rx) oldestEvents(issue int64, limit int) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id FROM events WHERE issue_id = ? ORDER BY number LIMIT ?`, issue, limit)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}
