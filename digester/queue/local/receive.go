package local

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/queue"
)

// maxReceiveBytes bounds what one Receive reads into memory; one message may
// exceed it.
const maxReceiveBytes = 16 << 20

// Receive returns up to limit visible messages, oldest first, and waits up to
// wait for the first; none and no error when nothing came. Those it returns are
// invisible to others for Config.Visibility, and counted as delivered, on disk,
// so that a message that kills the process is set aside in the end. A limit
// beyond 512 counts as 512, one below 1 as 1.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	expired := time.NewTimer(wait)
	defer expired.Stop()
	for {
		wake := q.woken() // before looking, so that nothing that comes after it is missed
		d := delivery{limit: max(1, min(limit, maxBatch)), wantDue: wait > 0}
		// Patient: messages must not be left invisible with nobody who has them.
		if err := q.do(ctx, newOp(d.limit, d.apply), true); err != nil {
			return nil, fmt.Errorf("receiving: %w", err)
		}
		if len(d.messages) > 0 || wait <= 0 {
			return d.messages, nil
		}
		again, err := q.await(ctx, wake, d.due, expired.C)
		if !again {
			return nil, err
		}
	}
}

// woken returns a channel that is closed when receivers should look again.
func (q *Queue) woken() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wake
}

// await waits for a reason to look again and reports whether there was one.
func (q *Queue) await(ctx context.Context, wake <-chan struct{}, due int64, expired <-chan time.Time) (bool, error) {
	var visible <-chan time.Time
	if due > 0 {
		timer := time.NewTimer(time.UnixMilli(due).Sub(q.cfg.Now()))
		defer timer.Stop()
		visible = timer.C
	}
	select {
	case <-wake:
		return true, nil
	case <-visible:
		return true, nil
	case <-expired:
		return false, nil
	case <-ctx.Done():
		return false, fmt.Errorf("receiving: %w", ctx.Err())
	}
}

// delivery is one look for messages.
type delivery struct {
	limit   int
	wantDue bool // when there are none: also when there will be

	messages []queue.Message
	due      int64 // when the next message becomes visible, zero if there is none
}

// apply takes visible messages until there is one to deliver: those delivered
// too often already are set aside, at most maxBatch of them in one transaction.
func (d *delivery) apply(b *batch) error {
	d.messages, d.due = nil, 0 // it may run a second time
	for buried := 0; buried < maxBatch; {
		found, err := b.visible(d.limit)
		if err != nil {
			return fmt.Errorf("reading messages: %w", err)
		}
		if len(found) == 0 {
			break
		}
		last := found[len(found)-1].id
		for _, f := range found {
			if f.receives >= b.q.cfg.MaxReceives {
				if err := b.bury(f.id); err != nil {
					return err
				}
				buried++
				continue
			}
			d.messages = append(d.messages, f.message())
		}
		if len(d.messages) > 0 {
			// The same condition over the same range, in the same transaction, is the
			// same set of messages: one statement for all of them.
			until := b.now + b.q.cfg.Visibility.Milliseconds()
			if err := b.exec(b.q.stmt.hide, until, found[0].id, last, b.now); err != nil {
				return fmt.Errorf("hiding messages: %w", err)
			}
			return nil
		}
	}
	if !d.wantDue {
		return nil
	}
	var due sql.NullInt64
	if err := b.q.stmt.due.QueryRowContext(b.ctx).Scan(&due); err != nil {
		return fmt.Errorf("reading the next time: %w", err)
	}
	d.due = due.Int64
	return nil
}

// found is a visible message.
type found struct {
	id       int64
	receives int // before this delivery
	sentAt   int64
	body     []byte
}

func (f found) message() queue.Message {
	return queue.Message{
		Body:     f.body,
		Receipt:  receipt{f.id, int64(f.receives) + 1}.String(),
		Receives: f.receives + 1,
		SentAt:   time.UnixMilli(f.sentAt).UTC(),
	}
}

// visible returns the oldest visible messages.
func (b *batch) visible(limit int) ([]found, error) {
	rows, err := b.q.stmt.visible.QueryContext(b.ctx, b.now, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []found
	for size := 0; size < maxReceiveBytes && rows.Next(); {
		var f found
		var body sql.RawBytes
		if err := rows.Scan(&f.id, &f.receives, &f.sentAt, &body); err != nil {
			return nil, err
		}
		f.body = bytes.Clone(body)
		size += len(f.body)
		all = append(all, f)
	}
	return all, rows.Err()
}

// receipt names one delivery of a message: its id and the how-manieth it was.
type receipt struct{ id, receives int64 }

func (r receipt) String() string {
	return strconv.FormatInt(r.id, 10) + "." + strconv.FormatInt(r.receives, 10)
}

func parseReceipt(s string) (receipt, error) {
	id, receives, _ := strings.Cut(s, ".")
	var r receipt
	var err error
	if r.id, err = strconv.ParseInt(id, 10, 64); err != nil {
		return r, fmt.Errorf("%w: %q", ErrReceipt, s)
	}
	if r.receives, err = strconv.ParseInt(receives, 10, 64); err != nil {
		return r, fmt.Errorf("%w: %q", ErrReceipt, s)
	}
	return r, nil
}

// run is a range of messages with consecutive ids, delivered equally often. What
// is received together is mostly deleted together, so a batch of receipts is one
// run, or a few.
type run struct{ first, last, receives int64 }

func parseRuns(receipts []string) ([]run, error) {
	parsed := make([]receipt, len(receipts))
	for i, s := range receipts {
		var err error
		if parsed[i], err = parseReceipt(s); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(parsed, func(a, b receipt) int { return cmp.Compare(a.id, b.id) })
	var runs []run
	for _, r := range parsed {
		if n := len(runs); n > 0 && r.id == runs[n-1].last+1 && r.receives == runs[n-1].receives {
			runs[n-1].last = r.id
			continue
		}
		runs = append(runs, run{r.id, r.id, r.receives})
	}
	return runs, nil
}

// Extend makes messages invisible for d from now, visible at once if d is zero.
// A receipt of an earlier delivery than the newest has no say any more and is
// skipped, as is one of a deleted message or a dead letter.
func (q *Queue) Extend(ctx context.Context, receipts []string, d time.Duration) error {
	runs, err := parseRuns(receipts)
	if err != nil || len(runs) == 0 {
		return err
	}
	o := newOp(len(receipts), func(b *batch) error {
		until := visibleNow
		if d > 0 {
			until = b.now + d.Milliseconds()
		}
		for _, r := range runs {
			if err := b.exec(b.q.stmt.extend, until, r.first, r.last, r.receives); err != nil {
				return err
			}
		}
		b.appeared = true
		return nil
	})
	if err := q.do(ctx, o, false); err != nil {
		return fmt.Errorf("extending: %w", err)
	}
	return nil
}

// Delete removes messages for good, durably. Unknown receipts are fine. Any
// receipt of a message will do, also one of an earlier delivery, and also when it
// has become a dead letter meanwhile: who deletes has dealt with the message, and
// to deliver it again would only be a duplicate.
func (q *Queue) Delete(ctx context.Context, receipts []string) error {
	runs, err := parseRuns(receipts)
	if err != nil || len(runs) == 0 {
		return err
	}
	o := newOp(len(receipts), func(b *batch) error {
		stmt := &b.q.stmt
		for _, r := range runs {
			for _, del := range []*sql.Stmt{stmt.deleteMessages, stmt.deleteDead, stmt.deleteBodies} {
				if err := b.exec(del, r.first, r.last); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := q.do(ctx, o, false); err != nil {
		return fmt.Errorf("deleting: %w", err)
	}
	return nil
}
