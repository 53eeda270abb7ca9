package replicate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
)

// copyOf is a follower with its readers, as a dashboard has them.
type copyOf struct {
	t        testing.TB
	follower *replicate.Follower
	replica  *store.Replica
	cancel   context.CancelFunc
	ended    chan error

	mu      sync.Mutex
	applied map[int64]time.Time // position → when it could be read
}

func follow(t testing.TB, path string, from replicate.Target) *copyOf {
	t.Helper()
	c := &copyOf{t: t, ended: make(chan error, 1), applied: make(map[int64]time.Time)}
	var err error
	if c.follower, err = replicate.NewFollower(replicate.FollowerConfig{Path: path, Target: from, Log: zerolog.New(zerolog.NewTestWriter(t))}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c.cancel = cancel
	if err := c.follower.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	if c.replica, err = store.OpenReplica(ctx, path); err != nil {
		t.Fatal(err)
	}
	go func() { c.ended <- c.follower.Run(ctx, c.replica.Exclusively, c.note) }()
	return c
}

func (c *copyOf) note() {
	p, err := c.replica.Position(context.WithoutCancel(c.t.Context()))
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied[p.Number] = time.Now()
}

func (c *copyOf) reaches(want int64) {
	c.t.Helper()
	waitFor(c.t, "the copy is up to date", func() bool {
		p, err := c.replica.Position(c.t.Context())
		return err == nil && p.Number >= want
	})
}

func (c *copyOf) close() {
	c.t.Helper()
	c.cancel()
	if err := errors.Join(<-c.ended, c.replica.Close(), c.follower.Close()); err != nil {
		c.t.Fatal(err)
	}
}

// position is the primary's.
func (p *primary) position() int64 {
	p.t.Helper()
	var at int64
	err := p.db.Write(p.t.Context(), "mark", func(tx *store.Tx) error {
		at = tx.Position()
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return at
}

// A copy is read while it is written: each snapshot is whole, and positions never
// go back. It ends and goes on where it was, and a click that changes one row of
// one page is seen.
func TestFollow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := target(t, "file://"+dir+"/copies?every=20ms")
	p := start(t, filepath.Join(dir, "sundew.db"), to, store.Config{})
	p.digest(100)
	p.copied()
	path := filepath.Join(dir, "copy.db")
	for range 2 {
		c := follow(t, path, to)
		ctx, stop := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() { readAll(ctx, t, c.replica) })
		}
		for range 8 {
			p.digest(50)
		}
		c.reaches(p.position())
		stop()
		readers.Wait()
		resolved := map[store.IssueState]bool{}
		for _, state := range []store.IssueState{store.StateResolved, store.StateOpen} {
			var at int64
			err := p.db.Write(t.Context(), "click", func(tx *store.Tx) error {
				at = tx.Position()
				return decide(tx, state)
			})
			if err != nil {
				t.Fatal(err)
			}
			c.reaches(at)
			storetest.MustRead(t, c.replica, func(rx *store.Rx) error {
				issue, err := rx.Issue(1)
				resolved[state] = issue.State == state
				return err
			})
		}
		if !resolved[store.StateResolved] || !resolved[store.StateOpen] {
			t.Errorf("the copy shows clicks: %v", resolved)
		}
		c.close()
		if got := events(t, path); got != int64(p.seq) {
			t.Errorf("the copy has %d events, want %d", got, p.seq)
		}
	}
	p.close()
}

// decide resolves or reopens the first issue.
func decide(tx *store.Tx, state store.IssueState) (err error) {
	if state == store.StateResolved {
		_, err = tx.Resolve([]int64{1}, triage.Resolution{}, 0)
	} else {
		_, err = tx.Reopen([]int64{1}, 0)
	}
	return err
}

func readAll(ctx context.Context, t *testing.T, r *store.Replica) {
	last := int64(0)
	for ctx.Err() == nil {
		err := r.Read(ctx, func(rx *store.Rx) error {
			at, err := rx.Position()
			if err != nil {
				return err
			}
			totals, err := rx.Totals()
			if err != nil {
				return err
			}
			projects, err := rx.Projects()
			if err != nil {
				return err
			}
			hours, err := rx.ProjectHours(time.Now().Add(-3 * time.Hour))
			if err != nil {
				return err
			}
			sum := int64(0)
			for _, h := range hours[projects[0].ID] {
				sum += h.Count
			}
			if at.Number < last || sum != totals.StoredEvents || projects[0].Events != sum {
				t.Errorf("position %d after %d; %d events, the project has %d, its hours %d", at.Number, last, totals.StoredEvents, projects[0].Events, sum)
			}
			last = at.Number
			return nil
		})
		if err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

// A copy that was left for longer than small files are kept, one whose process
// died while it wrote, and one of something else are all made good.
func TestFollowResumes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	to := target(t, "file://"+dir+"/copies?every=20ms")
	p := start(t, filepath.Join(dir, "sundew.db"), to, store.Config{})
	defer p.close()
	p.digest(100)
	p.copied()
	path := filepath.Join(dir, "copy.db")
	follow(t, path, to).close()
	for name, harm := range map[string]func(){
		"small files are gone": func() {
			pause := time.NewTimer(2200 * time.Millisecond) // until they are in larger ones
			<-pause.C
			for i, f := range small(t, dir) {
				if i < len(small(t, dir))-2 {
					mustRemove(t, f)
				}
			}
		},
		"died while it wrote": func() {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			copy(data[18:], []byte{2, 2})
			clear(data[len(data)/2:])
			// What it had applied since is there again in the backup, whole.
			if err := errors.Join(os.WriteFile(path, data, 0o600), os.WriteFile(path+"-txid", []byte("0000000000000000\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
		},
		"ahead of the backup": func() {
			if err := os.WriteFile(path+"-txid", []byte("00000000ffffffff\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.digest(100)
			p.copied()
			p.digest(100)
			p.copied()
			harm()
			c := follow(t, path, to)
			c.reaches(p.position())
			c.close()
			if got := events(t, path); got != int64(p.seq) {
				t.Errorf("the copy has %d events, want %d", got, p.seq)
			}
		})
	}
}

func small(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "copies", "ltx", "0", "*.ltx"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	return files
}

func mustRemove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Two processes do not write the same copy.
func TestFollowTwice(t *testing.T) {
	dir := t.TempDir()
	cfg := replicate.FollowerConfig{Path: filepath.Join(dir, "copy.db"), Target: target(t, "file://"+dir+"/copies")}
	first, err := replicate.NewFollower(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replicate.NewFollower(cfg); !errors.Is(err, replicate.ErrFollowed) {
		t.Errorf("the second: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}
