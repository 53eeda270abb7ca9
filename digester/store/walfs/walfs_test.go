package walfs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"sundew/digester/store/walfs"
)

// database is one connection with what the tests do to it.
type database struct {
	t    *testing.T
	conn *sql.DB
}

// connect opens a connection by a VFS, "" for SQLite's own.
func connect(t *testing.T, path, vfs string, pragmas ...string) *database {
	t.Helper()
	address := "file:" + path + "?_pragma=busy_timeout(0)&_pragma=wal_autocheckpoint(0)"
	for _, p := range pragmas {
		address += "&_pragma=" + p
	}
	if vfs != "" {
		address += "&vfs=" + vfs
	}
	conn, err := sql.Open("sqlite", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetMaxOpenConns(1)
	t.Cleanup(func() { conn.Close() })
	return &database{t, conn}
}

func (d *database) exec(query string, args ...any) error {
	_, err := d.conn.ExecContext(context.WithoutCancel(d.t.Context()), query, args...)
	return err
}

func (d *database) must(query string, args ...any) {
	d.t.Helper()
	if err := d.exec(query, args...); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

// content returns the rows, and fails the test if the file is not intact.
func (d *database) content() map[int]int {
	d.t.Helper()
	var intact string
	if err := d.conn.QueryRowContext(d.t.Context(), `PRAGMA integrity_check`).Scan(&intact); err != nil || intact != "ok" {
		d.t.Fatalf("integrity_check: %s %v", intact, err)
	}
	rows, err := d.conn.QueryContext(d.t.Context(), `SELECT id, v FROM t WHERE length(pad) = 1500`)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[int]int)
	for rows.Next() {
		var id, v int
		if err := rows.Scan(&id, &v); err != nil {
			d.t.Fatal(err)
		}
		all[id] = v
	}
	return all
}

func (d *database) want(when string, want map[int]int) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.content()); diff != "" {
		d.t.Fatalf("%s (-want +got):\n%s", when, diff)
	}
}

// put is a row of nearly a page.
const put = `INSERT INTO t VALUES (?, ?, zeroblob(1500)) ON CONFLICT DO UPDATE SET v = excluded.v`

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	d := connect(t, path, "")
	d.must(`PRAGMA page_size = 2048`)
	d.must(`PRAGMA journal_mode = WAL`)
	d.must(`CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, pad BLOB)`)
	return path
}

func name(t *testing.T) string {
	t.Helper()
	name, err := walfs.Name()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func faulty(t *testing.T, hook walfs.Hook) string {
	t.Helper()
	name, err := walfs.Faulty(hook)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// afterCrash opens what would be left of a file if every process died now.
func afterCrash(t *testing.T, path string) *database {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "a.db"+suffix), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return connect(t, filepath.Join(dir, "a.db"), "")
}

// A commit is one write, and is there for everybody, and after a crash, as soon
// as it is reported.
func TestOneWrite(t *testing.T) {
	path := newFile(t)
	writes := 0
	d := connect(t, path, faulty(t, func(op walfs.Op, wal bool) (none walfs.Fault) {
		if wal && op == walfs.Write {
			writes++
		}
		return none
	}), "synchronous(normal)")
	reader := connect(t, path, "")
	want := make(map[int]int)
	for i := range 30 {
		before := writes
		d.must(`BEGIN IMMEDIATE`)
		for j := range 10 {
			d.must(put, i*10+j, i)
			want[i*10+j] = i
		}
		if writes > before {
			t.Fatal("an open transaction was written")
		}
		d.must(`COMMIT`)
		if n := writes - before; n != 1 && i > 0 { // before the first it is not known where the file ends
			t.Errorf("commit %d took %d writes", i, n)
		}
		reader.want("another connection", want)
	}
	afterCrash(t, path).want("after a crash", want)
}

// A transaction larger than a run and than the page cache, rolled back in part
// and as a whole; then others write to the same place of the WAL.
func TestSpill(t *testing.T) {
	path := newFile(t)
	d, other := connect(t, path, name(t), "cache_size(10)"), connect(t, path, "")
	want := make(map[int]int)
	for round := range 12 {
		d.must(`BEGIN IMMEDIATE`)
		d.must(put, 1000+round, round)
		d.must(`SAVEPOINT s`)
		for i := range 7 * round {
			d.must(put, i, round)
		}
		d.must(`ROLLBACK TO s`)
		for i := range 11 * round {
			d.must(put, 2000+i, round)
		}
		if round%3 == 0 {
			d.must(`ROLLBACK`)
		} else {
			d.must(`COMMIT`)
			want[1000+round] = round
			for i := range 11 * round {
				want[2000+i] = round
			}
		}
		other.must(put, 3000+round, round)
		want[3000+round] = round
		d.want("the same connection", want)
		other.want("another connection", want)
		afterCrash(t, path).want("after a crash", want)
	}
}

// Whatever two connections do by turns, one by walfs and one not, both read what
// was committed and nothing else.
func TestTurns(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			both := []*database{connect(t, path, name(t), "cache_size(10)"), connect(t, path, "")}
			turns(t, rand.New(rand.NewPCG(seed, 0)), path, both)
		})
	}
}

func turns(t *testing.T, r *rand.Rand, path string, both []*database) {
	want := make(map[int]int)
	for step := range 40 {
		d := both[r.IntN(2)]
		if r.IntN(6) == 0 {
			d.must(`PRAGMA wal_checkpoint(` + []string{"PASSIVE", "RESTART", "TRUNCATE"}[r.IntN(3)] + `)`)
			continue
		}
		d.must(`BEGIN IMMEDIATE`)
		changed := make(map[int]int)
		for range r.IntN(3) {
			before := len(changed)
			d.must(`SAVEPOINT s`)
			undo := r.IntN(3) == 0
			for range r.IntN(100) {
				id := r.IntN(500)
				d.must(put, id, step)
				if !undo {
					changed[id] = step
				}
			}
			if undo {
				d.must(`ROLLBACK TO s`)
			}
			d.must(`RELEASE s`)
			if undo && len(changed) != before {
				t.Fatal("the test's own books are wrong")
			}
		}
		if r.IntN(4) == 0 {
			d.must(`ROLLBACK`)
		} else {
			d.must(`COMMIT`)
			for id, v := range changed {
				want[id] = v
			}
		}
		both[0].want("by walfs", want)
		both[1].want("without", want)
		if step%10 == 9 {
			afterCrash(t, path).want("after a crash", want)
		}
	}
}

// After a rollback nothing of the transaction is written any more: its place in
// the WAL may be another process's by then.
func TestRunOfRollback(t *testing.T) {
	path := newFile(t)
	writes := 0
	d := connect(t, path, faulty(t, func(op walfs.Op, wal bool) (none walfs.Fault) {
		if wal && op == walfs.Write {
			writes++
		}
		return none
	}), "cache_size(10)")
	other := connect(t, path, "")
	want := make(map[int]int)
	for rows := 10; rows < 40; rows++ {
		d.must(put, 1000, rows)
		d.must(`BEGIN IMMEDIATE`)
		for i := range rows {
			d.must(put, rows*100+i, rows)
		}
		d.must(`ROLLBACK`)
		before := writes
		for i := range 8 {
			other.must(put, i, rows)
			want[i] = rows
		}
		want[1000] = rows
		d.want("the same connection", want)
		other.want("another connection", want)
		if writes != before {
			t.Fatalf("%d rows: reading wrote to the WAL", rows)
		}
	}
	afterCrash(t, path).want("after a crash", want)
}

// A run that is lost in the middle of a transaction, in which SQLite believes
// that it was written, keeps the transaction from committing, also where only a
// statement is undone.
func TestLostRun(t *testing.T) {
	path := newFile(t)
	armed := false
	d := connect(t, path, faulty(t, func(op walfs.Op, wal bool) (none walfs.Fault) {
		if !armed || !wal || op != walfs.Write {
			return none
		}
		armed = false
		return walfs.Fault{Code: sqlite3.SQLITE_FULL}
	}), "cache_size(10)")
	want := make(map[int]int)
	for i := range 30 {
		d.must(put, i, 0)
		want[i] = 0
	}
	d.must(`BEGIN IMMEDIATE`)
	for i := range 30 {
		d.must(put, i, 1)
	}
	armed = true
	if err := d.exec(`UPDATE t SET id = id + 1000 WHERE id BETWEEN 1 AND 20`); err == nil || armed {
		t.Fatalf("the run was not lost: %v", err)
	}
	err := d.exec(`COMMIT`)
	if err == nil {
		t.Error("the transaction was committed")
	}
	_ = d.exec(`ROLLBACK`) // SQLite may have done so
	d.want("after the rollback", want)
	d.must(put, 30, 2)
	want[30] = 2
	connect(t, path, "").want("another connection", want)
	afterCrash(t, path).want("after a crash", want)
}

// Frames that are written again with other checksums at the end of a commit are
// written before it is published: a failure of the last ones is the commit's.
func TestChecksumsWrittenAnew(t *testing.T) {
	writes := 0
	fails := func(at int) (err error) {
		path := newFile(t)
		writes = -1 << 30
		d := connect(t, path, faulty(t, func(op walfs.Op, wal bool) (none walfs.Fault) {
			if !wal || op != walfs.Write {
				return none
			}
			if writes++; writes == at {
				return walfs.Fault{Code: sqlite3.SQLITE_FULL}
			}
			return none
		}), "cache_size(10)", "synchronous(normal)")
		d.must(put, -1, 0)
		d.must(`BEGIN IMMEDIATE`)
		writes = 0
		for i := range 40 {
			err = errors.Join(err, d.exec(put, i, 1))
		}
		err = errors.Join(err, d.exec(put, 3, 2), d.exec(`COMMIT`))
		if err != nil {
			_ = d.exec(`ROLLBACK`)
			connect(t, path, "").want("another connection", map[int]int{-1: 0})
		}
		return err
	}
	if err := fails(0); err != nil {
		t.Fatal(err)
	}
	all := writes
	if all < 40 {
		t.Fatalf("%d writes: no checksums were written anew", all)
	}
	for back := range 3 {
		if fails(all-back) == nil {
			t.Errorf("the failure of write %d of %d went unnoticed", all-back, all)
		}
	}
}

// Every operation fails once, with what was asked done and not done: what was
// reported as committed is there, what was reported as failed is not, and the
// next transaction works. After a crash the failed one may be back, whole.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		op   walfs.Op
		wal  bool
		code int
		step int // not every one of many is tried
	}{
		{walfs.Write, true, sqlite3.SQLITE_FULL, 11},
		{walfs.Write, true, sqlite3.SQLITE_IOERR_WRITE, 7},
		{walfs.Sync, true, sqlite3.SQLITE_IOERR_FSYNC, 1},
		{walfs.Truncate, true, sqlite3.SQLITE_IOERR_TRUNCATE, 1},
		{walfs.Write, false, sqlite3.SQLITE_FULL, 25},
		{walfs.Sync, false, sqlite3.SQLITE_IOERR_FSYNC, 1},
		{walfs.Truncate, false, sqlite3.SQLITE_IOERR_TRUNCATE, 1},
	} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s wal=%v code=%d applied=%v", c.op, c.wal, c.code, applied), func(t *testing.T) {
				t.Parallel()
				n := 0
				for failOnce(t, c.op, c.wal, n, walfs.Fault{Code: c.code, Applied: applied}) {
					n += c.step
				}
				if n == 0 {
					t.Error("nothing failed")
				}
			})
		}
	}
}

// failOnce has the n-th operation fail, and returns false if there is none.
func failOnce(t *testing.T, op walfs.Op, wal bool, n int, fault walfs.Fault) (failed bool) {
	path := newFile(t)
	on := false
	hook := func(asked walfs.Op, ofWAL bool) (none walfs.Fault) {
		if !on || asked != op || ofWAL != wal {
			return none
		}
		if n--; n != -1 {
			return none
		}
		failed = true
		return fault
	}
	mode := "synchronous(full)"
	if op == walfs.Write { // no fsync writes what the commit should have written
		mode = "synchronous(normal)"
	}
	d, reader := connect(t, path, faulty(t, hook), "cache_size(10)", mode), connect(t, path, "")
	on = true
	want := make(map[int]int)
	for step := range 8 {
		if step == 5 {
			if err := d.exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil && !failed {
				t.Fatal(err)
			}
		}
		undone := write(d, step, want)
		reader.want("another connection", want)
		if undone != nil && !failed {
			t.Fatal("a transaction failed although the disk did not")
		}
		if undone == nil {
			if step == 7 {
				afterCrash(t, path).want("after a crash", want)
			}
			continue
		}
		if got := afterCrash(t, path).content(); !cmp.Equal(got, want) && !cmp.Equal(got, undone) {
			t.Fatalf("after a crash: neither with nor without the failed transaction:\n%s", cmp.Diff(want, got))
		}
	}
	return failed
}

// write is one transaction, every other one larger than cache and run, and adds
// it to want when it is committed. Otherwise it returns what want would be.
func write(d *database, step int, want map[int]int) (undone map[int]int) {
	all := make(map[int]int)
	for id, v := range want {
		all[id] = v
	}
	err := d.exec(`BEGIN IMMEDIATE`)
	for i := 0; i < 4+step%2*100 && err == nil; i++ {
		err = d.exec(put, i, step)
		all[i] = step
	}
	if err == nil {
		err = d.exec(`COMMIT`)
	}
	if err != nil {
		_ = d.exec(`ROLLBACK`) // SQLite may have done so
		return all
	}
	for id, v := range all {
		want[id] = v
	}
	return nil
}
