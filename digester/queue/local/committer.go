package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	sqlite3 "modernc.org/sqlite/lib"

	"sundew/schema/event"
)

// Bounds of one transaction. They keep the time that an operation waits for the
// one before it to some tens of milliseconds; one operation may exceed them.
const (
	maxBatch      = 512     // messages sent or received, receipts
	maxBatchBytes = 8 << 20 // of bodies sent
)

// op is one operation on its way through the committer.
type op struct {
	// apply runs inside the transaction, on the committer, and again if that
	// transaction came to nothing and is repeated.
	apply func(*batch) error

	weight int        // messages or receipts
	bytes  int        // of bodies sent
	sends  bool       // needs room on disk, so it is the one to fail when there is none
	done   chan error // one value: the fate of the transaction
}

func newOp(weight int, apply func(*batch) error) *op {
	return &op{apply: apply, weight: weight, done: make(chan error, 1)}
}

// do hands o to the committer and returns once its transaction is durable, with
// nil, or certainly did not take place, with the reason; ErrStopped means neither.
// If ctx ends before the committer took o, o does not take place. After that do
// waits on if patient, and otherwise returns ctx's error with o's fate unknown.
func (q *Queue) do(ctx context.Context, o *op, patient bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if err := q.refusal; err != nil {
		q.mu.Unlock()
		return err
	}
	q.pending = append(q.pending, o)
	q.arrived.Signal()
	q.mu.Unlock()

	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
	}
	if q.withdraw(o) || !patient {
		return ctx.Err()
	}
	return <-o.done
}

// withdraw takes o back and reports whether it was still there to take.
func (q *Queue) withdraw(o *op) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.pending, o)
	if i < 0 {
		return false
	}
	q.pending = slices.Delete(q.pending, i, i+1)
	return true
}

// run is the committer: it ends when the queue is closing and nothing is pending.
func (q *Queue) run() {
	defer close(q.done)
	for {
		ops := q.take()
		if len(ops) == 0 {
			return
		}
		q.settle(ops)
	}
}

// take waits for pending operations and returns as many, oldest first, as make a
// transaction; none when the queue is closing.
func (q *Queue) take() []*op {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.pending) == 0 && !q.closing {
		q.arrived.Wait()
	}
	n, weight, bytes := 0, 0, 0
	for _, o := range q.pending {
		weight += o.weight
		bytes += o.bytes
		if n > 0 && (weight > maxBatch || bytes > maxBatchBytes) {
			break
		}
		n++
	}
	ops := slices.Clone(q.pending[:n])
	q.pending = slices.Delete(q.pending, 0, n)
	return ops
}

// settle decides the fate of ops and tells it to those who wait.
//
// Without room on disk the sends fail, and only they if it can be helped: deleting
// is what makes room, so the others get a second transaction, in a WAL that a
// checkpoint has emptied if there was room for that.
func (q *Queue) settle(ops []*op) {
	err := q.transact(ops)
	if isNoRoom(err) && !errors.Is(err, ErrStopped) {
		if q.setRefusing(err) {
			q.cfg.Log.Error().Err(err).Msg("local queue: the disk takes no more, messages are refused")
		}
		var others []*op
		for _, o := range ops {
			if o.sends {
				o.done <- err
			} else {
				others = append(others, o)
			}
		}
		_, _ = q.conn.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`)
		ops = others
		err = q.transact(ops)
	}
	for _, o := range ops {
		o.done <- err
	}
}

// transact runs ops as one transaction. An error that is not ErrStopped means
// that nothing of it took place.
func (q *Queue) transact(ops []*op) error {
	if len(ops) == 0 {
		return nil
	}
	if err := q.refused(); err != nil {
		return err
	}
	ctx := context.Background() // an operation once begun is not interrupted
	if _, err := q.stmt.begin.ExecContext(ctx); err != nil {
		// BUSY: another process, a shell perhaps, has held the lock for too long.
		if isCode(err, sqlite3.SQLITE_BUSY) || isNoRoom(err) {
			return fmt.Errorf("local queue: nothing was changed: %w", err)
		}
		return q.stop("BEGIN", err)
	}
	b := q.newBatch(ctx)
	if err := b.run(ops); err != nil {
		return q.rollback(err)
	}
	if err := q.commit(ctx); err != nil {
		// The commit's frames could not all be written to the WAL, and without the
		// last one they do not count. Anything else, a failed fsync above all, may
		// or may not have reached the disk.
		if isNoRoom(err) {
			return q.rollback(err)
		}
		_, _ = q.stmt.rollback.ExecContext(ctx) // if it is still open it must not keep the lock
		return q.stop("COMMIT", err)
	}
	b.publish()
	return nil
}

// commit makes the transaction durable.
func (q *Queue) commit(ctx context.Context) error {
	if q.cfg.onCommit != nil {
		if apply, err := q.cfg.onCommit(); !apply || err != nil {
			if apply {
				_, _ = q.stmt.commit.ExecContext(ctx)
			}
			return err
		}
	}
	_, err := q.stmt.commit.ExecContext(ctx)
	return err
}

// rollback ends the transaction and returns why, or stops the queue if the
// connection cannot be brought out of it.
func (q *Queue) rollback(why error) error {
	_, err := q.stmt.rollback.ExecContext(context.Background())
	// SQLITE_ERROR: there is no transaction, SQLite had ended it by itself.
	if err != nil && !isCode(err, sqlite3.SQLITE_ERROR) {
		return q.stop("ROLLBACK", errors.Join(err, why))
	}
	return fmt.Errorf("local queue: nothing was changed: %w", why)
}

// stop ends the queue's life: see ErrStopped.
func (q *Queue) stop(during string, cause error) error {
	err := fmt.Errorf("%w: %s: %w", ErrStopped, during, cause)
	q.mu.Lock()
	q.refusal = err
	q.wakeLocked()
	q.mu.Unlock()
	q.cfg.Log.Error().Err(cause).Str("during", during).Msg("local queue: stopped, restart the process")
	return err
}

// setRefusing notes why sends fail, nil if they do not, and reports whether that
// is news.
func (q *Queue) setRefusing(err error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	news := (q.refusing == nil) != (err == nil)
	q.refusing = err
	return news
}

// Refusing returns why the last Send was refused, nil if it was not: SQLite's
// error that the disk took no more, wrapped.
func (q *Queue) Refusing() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refusing
}

// refused returns why the committer must not touch the file any more, nil while
// it may: closing is no reason, what was pending then is still carried out.
func (q *Queue) refused() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if errors.Is(q.refusal, ErrStopped) {
		return q.refusal
	}
	return nil
}

// wakeLocked makes waiting receivers look again. q.mu is held.
func (q *Queue) wakeLocked() {
	close(q.wake)
	q.wake = make(chan struct{})
}

// batch is one transaction under way: what the queue will remember if it commits.
type batch struct {
	q   *Queue
	ctx context.Context
	now int64 // the one timestamp of the transaction, Unix milliseconds

	lanes    map[event.ProjectID]lane // those it changed
	nextLane int64
	nextID   int64
	buried   int  // new dead letters
	appeared bool // messages became visible, or will at another time than before
}

func (q *Queue) newBatch(ctx context.Context) *batch {
	return &batch{
		q:        q,
		ctx:      ctx,
		now:      q.cfg.Now().UnixMilli(),
		lanes:    make(map[event.ProjectID]lane),
		nextLane: q.nextLane,
		nextID:   q.nextID,
	}
}

// run applies ops and saves the lanes they changed.
func (b *batch) run(ops []*op) error {
	for _, o := range ops {
		if err := o.apply(b); err != nil {
			return err
		}
	}
	for project, l := range b.lanes {
		if err := b.exec(b.q.stmt.saveLane, l.id, b.q.cfg.Instance[:], int64(project), l.high, l.lastID); err != nil {
			return fmt.Errorf("saving lane: %w", err)
		}
	}
	return nil
}

// publish carries over what the committed transaction changed.
func (b *batch) publish() {
	q := b.q
	for project, l := range b.lanes {
		q.lanes[project] = l
	}
	if b.nextID > q.nextID && q.setRefusing(nil) {
		q.cfg.Log.Info().Msg("local queue: the disk takes writes again, messages are accepted")
	}
	q.nextLane, q.nextID = b.nextLane, b.nextID
	if b.buried > 0 {
		q.cfg.Log.Warn().Int("messages", b.buried).Msg("local queue: delivered too often, now dead letters")
	}
	if b.appeared {
		q.mu.Lock()
		q.wakeLocked()
		q.mu.Unlock()
	}
}

// lane returns a project's lane as this transaction sees it.
func (b *batch) lane(project event.ProjectID) lane {
	if l, ok := b.lanes[project]; ok {
		return l
	}
	if l, ok := b.q.lanes[project]; ok {
		return l
	}
	l := lane{id: b.nextLane}
	b.nextLane++
	return l
}

func (b *batch) exec(stmt *sql.Stmt, args ...any) error {
	_, err := stmt.ExecContext(b.ctx, args...)
	return err
}

// isNoRoom reports whether err says that something could not be written: the disk
// is full, or it refuses for a reason that SQLite has no name for (a quota, a
// limit of the file's size, a fault). It passes when the reason does.
func isNoRoom(err error) bool {
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return false
	}
	switch coded.Code() {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE:
		return true
	}
	return false
}

// isCode reports whether err is SQLite's with that primary code.
func isCode(err error, code int) bool {
	var coded interface{ Code() int }
	return errors.As(err, &coded) && coded.Code()&0xff == code
}
