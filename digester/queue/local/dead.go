package local

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"sundew/digester/queue"
)

// DeadLetters returns dead letters, the newest messages first, at most limit.
func (q *Queue) DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error) {
	return q.view.DeadLetters(ctx, limit)
}

// Redrive puts dead letters back, visible at once and as if never delivered, and
// returns how many there were; ids of none are skipped. They keep their age, and
// so come before newer messages.
func (q *Queue) Redrive(ctx context.Context, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	moved := 0
	o := newOp(len(ids), func(b *batch) error {
		moved = 0
		for _, id := range ids {
			number, err := strconv.ParseInt(id, 10, 64)
			if err != nil {
				continue
			}
			n, err := b.redrive(number)
			if err != nil {
				return err
			}
			moved += n
		}
		b.appeared = true
		return nil
	})
	if err := q.do(ctx, o, true); err != nil {
		return 0, fmt.Errorf("redriving: %w", err)
	}
	return moved, nil
}

// redrive returns 1 if id was a dead letter, else 0.
func (b *batch) redrive(id int64) (int, error) {
	result, err := b.q.stmt.unearth.ExecContext(b.ctx, visibleNow, id)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return 0, err
	}
	return 1, b.exec(b.q.stmt.deleteDead, id, id)
}

// bury makes a message a dead letter.
func (b *batch) bury(id int64) error {
	if err := b.exec(b.q.stmt.bury, b.now, id); err != nil {
		return fmt.Errorf("making a dead letter: %w", err)
	}
	if err := b.exec(b.q.stmt.deleteMessages, id, id); err != nil {
		return fmt.Errorf("making a dead letter: %w", err)
	}
	b.buried++
	return nil
}

// DeadLetters returns dead letters, the newest messages first, at most limit.
func (i *Inspector) DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error) {
	const newest = `
		SELECT
		  d.id,
		  b.body,
		  d.receives,
		  d.sent_at,
		  d.dead_at
		FROM dead d
		LEFT JOIN bodies b ON b.id = d.id
		ORDER BY d.id DESC
		LIMIT ?`
	var all []queue.DeadLetter
	err := i.snapshot(ctx, func(tx *sql.Tx) error {
		return query(ctx, tx, newest, []any{limit}, func(rows *sql.Rows) error {
			var d queue.DeadLetter
			var id int64
			var sentAt, deadAt int64
			err := rows.Scan(&id, &d.Body, &d.Receives, &sentAt, &deadAt)
			d.ID = strconv.FormatInt(id, 10)
			d.SentAt, d.DeadAt = time.UnixMilli(sentAt).UTC(), time.UnixMilli(deadAt).UTC()
			all = append(all, d)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading dead letters: %w", err)
	}
	return all, nil
}
