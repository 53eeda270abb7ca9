package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"sundew/digester/store"
	"sundew/infra/bench/floor/trace"
)

// work is what every contender has to do.
type work struct {
	dir        string
	seed       string // database that every round begins with
	database   string // of the round under way
	trace      string // file of the statements
	statements int    // in it
	events     []store.Incoming
	batch      int
	version    string   // of SQLite, as the store has it
	compiled   []string // the options it was compiled with
	sum        string   // of the database when the work is done
}

// prepare makes events, seed and trace: the store does the work once, watched.
func prepare(ctx context.Context, dir string, events, batch int) (*work, error) {
	w := &work{
		dir: dir, batch: max(batch, 1),
		seed: filepath.Join(dir, "seed.db"), database: filepath.Join(dir, "round.db"), trace: filepath.Join(dir, "trace.bin"),
	}
	var err error
	if w.events, err = preparedEvents(ctx, max(events, 1)); err != nil {
		return nil, fmt.Errorf("preparing events: %w", err)
	}
	if err := w.makeSeed(ctx); err != nil {
		return nil, fmt.Errorf("making the first database: %w", err)
	}
	if err := w.askLibrary(ctx); err != nil {
		return nil, fmt.Errorf("asking SQLite what it is: %w", err)
	}
	if err := w.record(ctx); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return w, nil
}

// makeSeed makes a migrated database with one project.
func (w *work) makeSeed(ctx context.Context) error {
	if err := removeDatabase(w.seed); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{Path: w.seed, Now: clock()})
	if err != nil {
		return err
	}
	err = db.Write(ctx, "a project", func(tx *store.Tx) error {
		p, err := tx.CreateProject("Shop")
		if err == nil && p.ID != project {
			err = fmt.Errorf("the first project is number %d", p.ID)
		}
		return err
	})
	return errors.Join(err, db.Close(ctx))
}

// record does the work on a copy of the seed and keeps every statement.
func (w *work) record(ctx context.Context) error {
	if err := w.copySeed(w.database); err != nil {
		return err
	}
	r := trace.NewRecorder()
	db, err := store.Open(ctx, store.Config{Path: w.database, Now: clock(), Wrap: r.Wrap})
	if err != nil {
		return err
	}
	if err := r.Start(ctx); err != nil {
		return err
	}
	if err := w.digestInto(ctx, db); err != nil {
		return err
	}
	t := r.Stop()
	w.statements = len(t.Calls)
	if err := db.Close(ctx); err != nil {
		return err
	}
	if w.sum, err = checksum(ctx, w.database); err != nil {
		return err
	}
	file, err := os.Create(w.trace)
	if err != nil {
		return err
	}
	return errors.Join(t.Encode(file), file.Close())
}

func (w *work) copySeed(path string) error {
	if err := removeDatabase(path); err != nil {
		return err
	}
	content, err := os.ReadFile(w.seed)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

func removeDatabase(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// askLibrary asks the store's SQLite for its version and how it was compiled.
func (w *work) askLibrary(ctx context.Context) error {
	db, err := sql.Open("sqlite", w.seed)
	if err != nil {
		return err
	}
	defer db.Close()
	versions, err := column(ctx, db, `SELECT sqlite_version()`)
	if err != nil {
		return err
	}
	w.version = versions[0]
	w.compiled, err = column(ctx, db, `PRAGMA compile_options`)
	return err
}

// checksum returns for each table of a database its number of rows and a hash of
// all that is in them, one line each.
func checksum(ctx context.Context, path string) (string, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return "", err
	}
	defer db.Close()
	tables, err := column(ctx, db, `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return "", err
	}
	var sums strings.Builder
	for _, table := range tables {
		rows, hash, err := hashTable(ctx, db, table)
		if err != nil {
			return "", fmt.Errorf("%s: %w", table, err)
		}
		fmt.Fprintf(&sums, "%s %d %x\n", table, rows, hash[:8])
	}
	return sums.String(), nil
}

func hashTable(ctx context.Context, db *sql.DB, table string) (n int, hash []byte, err error) {
	names, err := column(ctx, db, `SELECT name FROM pragma_table_info('`+table+`') ORDER BY cid`)
	if err != nil {
		return 0, nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+table+`" ORDER BY `+strings.Join(names[:min(len(names), 2)], ", "))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, nil, err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	all := sha256.New()
	for ; rows.Next(); n++ {
		if err := rows.Scan(places...); err != nil {
			return 0, nil, err
		}
		for _, v := range values {
			fmt.Fprintf(all, "%T %v,", v, v)
		}
	}
	return n, all.Sum(nil), rows.Err()
}

// column returns the first column of a query's result as texts.
func column(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// startProfile begins a CPU profile, if a file is named, and returns what ends it.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		file.Close()
	}, nil
}
