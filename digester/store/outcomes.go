package store

import (
	"context"

	"sundew/schema/wire"
)

// maxRejects is how many of the newest dropped messages are kept.
const maxRejects = 10_000

// Outcomes of messages, as the books name them. Those of items that never became
// messages are wire.Outcome.
const (
	outcomeStored    = "stored"
	outcomeDuplicate = "duplicate"
	outcomeDropped   = "dropped"
)

// countOutcome adds to the books.
func (tx *Tx) countOutcome(project, hour int64, category, outcome, reason string, quantity int64) error {
	_, err := tx.exec(`
		INSERT INTO outcomes (project_id, hour, category, outcome, reason, quantity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT DO UPDATE SET quantity = quantity + ?6`,
		project, hour, category, outcome, reason, quantity)
	if err != nil || outcome == outcomeStored {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO outcome_totals (project_id, category, outcome, reason, quantity) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET quantity = quantity + ?5`,
		project, category, outcome, reason, quantity)
	return err
}

// DigestCounts commits a message of counts in one transaction, once however
// often it is delivered. Only the message's origin is read of in.
func (d *DB) DigestCounts(ctx context.Context, in *Incoming, counts []wire.Count) (Result, error) {
	result := Stored
	err := d.exclusively(ctx, "digest counts", func() error {
		return d.writeLocked(ctx, func(tx *Tx) error {
			fresh, err := tx.enterLedger(d.cache, in)
			if err != nil {
				return err
			}
			if !fresh {
				result = Redelivered
				return nil
			}
			for _, c := range counts {
				if err := tx.countOutcome(int64(c.Project), hourOf(c.Hour), c.Category, string(c.Outcome), c.Reason, c.Quantity); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return result, err
}

// recordReject keeps what was dropped and why, as far as there is room.
func (tx *Tx) recordReject(in *Incoming, reason, detail string) error {
	id, err := tx.insert(`
		INSERT INTO rejects (project_id, event_id, received_at, digested_at, reason, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(in.Project), in.EventID[:], ms(in.ReceivedAt), ms(tx.now), reason, detail)
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM rejects WHERE id <= ?`, id-maxRejects)
	return err
}

// Outcomes returns the books summed over all hours. Stored events come without
// their category.
func (rx *Rx) Outcomes() ([]OutcomeCount, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT project_id, category, outcome, reason, quantity FROM outcome_totals
		UNION ALL SELECT id, '', 'stored', '', event_count FROM projects WHERE event_count > 0
		ORDER BY 1, 2, 3, 4`)
	return collect(rows, err, func(o *OutcomeCount) []any {
		return []any{&o.Project, &o.Category, &o.Outcome, &o.Reason, &o.Quantity}
	})
}

// Totals are sums over the whole database.
type Totals struct {
	StoredEvents  int64
	Issues        int64
	Projects      int64
	DatabaseBytes int64 // pages in use and free, without the WAL
	Batches       int64
}

// Totals returns them; the counters it sums are kept, not counted.
func (rx *Rx) Totals() (Totals, error) {
	var t Totals
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT (SELECT coalesce(sum(event_count), 0) FROM projects),
		       (SELECT coalesce(sum(issue_count), 0) FROM projects),
		       (SELECT count(*) FROM projects),
		       (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()),
		       (SELECT batch FROM digest_state)`).
		Scan(&t.StoredEvents, &t.Issues, &t.Projects, &t.DatabaseBytes, &t.Batches)
	return t, err
}
