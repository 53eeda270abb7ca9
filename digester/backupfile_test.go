package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/digester/vitals"
)

// mustRun runs a command and returns what it printed.
func mustRun(t *testing.T, env func(string) string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), args, env, &out, &out); code != exitOK {
		t.Fatalf("%v: exit code %d\n%s", args, code, out.String())
	}
	return out.String()
}

// mustRefuse runs a command that has to fail, and says why.
func mustRefuse(t *testing.T, env func(string) string, why string, args ...string) {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), args, env, &out, &out); code == exitOK || !strings.Contains(out.String(), why) {
		t.Errorf("%v: exit code %d, want one that says %q\n%s", args, code, why, out.String())
	}
}

// A backup of a process under load, made by another one, becomes a database that the
// checker likes, that has what was stored before it began, and serves pages.
func TestBackupUnderLoad(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	child := startChild(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	var accepted sync.Map
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() { child.load(ctx, fmt.Sprintf("aa%02x", s), &accepted) })
	}
	defer all.Wait()
	defer stop()
	env := envOf(dir)
	var before int64
	waitFor(t, "events are stored", func() bool {
		before = storedEvents(t, env)
		return before > 20
	})
	file := filepath.Join(backups, "one.db")
	if says := mustRun(t, env, "backup", "--check", file); !strings.Contains(says, "every invariant holds") {
		t.Errorf("backup says %q", says)
	}
	mustRefuse(t, env, "nothing is overwritten", "backup", file)
	mustHaveFiles(t, backups, "one.db")

	elsewhere := envOf(filepath.Join(t.TempDir(), "data"))
	if says := mustRun(t, elsewhere, "restore", file); !strings.Contains(says, "There was no queue.db") {
		t.Errorf("restore says %q", says)
	}
	mustHaveFiles(t, elsewhere("SUNDEW_DATA"), "sundew.db")
	mustRefuse(t, elsewhere, "nothing is overwritten", "restore", file)
	r := startService(t, elsewhere("SUNDEW_DATA"))
	if b := r.books(); b.StoredEvents < before {
		t.Errorf("%d events were there before the backup, the restored database has %d", before, b.StoredEvents)
	}
	if status, page := r.get("/projects/1/issues"); status != http.StatusOK || !strings.Contains(page, "order") {
		t.Errorf("the restored database's issues answered %d", status)
	}
	r.stop()
	mustCheck(t, elsewhere)
}

func storedEvents(t *testing.T, env func(string) string) int64 {
	t.Helper()
	replica, q, done, err := openForReading(t.Context(), Config{Data: env("SUNDEW_DATA")})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	books, err := readBooks(t.Context(), replica, q, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return books.StoredEvents
}

func mustHaveFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files in %s (-want +got):\n%s", dir, diff)
	}
}

// A backup that is killed leaves nothing that has a backup's name, or one that is
// whole.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	dir, backups := t.TempDir(), t.TempDir()
	r := startService(t, dir)
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	for i := range 200 { // large enough to take a while
		var pad strings.Builder
		for range 500 {
			fmt.Fprintf(&pad, "%016x", rand.Uint64())
		}
		r.post("/api/1/store/?sentry_key="+key, fmt.Sprintf(`{"message":"order %d","extra":{"pad":%q}}`, i, pad.String()), 200)
	}
	waitFor(t, "all are stored", func() bool { return r.books().StoredEvents == 200 })
	cut := 0
	for i := range 8 {
		file := filepath.Join(backups, fmt.Sprintf("%d.db", i))
		cmd := exec.Command(os.Args[0], "backup", file)
		cmd.Env = append(os.Environ(), "SUNDEW_TEST_RUN=1", "SUNDEW_DATA="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// As soon as it has begun to write, or a little later.
		waitFor(t, "it has begun, or is done", func() bool {
			begun, err := filepath.Glob(filepath.Join(backups, fmt.Sprintf(".%d.db.*", i)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = os.Stat(file)
			return len(begun) > 0 || err == nil
		})
		moment := time.NewTimer(time.Duration(i) * 6 * time.Millisecond)
		<-moment.C
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
			cut++
		} else if err := checkFile(t.Context(), file); err != nil {
			t.Errorf("%s has the name of a backup and is none: %v", file, err)
		}
	}
	t.Logf("%d of 8 were killed before they were done", cut)

	// The clock removes what they left, once nobody can be at it any more.
	left, err := filepath.Glob(filepath.Join(backups, "."+"*"+unfinished))
	if err != nil || len(left) < cut {
		t.Fatalf("%d unfinished files, %v", len(left), err)
	}
	clock := backupClock{cfg: Config{Data: dir, BackupDir: backups}, now: func() time.Time { return time.Now().Add(2 * staleAfter) }, log: zerolog.Nop()}
	if files, err := clock.files(); err != nil || len(files) != 0 {
		t.Errorf("files %v, %v", files, err)
	}
	if left, err = filepath.Glob(filepath.Join(backups, "."+"*"+unfinished)); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// Restoring touches nothing that is there, and takes nothing that is no backup.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	env := envOf(dir)
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRefuse(t, env, "no backup that can be used", "restore", damaged)
	mustRefuse(t, env, "no such file", "restore", damaged+"x")
	mustRefuse(t, env, "is no backup", "restore", dir)
	mustRefuse(t, env, "FILE, or --to", "restore", damaged, "--to", "x")
	mustHaveFiles(t, dir)
	mustRefuse(t, env, "there is no database", "backup", filepath.Join(dir, "b.db"))
	server := func(name string) string {
		return map[string]string{"SUNDEW_DATA": dir, "SUNDEW_DB": "http://127.0.0.1:1"}[name]
	}
	mustRefuse(t, server, "libSQL server", "backup", filepath.Join(dir, "b.db"))
	mustRefuse(t, server, "libSQL server", "restore", damaged)
	mustHaveFiles(t, dir)
}

// What the queue still has is digested again on a database from before, and what that
// has already is recognised.
func TestRestoreBesideQueue(t *testing.T) {
	dir := t.TempDir()
	env := envOf(dir)
	r := startService(t, dir)
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	const known = `{"event_id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","message":"it broke"}`
	r.post("/api/1/store/?sentry_key="+key, known, 200)
	waitFor(t, "it is stored", func() bool { return r.books().StoredEvents == 1 })
	file := filepath.Join(t.TempDir(), "b.db")
	mustRun(t, env, "backup", file)
	mustRefuse(t, env, "nothing is overwritten", "restore", file)
	r.stop()

	// Accepted after the backup, and not digested when the disk broke.
	const sent = `{"event_id":"%032x","message":"it broke again"}`
	cfg, err := configFromEnv(env)
	if err != nil {
		t.Fatal(err)
	}
	held := &service{cfg: cfg, log: zerolog.Nop()}
	held.cfg.Listen = "127.0.0.1:0"
	if err := held.openIntake(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{fmt.Sprintf(sent, 1), fmt.Sprintf(sent, 2), known} {
		answer := httptest.NewRecorder()
		held.edge.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/api/1/store/?sentry_key="+key, strings.NewReader(body)))
		if answer.Code != http.StatusOK {
			t.Fatalf("intake answered %d: %s", answer.Code, answer.Body)
		}
	}
	if err := held.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "sundew.db")); err != nil {
		t.Fatal(err)
	}
	if says := mustRun(t, env, "restore", file); !strings.Contains(says, "queue.db was kept") {
		t.Errorf("restore says %q", says)
	}
	r = startService(t, dir)
	mustRefuse(t, func(name string) string {
		return map[string]string{"SUNDEW_DATA": dir, "SUNDEW_DB": "file:" + filepath.Join(dir, "other.db")}[name]
	}, "a digester is running", "restore", file)
	waitFor(t, "the queue is digested", func() bool { return r.books().InFlight == 0 })
	if b := r.books(); b.StoredEvents != 3 || b.Duplicate != 1 || b.Lost != 0 || balance(b) != nil {
		t.Errorf("books %+v", b)
	}
	r.stop()
	mustCheck(t, env)
}

// Backups by the clock are made when they are due, kept to a number, and others' files
// are left alone.
func TestBackupClock(t *testing.T) {
	dir, backups := t.TempDir(), filepath.Join(t.TempDir(), "backups")
	r := startService(t, dir)
	r.stop()
	now := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	clock := backupClock{cfg: Config{Data: dir, BackupDir: backups, BackupEvery: time.Hour, BackupKeep: 2}, now: func() time.Time { return now }, disk: diskFree, log: zerolog.Nop()}
	clock.round(t.Context())
	mustHaveFiles(t, backups, "sundew-20260314T150926Z.db")
	if err := os.WriteFile(filepath.Join(backups, "mine.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	clock.round(t.Context())
	mustHaveFiles(t, backups, "mine.db", "sundew-20260314T150926Z.db")
	for range 2 {
		now = now.Add(time.Hour)
		clock.round(t.Context())
	}
	mustHaveFiles(t, backups, "mine.db", "sundew-20260314T161026Z.db", "sundew-20260314T171026Z.db")
	if got := clock.vitals(); got.Failing != (vitals.Trouble{}) || !got.Last.Equal(now) {
		t.Errorf("vitals %+v", got)
	}
	clock.cfg.Data = t.TempDir() // where there is no database
	now = now.Add(time.Hour)
	clock.round(t.Context())
	if got := clock.vitals(); !strings.Contains(got.Failing.What, "there is no database") || !got.Last.Equal(now.Add(-time.Hour)) {
		t.Errorf("vitals of a failure %+v", got)
	}
}

// Backups that fail are tried again less and less often, one for which there is no room
// is not begun, and says so; once there is room, all is as before.
func TestBackupClockFails(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	r := startService(t, dir)
	r.stop()
	began := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	now, room, asked := began, int64(100), []time.Duration(nil)
	disk := func(path string) (free, total int64, err error) {
		if path != backups {
			t.Errorf("asked for the room in %s", path)
		}
		asked = append(asked, now.Sub(began))
		return room, 1 << 40, nil
	}
	clock := backupClock{cfg: Config{Data: dir, BackupDir: backups, BackupEvery: 5 * time.Minute, BackupKeep: 2}, now: func() time.Time { return now }, disk: disk, log: zerolog.Nop()}
	for now.Sub(began) < 20*time.Minute {
		clock.round(t.Context())
		if got := clock.vitals(); !strings.Contains(got.Failing.What, "no room for a backup") {
			t.Fatalf("after %v: vitals %+v", now.Sub(began), got)
		}
		now = now.Add(backupLook)
	}
	const m = time.Minute
	if diff := cmp.Diff([]time.Duration{0, m, 3 * m, 7 * m, 12 * m, 17 * m}, asked); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	mustHaveFiles(t, backups)
	room, now = 1<<40, now.Add(2*m)
	clock.round(t.Context())
	mustHaveFiles(t, backups, "sundew-20260314T152200Z.db")
	info, err := os.Stat(filepath.Join(backups, "sundew-20260314T152200Z.db"))
	if err != nil {
		t.Fatal(err)
	}
	if about, err := store.BackupSize(t.Context(), clock.cfg.databasePath()); err != nil || about < info.Size() || about > 2*info.Size() {
		t.Errorf("about %d bytes were expected, and %d are there (%v)", about, info.Size(), err)
	}
	if got := clock.vitals(); got.Failing != (vitals.Trouble{}) {
		t.Errorf("vitals %+v", got)
	}
	room, now, asked = 100, now.Add(5*m), nil
	for range 2 {
		clock.round(t.Context())
		now = now.Add(backupLook)
	}
	if len(asked) != 2 {
		t.Errorf("after a success %d attempts in two minutes", len(asked))
	}
}

// Where there are no links a file gets its name nevertheless, and overwrites nothing.
func TestGiveName(t *testing.T) {
	for name, refusal := range map[string]error{"not supported": syscall.EOPNOTSUPP, "not permitted": syscall.EPERM, "links": nil} {
		t.Run(name, func(t *testing.T) {
			link := os.Link
			if refusal != nil {
				link = func(path, to string) error { return &os.LinkError{Op: "link", Old: path, New: to, Err: refusal} }
			}
			dir := t.TempDir()
			path, to := filepath.Join(dir, "new"), filepath.Join(dir, "named")
			for i, want := range []error{nil, fs.ErrExist} {
				text := fmt.Sprint("file ", i)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := giveName(path, to, link); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", text, err, want)
				}
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(to); string(got) != "file 0" {
				t.Errorf("the file says %q, %v", got, err)
			}
		})
	}
	other := errors.New("the disk is gone")
	if err := giveName("a", "b", func(string, string) error { return other }); !errors.Is(err, other) {
		t.Errorf("another error became %v", err)
	}
}
