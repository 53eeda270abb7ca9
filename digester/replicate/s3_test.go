package replicate_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
)

// bucket serves S3 and returns a target in it; while down it answers nothing.
func bucket(t testing.TB, query string) (to replicate.Target, down *atomic.Bool) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CA_BUNDLE", "") // of the machine; Litestream has an HTTP client of its own
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(backend).Server()
	down = new(atomic.Bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return target(t, "s3://backups/sundew?region=us-east-1&endpoint="+server.URL+query), down
}

// The same by S3: a copy follows, S3 goes away and comes back under load, a
// process starts without it, and at the end nothing is missing.
func TestS3(t *testing.T) {
	dir := t.TempDir()
	to, down := bucket(t, "&every=20ms")
	path := filepath.Join(dir, "sundew.db")
	p := start(t, path, to, store.Config{})
	p.digest(100)
	p.copied()
	c := follow(t, filepath.Join(dir, "copy.db"), to)
	p.digest(100)
	c.reaches(p.position())
	down.Store(true)
	for range 20 { // some of it through checkpoints
		p.digest(50)
	}
	waitFor(t, "both say that S3 is gone", func() bool { return p.backup.Health().Problem != nil && c.follower.Status().Problem != nil })
	p.close()
	seq, shop := p.seq, p.shop
	p = start(t, path, to, store.Config{})
	p.seq, p.shop = seq, shop
	p.digest(50)
	down.Store(false)
	c.reaches(p.position())
	waitFor(t, "the copy says that S3 is back", func() bool { return c.follower.Status().Problem == nil })
	p.copied()
	p.close()
	c.close()
	for what, path := range map[string]string{"copy": filepath.Join(dir, "copy.db"), "backup": restored(t, to, time.Time{})} {
		if got := events(t, path); got != int64(p.seq) {
			t.Errorf("the %s has %d events, want %d", what, got, p.seq)
		}
	}
}

// A target that was never reached is most likely the wrong one.
func TestStartWithoutTarget(t *testing.T) {
	to, down := bucket(t, "")
	down.Store(true)
	path := filepath.Join(t.TempDir(), "sundew.db")
	backup, err := replicate.NewBackup(replicate.BackupConfig{Path: path, Target: to, Log: zerolog.Nop(), Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Path: path, Checkpoint: backup.Checkpoint})
	if err != nil {
		t.Fatal(err)
	}
	if err := backup.Start(t.Context()); err == nil {
		t.Error("a backup began at a place that does not answer")
	}
	if err := db.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
