package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// Stats is what a queue holds at one moment.
type Stats struct {
	Waiting  int64     // visible, to be received
	InFlight int64     // received, neither deleted nor visible again
	Dead     int64     // dead letters
	Oldest   time.Time // when the oldest of those waiting or in flight was sent; zero if there are none
	Bytes    int64     // of the file and its WAL; room that deleted messages left is used again, not given back
	Lanes    []Lane    // of all instances that ever sent
}

// Lane is the books' "accepted" side: what one instance accepted for one project.
type Lane struct {
	Instance wire.InstanceID
	Project  event.ProjectID // zero: messages that belong to no project, such as counts
	High     uint64          // numbers 1 to High were accepted, each once
}

// Ref names a message that is not decided yet: it waits, is in flight or is a
// dead letter.
type Ref struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	Seq      uint64
	Dead     bool
}

// Stats counts what the queue holds.
func (q *Queue) Stats(ctx context.Context) (Stats, error) { return q.view.Stats(ctx) }

// Undecided lists every message still in the queue, dead letters included.
func (q *Queue) Undecided(ctx context.Context) ([]Ref, error) { return q.view.Undecided(ctx) }

// Inspector reads a queue without owning it: beside the process that does, or
// when none runs. It writes nothing and blocks nobody.
type Inspector struct {
	path string
	db   *sql.DB // nil while there is no file
	now  func() time.Time
}

// Inspect opens the queue at path for reading. A missing file is an empty queue.
func Inspect(ctx context.Context, path string) (*Inspector, error) {
	return inspect(ctx, path, time.Now)
}

func inspect(ctx context.Context, path string, now func() time.Time) (*Inspector, error) {
	i := &Inspector{path: path, now: now}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return i, nil
	}
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return nil, fmt.Errorf("inspecting queue %s: %w", path, err)
	}
	db.SetMaxOpenConns(2)
	version, err := fileVersion(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("inspecting queue %s: %w", path, err), db.Close())
	}
	if version == 0 { // made, but its owner has not come to the tables yet
		return i, db.Close()
	}
	i.db = db
	return i, nil
}

// Close ends the inspection.
func (i *Inspector) Close() error {
	if i.db == nil {
		return nil
	}
	return i.db.Close()
}

// Stats counts what the queue holds, in one snapshot. It reads a small row of
// every message: a millisecond for some thousands, a second for some millions.
func (i *Inspector) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := i.snapshot(ctx, func(tx *sql.Tx) error {
		var oldest sql.NullInt64
		const counts = `
			SELECT
			  count(*) FILTER (WHERE visible_at <= ?1),
			  count(*) FILTER (WHERE visible_at > ?1),
			  min(sent_at),
			  (SELECT count(*) FROM dead)
			FROM messages`
		row := tx.QueryRowContext(ctx, counts, i.now().UnixMilli())
		if err := row.Scan(&s.Waiting, &s.InFlight, &oldest, &s.Dead); err != nil {
			return err
		}
		if oldest.Valid {
			s.Oldest = time.UnixMilli(oldest.Int64).UTC()
		}
		const lanes = `SELECT instance, project, high FROM lanes ORDER BY id`
		return query(ctx, tx, lanes, nil, func(rows *sql.Rows) error {
			var l Lane
			var instance []byte
			err := rows.Scan(&instance, &l.Project, &l.High)
			copy(l.Instance[:], instance)
			s.Lanes = append(s.Lanes, l)
			return err
		})
	})
	if err != nil {
		return Stats{}, fmt.Errorf("queue stats: %w", err)
	}
	s.Bytes = fileSize(i.path) + fileSize(i.path+"-wal")
	return s, nil
}

// Undecided lists every message still in the queue, dead letters included, oldest
// first within each of the two.
func (i *Inspector) Undecided(ctx context.Context) ([]Ref, error) {
	const undecided = `
		SELECT l.instance, l.project, m.seq, 0
		FROM messages m
		JOIN lanes l ON l.id = m.lane_id
		UNION ALL
		SELECT l.instance, l.project, d.seq, 1
		FROM dead d
		JOIN lanes l ON l.id = d.lane_id`
	var refs []Ref
	err := i.snapshot(ctx, func(tx *sql.Tx) error {
		return query(ctx, tx, undecided, nil, func(rows *sql.Rows) error {
			var r Ref
			var instance sql.RawBytes
			err := rows.Scan(&instance, &r.Project, &r.Seq, &r.Dead)
			copy(r.Instance[:], instance)
			refs = append(refs, r)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing the queue: %w", err)
	}
	return refs, nil
}

// snapshot runs read in a transaction, and not at all when there is no file.
func (i *Inspector) snapshot(ctx context.Context, read func(*sql.Tx) error) error {
	if i.db == nil {
		return nil
	}
	tx, err := i.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	return read(tx)
}

// query calls scan for each row.
func query(ctx context.Context, tx *sql.Tx, text string, args []any, scan func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fileSize returns zero for a file that cannot be seen.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
