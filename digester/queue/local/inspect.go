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
	Oldest   time.Time // when the edge received the oldest of those waiting or in flight; zero if there are none
	Bytes    int64     // of the file and its WAL; room that deleted messages left is used again, not given back
	Lanes    []Lane    // of all instances that ever sent
}

// Lane is the books' "accepted" side: what one instance accepted for one project.
type Lane struct {
	Instance wire.InstanceID
	Project  event.ProjectID // zero: messages that belong to no project, such as counts
	High     uint64          // numbers 1 to High were accepted, each once
}

// Inventory is what a queue holds at one moment, message by message.
type Inventory struct {
	Stats
	Runs []Run
}

// Run is messages with consecutive numbers that are still in the queue: they
// wait, are in flight or are dead letters.
type Run struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	Hour     time.Time // in which the edge received them
	From, To uint64    // inclusive
	Dead     bool
}

// Stats counts what the queue holds.
func (q *Queue) Stats(ctx context.Context) (Stats, error) { return q.view.Stats(ctx) }

// Inventory lists what the queue holds.
func (q *Queue) Inventory(ctx context.Context) (Inventory, error) { return q.view.Inventory(ctx) }

// Accepted counts what was ever accepted for each project, whether or not it is still
// in the queue.
func (q *Queue) Accepted(ctx context.Context) (map[event.ProjectID]int64, error) {
	all := make(map[event.ProjectID]int64)
	err := q.view.snapshot(ctx, func(tx *sql.Tx) error {
		clear(all)
		return readLanes(ctx, tx, func(_ int64, l Lane) { all[l.Project] += int64(l.High) })
	})
	if err != nil {
		return nil, fmt.Errorf("counting what the queue accepted: %w", err)
	}
	return all, nil
}

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
func (i *Inspector) Stats(ctx context.Context) (s Stats, err error) {
	err = i.snapshot(ctx, func(tx *sql.Tx) error { return i.readStats(ctx, tx, &s) })
	if err != nil {
		return Stats{}, fmt.Errorf("queue stats: %w", err)
	}
	return s, nil
}

func (i *Inspector) readStats(ctx context.Context, tx *sql.Tx, s *Stats) error {
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
	s.Bytes = fileSize(i.path) + fileSize(i.path+"-wal")
	return readLanes(ctx, tx, func(_ int64, l Lane) { s.Lanes = append(s.Lanes, l) })
}

// readLanes calls found for each lane, oldest first.
func readLanes(ctx context.Context, tx *sql.Tx, found func(id int64, l Lane)) error {
	const lanes = `SELECT id, instance, project, high FROM lanes ORDER BY id`
	return query(ctx, tx, lanes, nil, func(rows *sql.Rows) error {
		var id int64
		var l Lane
		var instance []byte
		if err := rows.Scan(&id, &instance, &l.Project, &l.High); err != nil {
			return err
		}
		copy(l.Instance[:], instance)
		found(id, l)
		return nil
	})
}

// Inventory lists what the queue holds, in one snapshot. Half a second for a
// million messages, whose numbers make few runs.
func (i *Inspector) Inventory(ctx context.Context) (inv Inventory, err error) {
	err = i.snapshot(ctx, func(tx *sql.Tx) error {
		if err := i.readStats(ctx, tx, &inv.Stats); err != nil {
			return err
		}
		inv.Runs, err = readRuns(ctx, tx)
		return err
	})
	if err != nil {
		return Inventory{}, fmt.Errorf("listing the queue: %w", err)
	}
	return inv, nil
}

// readRuns lists the messages oldest first, dead letters at the end. It joins
// them to runs here because SQL would have to sort them for it.
func readRuns(ctx context.Context, tx *sql.Tx) ([]Run, error) {
	const undecided = `
		SELECT lane_id, seq, sent_at, 0 FROM messages
		UNION ALL
		SELECT lane_id, seq, sent_at, 1 FROM dead`
	const hour = int64(time.Hour / time.Millisecond)
	lanes := make(map[int64]Lane)
	if err := readLanes(ctx, tx, func(id int64, l Lane) { lanes[id] = l }); err != nil {
		return nil, err
	}
	var runs []Run
	newest := make(map[int64]int) // lane → its newest run's place
	err := query(ctx, tx, undecided, nil, func(rows *sql.Rows) error {
		var lane, sentAt int64
		var seq uint64
		var dead bool
		if err := rows.Scan(&lane, &seq, &sentAt, &dead); err != nil {
			return err
		}
		received := time.UnixMilli(sentAt / hour * hour).UTC()
		if at, ok := newest[lane]; ok {
			if r := &runs[at]; r.To+1 == seq && r.Dead == dead && r.Hour.Equal(received) {
				r.To = seq
				return nil
			}
		}
		newest[lane] = len(runs)
		runs = append(runs, Run{lanes[lane].Instance, lanes[lane].Project, received, seq, seq, dead})
		return nil
	})
	return runs, err
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
