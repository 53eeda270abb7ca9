package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// boundWAL moves the WAL into the database when it is large, and empties it when
// it has grown too large. The latter needs a moment without readers of this
// process; those of others can prevent it, and then a later call tries again.
func (d *DB) boundWAL(ctx context.Context) error {
	info, err := os.Stat(d.path + "-wal")
	if err != nil || info.Size() < d.walLimit && d.unmoved.Load() < checkpointEvery {
		return nil // a size that cannot be told is no reason to stop
	}
	return d.exclusively(ctx, "checkpoint", func() error {
		began := time.Now()
		defer func() { d.observe(StageCheckpoint, "checkpoint", time.Since(began)) }()
		if d.checkpoint != nil {
			return d.handOver(ctx)
		}
		cut := info.Size() > walBound*d.walLimit
		if !cut && (info.Size() < d.walLimit || began.Sub(d.resetTried) < walEvery) {
			return d.moveWAL(ctx)
		}
		d.resetTried = began
		empty := d.gate.closeFor(walPatience, cut)
		defer d.gate.open()
		if !empty && !cut {
			return d.moveWAL(ctx)
		}
		return d.resetWAL(ctx)
	})
}

// moveWAL moves into the database what no reader needs in the WAL any more,
// waiting for nobody. When that is all, the next write begins the WAL anew. The
// caller has the turn.
func (d *DB) moveWAL(ctx context.Context) error {
	if err := d.writer.once(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return err
	}
	d.unmoved.Store(0)
	return nil
}

// resetWAL moves everything into the database and truncates the WAL. The caller
// has the turn.
func (d *DB) resetWAL(ctx context.Context) error {
	var busy, pages, moved int64
	err := d.writer.onceRow(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
	if busy != 0 {
		d.log.Warn().Int64("wal_pages", pages).Msg("the WAL could not be reset: another process reads an old snapshot")
	}
	if err == nil {
		d.unmoved.Store(0)
	}
	return err
}

// noteSync remembers an fsync that failed, of the WAL or of the database; from
// then on this process writes nothing more. The kernel reports such a failure
// once and may drop the pages it was about, or keep them and call them clean, so
// that the next fsync succeeds and proves nothing (PostgreSQL learnt it in 2018:
// wiki.postgresql.org/wiki/Fsync_Errors). Neither a barrier nor a checkpoint could
// be believed again. Only writing everything anew helps, and that is what a
// process does when it starts: see recover. The caller has the turn.
func (d *DB) noteSync(err error) {
	if err != nil && d.unsynced == nil && isFailedSync(err) {
		d.unsynced = fmt.Errorf("%w: an earlier fsync failed: %w", ErrCommitUnknown, err)
	}
}

// closeWriter closes the connection, unless an fsync failed: then it is left to
// the end of the process. Closing the last one would have SQLite move the WAL
// into the database and delete it.
func (d *DB) closeWriter() error {
	if d.unsynced != nil {
		return d.unsynced
	}
	return d.writer.close()
}

// rewriteWAL writes the whole WAL once more over itself and syncs it. What a
// process left there that ended after a failed fsync may be in memory only,
// marked as if it were on disk; a checkpoint from there, cut short by a power
// cut, would leave a mix of old and new pages. The write lock keeps other
// processes from changing the file meanwhile.
func (d *DB) rewriteWAL(ctx context.Context) error {
	return d.exclusively(ctx, "recovery", func() error {
		if err := d.writer.once(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		return errors.Join(rewrite(d.path+"-wal"), d.writer.once(ctx, "ROLLBACK"))
	})
}

// rewrite writes a file over itself and syncs it. A missing file is none to
// rewrite.
func rewrite(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	chunk := make([]byte, 1<<20)
	for at := int64(0); err == nil; {
		var n int
		n, err = f.ReadAt(chunk, at)
		if _, failed := f.WriteAt(chunk[:n], at); failed != nil {
			err = failed
		}
		at += int64(n)
	}
	if errors.Is(err, io.EOF) {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
