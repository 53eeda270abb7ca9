package store

import "sundew/schema/wire"

// maxRejects is how many of the newest dropped messages are kept.
const maxRejects = 10_000

// Outcomes of messages, as the books name them. Those of items that never became
// messages are wire.Outcome.
const (
	outcomeStored    = "stored"
	outcomeDuplicate = "duplicate"
	outcomeDropped   = "dropped"
)

// outcome adds the message to the books.
func (p *plan) outcome(outcome, reason string) error {
	return p.add(wire.Count{
		Project: p.in.Project, Hour: p.in.ReceivedAt, Category: p.in.Category, Outcome: wire.Outcome(outcome), Reason: reason, Quantity: 1,
	})
}

// count is the rest of the plan for a message of counts.
func (p *plan) count() error {
	p.result = Stored
	for _, c := range p.in.Counts {
		if err := p.add(c); err != nil {
			return err
		}
	}
	return nil
}

// add adds to the books.
func (p *plan) add(c wire.Count) error {
	err := p.to.exec(`
		INSERT INTO outcomes (project_id, hour, category, outcome, reason, quantity) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT DO UPDATE SET quantity = quantity + ?6`,
		int64(c.Project), hourOf(c.Hour), c.Category, string(c.Outcome), c.Reason, c.Quantity)
	if err != nil || c.Outcome == outcomeStored && c.Category != CategoryAttachment && c.Category != CategoryFeedback {
		return err
	}
	return p.to.exec(`
		INSERT INTO outcome_totals (project_id, category, outcome, reason, quantity) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET quantity = quantity + ?5`,
		int64(c.Project), c.Category, string(c.Outcome), c.Reason, c.Quantity)
}

// recordReject keeps what was dropped and why, as far as there is room.
func (p *plan) recordReject(reason, detail string) error {
	if err := p.to.exec(`
		INSERT INTO rejects (project_id, event_id, received_at, digested_at, reason, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(p.in.Project), p.in.EventID[:], ms(p.in.ReceivedAt), p.now, reason, detail); err != nil {
		return err
	}
	return p.to.exec(`DELETE FROM rejects WHERE id <= (SELECT max(id) FROM rejects) - ?`, maxRejects)
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
		       (SELECT count(*) FROM projects WHERE deleted_at IS NULL),
		       (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()),
		       (SELECT batch FROM digest_state)`).
		Scan(&t.StoredEvents, &t.Issues, &t.Projects, &t.DatabaseBytes, &t.Batches)
	return t, err
}
