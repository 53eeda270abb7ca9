package replicate_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// primary is a database with its backup, as the digester has them.
type primary struct {
	t      testing.TB
	path   string
	db     *store.DB
	backup *replicate.Backup
	seq    uint64
	shop   store.Project
	stop   func() // of the copying, not of the rest
}

func target(t testing.TB, raw string) replicate.Target {
	t.Helper()
	parsed, err := replicate.ParseTarget(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return parsed
}

// start opens a database and copies it.
func start(t testing.TB, path string, to replicate.Target, cfg store.Config) *primary {
	t.Helper()
	p := &primary{t: t, path: path}
	var err error
	if p.backup, err = replicate.NewBackup(replicate.BackupConfig{Path: path, Target: to, Log: zerolog.New(zerolog.NewTestWriter(t)), Patience: time.Second}); err != nil {
		t.Fatal(err)
	}
	cfg.Path, cfg.Checkpoint = path, p.backup.Checkpoint
	if p.db, err = store.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := p.backup.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); p.backup.Run(ctx) }()
	p.stop = func() { cancel(); <-ended }
	return p
}

// close ends it as the digester does.
func (p *primary) close() {
	p.t.Helper()
	p.stop()
	ctx := context.WithoutCancel(p.t.Context())
	if err := errors.Join(p.db.Close(ctx), p.backup.Close(ctx)); err != nil {
		p.t.Fatal(err)
	}
}

// digest stores n events and ends the batch.
func (p *primary) digest(n int) {
	p.t.Helper()
	if p.shop.ID == 0 {
		p.shop = storetest.MustCreateProject(p.t, p.db, "Shop", "")
	}
	for range n {
		p.seq++
		if got, err := p.db.Digest(p.t.Context(), incoming(p.shop.ID, p.seq)); err != nil || got != store.Stored {
			p.t.Fatalf("digesting number %d: result %d, %v", p.seq, got, err)
		}
	}
	if err := p.db.Barrier(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// copied waits until all that was written is at the target.
func (p *primary) copied() {
	p.t.Helper()
	began := time.Now()
	waitFor(p.t, "everything is copied", func() bool { return p.backup.Health().LastCopy.After(began) })
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	late := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func incoming(project event.ProjectID, seq uint64) *store.Incoming {
	now := time.Now()
	body := make([]byte, 2000)
	rand.Read(body)
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: seq, Project: project, ReceivedAt: now, OccurredAt: now, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error", Release: "shop@1.0", Environment: "production",
		Tags: []event.Pair{{Key: "environment", Value: "production"}, {Key: "order", Value: fmt.Sprint(seq)}}, GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: body,
	}
	in.EventID[0] = 0xee
	binary.BigEndian.PutUint64(in.EventID[8:], seq)
	copy(in.Group[:], fmt.Sprint("group ", seq%50))
	return in
}

// events counts what a database holds, after checking it.
func events(t testing.TB, path string) int64 {
	t.Helper()
	r, err := store.OpenReplica(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	storetest.MustCheck(t, r)
	var n int64
	storetest.MustRead(t, r, func(rx *store.Rx) error {
		totals, err := rx.Totals()
		n = totals.StoredEvents
		return err
	})
	return n
}

func restored(t testing.TB, from replicate.Target, at time.Time) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "restored.db")
	if err := replicate.Restore(t.Context(), from, at, to, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	return to
}

// A database is written, its process ends and another goes on; a backup of it
// has everything, the WAL stays bounded, and a clean end leads to no new copy of
// the whole.
func TestBackup(t *testing.T) {
	t.Parallel()
	dir, backup := t.TempDir(), t.TempDir()
	to := target(t, "file://"+backup+"/copies?every=20ms")
	path := filepath.Join(dir, "sundew.db")
	var largest int64
	var seq uint64
	var shop store.Project
	for round := range 3 {
		p := start(t, path, to, store.Config{WALLimit: 4 << 20})
		p.seq, p.shop = seq, shop
		for range 16 {
			p.digest(50)
			if info, err := os.Stat(path + "-wal"); err == nil {
				largest = max(largest, info.Size())
			}
		}
		p.copied()
		seq, shop = p.seq, p.shop
		p.close()
		if got := events(t, restored(t, to, time.Time{})); got != int64(seq) {
			t.Errorf("after round %d the backup has %d events, want %d", round, got, seq)
		}
	}
	if largest > 40<<20 {
		t.Errorf("the WAL grew to %d MB", largest>>20)
	}
	t.Logf("the WAL grew to %d MB", largest>>20)
	files, err := filepath.Glob(filepath.Join(backup, "copies", "ltx", "0", "*.ltx"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	whole := 0
	for _, f := range files {
		if snapshot(t, f) {
			whole++
			t.Logf("%s has the whole database", filepath.Base(f))
		}
	}
	if whole != 1 {
		t.Errorf("%d of %d files have the whole database, want the first alone", whole, len(files))
	}
}

// Readers that never leave together cannot keep the WAL from beginning anew.
func TestWALWithReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sundew.db")
	p := start(t, path, target(t, "file://"+t.TempDir()+"/copies?every=20ms"), store.Config{WALLimit: 1 << 20})
	defer p.close()
	p.digest(1)
	r, err := p.db.OpenReplica(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	held := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- r.Read(t.Context(), func(rx *store.Rx) error {
			if _, err := rx.Totals(); err != nil {
				return err
			}
			close(held)
			<-rx.Context().Done()
			return rx.Context().Err()
		})
	}()
	<-held
	for i := 0; len(ended) == 0; i++ {
		p.digest(50)
		if i == 100 {
			t.Fatal("a reader was not cut off")
		}
	}
	if err := <-ended; !errors.Is(err, store.ErrCut) {
		t.Errorf("the reader ended with %v", err)
	}
}

// A restore overwrites nothing, and nothing of another database stays beside it.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	to := target(t, "file://"+dir+"/copies?every=20ms")
	if err := replicate.Restore(t.Context(), to, time.Time{}, filepath.Join(dir, "new.db"), zerolog.Nop()); !errors.Is(err, replicate.ErrNoBackup) {
		t.Errorf("from nothing: %v", err)
	}
	if holds, err := replicate.Holds(t.Context(), to); holds || err != nil {
		t.Errorf("an empty folder holds a backup: %v, %v", holds, err)
	}
	before := time.Now()
	p := start(t, filepath.Join(dir, "sundew.db"), to, store.Config{})
	p.digest(1)
	p.copied()
	p.close()
	if holds, err := replicate.Holds(t.Context(), to); !holds || err != nil {
		t.Errorf("the folder holds a backup: %v, %v", holds, err)
	}
	if err := replicate.Restore(t.Context(), to, before, filepath.Join(dir, "new.db"), zerolog.Nop()); !errors.Is(err, replicate.ErrNoBackup) {
		t.Errorf("before the first copy: %v", err)
	}
	for _, name := range []string{"sundew.db", "a.db-wal", ".b.db-litestream"} {
		path := filepath.Join(dir, name)
		if name != "sundew.db" {
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(dir, strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, "."), "-wal"), "-litestream"))
		if err := replicate.Restore(t.Context(), target(t, "file://"+dir+"/copies"), time.Time{}, to, zerolog.Nop()); !errors.Is(err, replicate.ErrExists) {
			t.Errorf("to %s beside %s: %v", to, name, err)
		}
	}
}

// What a second restored was, it had: counters of then, every invariant whole.
func TestRestoreASecond(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := target(t, "file://"+dir+"/copies?every=20ms")
	p := start(t, filepath.Join(dir, "sundew.db"), to, store.Config{})
	type moment struct {
		at   time.Time
		want int64
	}
	var moments []moment
	for range 4 {
		p.digest(100)
		p.copied()
		moments = append(moments, moment{time.Now().Add(time.Millisecond), int64(p.seq)})
		pause := time.NewTimer(1100 * time.Millisecond) // longer than the files of one second
		<-pause.C
	}
	p.close()
	for _, m := range moments {
		if got := events(t, restored(t, to, m.at)); got != m.want {
			t.Errorf("at %s: %d events, want %d", m.at.Format(time.RFC3339Nano), got, m.want)
		}
	}
}

func TestParseTarget(t *testing.T) {
	for raw, want := range map[string]string{
		"file:///var/backups/sundew":                             "file:///var/backups/sundew",
		"file:///b?every=250ms&keep=48h":                         "file:///b",
		"s3://bucket/sundew?region=eu-central-1":                 "s3://bucket/sundew",
		"s3://bucket?endpoint=http://127.0.0.1:9000&region=auto": "s3://bucket",
		"":                         "want file:///path",
		"/var/backups":             "want file:///path",
		"file://relative/path":     "want file:///path",
		"file:///":                 "want file:///path",
		"ftp://host/path":          "want file:///path",
		"s3:///path":               "want file:///path",
		"s3://bucket/p":            "want the bucket's region",
		"s3://k:s@bucket?region=x": "want no password",
		"file:///b?evry=1s":        "want none but every, keep",
		"file:///b?every=1ms":      "want every between 10ms and 1h",
		"file:///b?keep=soon":      "want keep between",
	} {
		got, err := replicate.ParseTarget(raw)
		switch {
		case strings.HasPrefix(want, "want"):
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: error %v, want %q", raw, err, want)
			}
		case err != nil || got.String() != want:
			t.Errorf("%q: %s, %v", raw, got, err)
		}
	}
}

// A shell or a command of ours beside the program cannot take from the WAL what
// is not copied; and if it does while the program is not there, the copy begins
// anew.
func TestOthersCheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := target(t, "file://"+dir+"/copies?every=1h")
	path := filepath.Join(dir, "sundew.db")
	other := func() {
		t.Helper()
		db, err := store.Open(t.Context(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, path, to, store.Config{})
	for range 3 {
		p.digest(100)
		other()
	}
	seq, shop := p.seq, p.shop
	p.close()
	if got := events(t, restored(t, to, time.Time{})); got != int64(seq) {
		t.Errorf("beside the program: the backup has %d events, want %d", got, seq)
	}
	other()
	p = start(t, path, to, store.Config{})
	p.seq, p.shop = seq, shop
	p.digest(100)
	p.close()
	if got := events(t, restored(t, to, time.Time{})); got != int64(p.seq) {
		t.Errorf("without the program: the backup has %d events, want %d", got, p.seq)
	}
}
