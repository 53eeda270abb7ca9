package store

import (
	"slices"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// The ledger proves that nothing accepted went missing. An edge instance numbers
// what it accepts for a project 1, 2, 3 …; that sequence is a lane. A lane's
// high is the largest number decided, and every smaller one is decided too
// unless it lies in a gap. Numbers usually arrive in order, and then a digest
// changes one row.

// enterLedger marks the message's number as decided, and those of the ones right
// behind it that go with it. It returns false if it was before: the queue delivered
// the message again.
func (p *plan) enterLedger() (fresh bool, err error) {
	lane := p.cache.lanes[laneKey{p.in.Instance, p.in.Project}]
	if lane == nil {
		if err := p.insertLane(); err != nil {
			return false, err
		}
	} else {
		p.lane = *lane
	}
	seq, high := int64(p.in.Seq), p.lane.high
	if seq <= high {
		return p.fillGap(seq)
	}
	if seq > high+1 {
		if err := p.insertGap(gap{high + 1, seq - 1, p.now}); err != nil {
			return false, err
		}
		p.gaps = append(slices.Clone(p.known()), gap{high + 1, seq - 1, p.now})
	}
	p.lane.high = seq + p.behind
	return true, p.to.assert(`UPDATE edge_lanes SET high = CASE WHEN high = ? THEN ? END WHERE id = ?`, high, p.lane.high, p.lane.id)
}

// known returns the gaps of the lane that matter to the batch.
func (p *plan) known() []gap { return p.cache.gaps[laneKey{p.in.Instance, p.in.Project}] }

func (p *plan) insertLane() error {
	p.ids.lane++
	p.lane = laneState{id: p.ids.lane}
	if err := p.to.exec(`INSERT INTO edge_instances (instance, region, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		p.in.Instance[:], p.in.Region, p.now); err != nil {
		return err
	}
	return p.to.assert(`
		INSERT INTO edge_lanes (id, instance_id, project_id, high)
		SELECT ?, id, ?, 0 FROM edge_instances WHERE instance = ?`,
		p.lane.id, int64(p.in.Project), p.in.Instance[:])
}

func (p *plan) insertGap(g gap) error {
	return p.to.assert(`INSERT INTO edge_gaps (lane_id, from_seq, to_seq, since) VALUES (?, ?, ?, ?)`, p.lane.id, g.from, g.to, g.since)
}

// fillGap takes a number out of the gap in which it lies. If it lies in none it
// was decided before, which is asserted too: what is called a redelivery is
// deleted from its queue.
func (p *plan) fillGap(seq int64) (fresh bool, err error) {
	known := p.known()
	i := slices.IndexFunc(known, func(g gap) bool { return g.from <= seq && seq <= g.to })
	if i < 0 {
		return false, p.to.assert(`
			UPDATE edge_lanes SET redelivered = CASE WHEN high >= ?2 AND NOT EXISTS (
			  SELECT 1 FROM edge_gaps WHERE lane_id = ?1 AND from_seq <= ?2 AND to_seq >= ?2) THEN redelivered + 1 END
			WHERE id = ?1`, p.lane.id, seq)
	}
	old := known[i]
	if err := p.to.one(`DELETE FROM edge_gaps WHERE lane_id = ? AND from_seq = ? AND to_seq = ?`, p.lane.id, old.from, old.to); err != nil {
		return false, err
	}
	p.gaps = slices.Delete(slices.Clone(known), i, i+1)
	for _, g := range []gap{{old.from, seq - 1, old.since}, {seq + 1, old.to, old.since}} {
		if g.from > g.to {
			continue
		}
		if err := p.insertGap(g); err != nil {
			return false, err
		}
		p.gaps = append(p.gaps, g)
	}
	return true, nil
}

// Lane is how far the digester has come with what one edge instance accepted for
// one project.
type Lane struct {
	Instance    wire.InstanceID
	Project     event.ProjectID
	Region      string
	High        int64 // the largest number decided
	Missing     int64 // smaller numbers that were not: on their way, or lost
	Redelivered int64
}

// Lanes returns the whole ledger.
func (rx *Rx) Lanes() ([]Lane, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT i.instance, l.project_id, i.region, l.high,
		       (SELECT coalesce(sum(to_seq - from_seq + 1), 0) FROM edge_gaps g WHERE g.lane_id = l.id), l.redelivered
		FROM edge_lanes l JOIN edge_instances i ON i.id = l.instance_id ORDER BY l.id`)
	var instance []byte
	return collectThen(rows, err, func(l *Lane) []any {
		return []any{&instance, &l.Project, &l.Region, &l.High, &l.Missing, &l.Redelivered}
	}, func(l *Lane) { copy(l.Instance[:], instance) })
}
