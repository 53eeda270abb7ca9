package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"modernc.org/sqlite"
)

// Checkpoint moves into the database what it has copied of the WAL and what no
// reader needs there any more, in the place of SQLite's own checkpoints. It is
// called while no transaction of this process writes, between two batches, and
// has to return soon. later says that it cannot at the moment, for a reason that
// is not a failure; the next batch asks again.
type Checkpoint func(ctx context.Context) (later bool, err error)

// walFrameHeader is what a frame of the WAL has in front of its page.
const walFrameHeader = 24

// KeepWAL opens a connection beside all others. If it is closed as the last of
// all processes the WAL is moved into the database and stays, where SQLite would
// remove it; whoever copies the WAL finds at the next start where it was.
func KeepWAL(ctx context.Context, path string) (io.Closer, error) {
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), pool.Close())
	}
	err = conn.Raw(func(driver any) error {
		control, ok := driver.(sqlite.FileControl)
		if !ok {
			return errors.New("the driver cannot keep the WAL")
		}
		_, err := control.FileControlPersistWAL("main", 1)
		return err
	})
	var n int64 // SQLite opens the WAL with the first thing that is read
	err = errors.Join(err, conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n), conn.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", path, err), pool.Close())
	}
	return pool, nil
}

// handOver lets Config.Checkpoint move the WAL. Where readers keep it from
// beginning anew they are kept out for a moment, and cut off as in boundWAL. The
// size of the file says nothing here, because nobody truncates it. The caller
// has the turn.
func (d *DB) handOver(ctx context.Context) error {
	before, err := d.walBytes(ctx)
	if err != nil || before < d.walLimit && d.unmoved.Load() < checkpointEvery {
		return err
	}
	if later, err := d.checkpoint(ctx); later || err != nil {
		return err
	}
	d.unmoved.Store(0)
	left, err := d.walBytes(ctx)
	if now := time.Now(); err != nil || left < d.walLimit || now.Sub(d.resetTried) < walEvery {
		return err
	} else {
		d.resetTried = now
	}
	cut := left > walBound*d.walLimit
	empty := d.gate.closeFor(walPatience, cut)
	defer d.gate.open()
	if !empty && !cut {
		return nil
	}
	_, err = d.checkpoint(ctx)
	return err
}

// walBytes returns how much of the WAL's file is in use. The caller has the turn.
func (d *DB) walBytes(ctx context.Context) (int64, error) {
	var busy, frames, moved int64
	if err := d.writer.onceRow(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &frames, &moved); err != nil {
		return 0, fmt.Errorf("asking for the size of the WAL: %w", err)
	}
	return frames * (pageSize + walFrameHeader), nil
}
