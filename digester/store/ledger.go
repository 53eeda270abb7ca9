package store

import (
	"database/sql"
	"errors"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// The ledger proves that nothing accepted went missing. An edge instance numbers
// what it accepts for a project 1, 2, 3 …; that sequence is a lane. A lane's
// high is the largest number decided, and every smaller one is decided too
// unless it lies in a gap. Numbers usually arrive in order, and then a digest
// changes one row.

// enterLedger marks the message's number as decided. It returns false if it was
// before: the queue delivered the message again.
func (tx *Tx) enterLedger(cache *digestCache, in *Incoming) (fresh bool, err error) {
	key := laneKey{in.Instance, in.Project}
	lane, known := cache.lanes[key]
	if !known {
		if lane, err = tx.loadLane(in); err != nil {
			return false, err
		}
	}
	seq, high := int64(in.Seq), lane.high
	switch {
	case seq == high+1:
		_, err = tx.exec(`UPDATE edge_lanes SET high = ? WHERE id = ?`, seq, lane.id)
		high = seq
	case seq > high+1:
		err = tx.openGap(lane.id, high+1, seq-1)
		if err == nil {
			_, err = tx.exec(`UPDATE edge_lanes SET high = ? WHERE id = ?`, seq, lane.id)
		}
		high = seq
	default:
		if fresh, err = tx.fillGap(lane.id, seq); err == nil && !fresh {
			_, err = tx.exec(`UPDATE edge_lanes SET redelivered = redelivered + 1 WHERE id = ?`, lane.id)
			return false, err
		}
	}
	if err != nil {
		return false, err
	}
	after := &laneState{id: lane.id, high: high}
	tx.OnCommit(func() { remember(cache.lanes, key, after) })
	return true, nil
}

func (tx *Tx) loadLane(in *Incoming) (*laneState, error) {
	if _, err := tx.exec(`INSERT INTO edge_instances (instance, region, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		in.Instance[:], in.Region, ms(tx.now)); err != nil {
		return nil, err
	}
	if _, err := tx.exec(`
		INSERT INTO edge_lanes (instance_id, project_id, high)
		SELECT id, ?, 0 FROM edge_instances WHERE instance = ? ON CONFLICT DO NOTHING`,
		int64(in.Project), in.Instance[:]); err != nil {
		return nil, err
	}
	var l laneState
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT l.id, l.high FROM edge_lanes l JOIN edge_instances i ON i.id = l.instance_id
		WHERE i.instance = ? AND l.project_id = ?`, in.Instance[:], int64(in.Project)).Scan(&l.id, &l.high)
	return &l, err
}

func (tx *Tx) openGap(lane, from, to int64) error {
	_, err := tx.exec(`INSERT INTO edge_gaps (lane_id, from_seq, to_seq, since) VALUES (?, ?, ?, ?)`, lane, from, to, ms(tx.now))
	return err
}

// fillGap takes a number out of the gap in which it lies and returns false if it
// lies in none.
func (tx *Tx) fillGap(lane, seq int64) (bool, error) {
	var from, to, since int64
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT from_seq, to_seq, since FROM edge_gaps WHERE lane_id = ? AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1`,
		lane, seq).Scan(&from, &to, &since)
	if errors.Is(err, sql.ErrNoRows) || err == nil && to < seq {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := tx.exec(`DELETE FROM edge_gaps WHERE lane_id = ? AND from_seq = ?`, lane, from); err != nil {
		return false, err
	}
	const insert = `INSERT INTO edge_gaps (lane_id, from_seq, to_seq, since) VALUES (?, ?, ?, ?)`
	if from < seq {
		if _, err := tx.exec(insert, lane, from, seq-1, since); err != nil {
			return false, err
		}
	}
	if seq < to {
		if _, err := tx.exec(insert, lane, seq+1, to, since); err != nil {
			return false, err
		}
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
