package scripts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/symbolicate"
	"sundew/schema/corpus"
	"sundew/schema/event"
)

// watched is a database that counts what is read of it.
type watched struct {
	of    Reader
	reads atomic.Int64
}

func (w *watched) Read(ctx context.Context, fn func(rx *store.Rx) error) error {
	w.reads.Add(1)
	return w.of.Read(ctx, fn)
}

// appID is the debug id of the recorded application's main script.
const appID = "a9aac7b1ba305e9880c24bac1f9bc5ae"

func open(t *testing.T) (*store.DB, *watched, event.ProjectID, corpus.WebApp) {
	t.Helper()
	db, replica := storetest.Open(t, nil)
	app, err := corpus.LoadWebApp()
	if err != nil {
		t.Fatal(err)
	}
	return db, &watched{of: replica}, storetest.MustCreateProject(t, db, "Shop", "").ID, app
}

func mustFind(t *testing.T, c *Cache, project event.ProjectID, ref symbolicate.Ref) symbolicate.Script {
	t.Helper()
	found, err := c.Find(t.Context(), project, []symbolicate.Ref{ref})
	if err != nil {
		t.Fatal(err)
	}
	return found[ref]
}

// What is there is found, once for all who want it, and then without the database; what
// is not is asked for again after a while, or when something was uploaded.
func TestFind(t *testing.T) {
	db, from, project, app := open(t)
	now := time.Now()
	c := New(Config{From: from, Within: time.Minute, Now: func() time.Time { return now }})
	ref := symbolicate.Ref{DebugID: appID, URL: "https://example.com/assets/app-2Y6DPYNI.js"}
	for range 3 {
		if s := mustFind(t, c, project, ref); s.Map != nil || s.Trouble != symbolicate.NoBundle {
			t.Fatalf("before the upload: %+v", s)
		}
	}
	mustFind(t, c, project, symbolicate.Ref{URL: "https://example.com/other.js"})
	if n := from.reads.Load(); n != 1 {
		t.Errorf("%d reads of a project that nothing was uploaded to", n)
	}
	now = now.Add(missedFor)
	mustFind(t, c, project, ref)
	if n := from.reads.Load(); n != 2 {
		t.Errorf("%d reads, one of them later", n)
	}
	storetest.MustPublish(t, db, project, "", app.Bundle)
	c.Forget(project)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if s := mustFind(t, c, project, ref); s.Map == nil || s.Bundle.ID != 1 || s.Trouble != symbolicate.NoTrouble {
				t.Errorf("after it: %+v", s)
			}
		})
	}
	all.Wait()
	if n := from.reads.Load(); n != 4 {
		t.Errorf("%d reads for one script and its map", n-2)
	}
	if ids := c.TakeUses(); len(ids) != 1 || ids[0] != 1 {
		t.Errorf("uses %v", ids)
	}
	if ids := c.TakeUses(); len(ids) != 0 {
		t.Errorf("uses since: %v", ids)
	}
}

// Maps are forgotten where there is no room for all.
func TestRoom(t *testing.T) {
	db, from, project, app := open(t)
	storetest.MustPublish(t, db, project, "", app.Bundle)
	c := New(Config{From: from, Bytes: 1, Within: time.Minute})
	for range 2 {
		for _, id := range []string{appID, "4535b7810c54529c969a07c2a9eade6a"} {
			if s := mustFind(t, c, project, symbolicate.Ref{DebugID: id, URL: "https://example.com/x.js"}); s.Map == nil {
				t.Fatalf("%s: %+v", id, s)
			}
			if n := len(c.maps.entries); n != 1 {
				t.Fatalf("%d maps in memory", n)
			}
		}
	}
}

// stuck is a database that answers when its context is done.
type stuck struct{ asked atomic.Int64 }

func (s *stuck) Read(ctx context.Context, _ func(*store.Rx) error) error {
	s.asked.Add(1)
	<-ctx.Done()
	return ctx.Err()
}

// Nobody waits longer than the bound for a database that does not answer, and while it
// does not nobody waits at all.
func TestStuckDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &stuck{}
		c := New(Config{From: from, Within: time.Second})
		find := func() time.Duration {
			began := time.Now()
			_, err := c.Find(t.Context(), 1, []symbolicate.Ref{{URL: "https://example.com/a.js"}})
			if !errors.Is(err, ErrUnknown) {
				t.Errorf("found: %v", err)
			}
			synctest.Wait()
			return time.Since(began)
		}
		if took := find(); took != time.Second {
			t.Errorf("the first took %v", took)
		}
		if took := find(); took != 0 || from.asked.Load() != 1 {
			t.Errorf("the second took %v, asked %d times", took, from.asked.Load())
		}
		time.Sleep(awayFor)
		if took := find(); took != time.Second || from.asked.Load() != 2 {
			t.Errorf("the one after a while took %v, asked %d times", took, from.asked.Load())
		}
	})
}

// However many maps are wanted at the same time, few are in memory as text.
func TestMapsReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, c := &stuck{}, newMapCache(1<<20)
		began := time.Now()
		var all sync.WaitGroup
		for id := range int64(3 * readAtOnce) {
			all.Go(func() {
				if _, err := c.load(t.Context(), from, mapFile{id: id}); err == nil {
					t.Errorf("map %d was read", id)
				}
			})
		}
		synctest.Wait()
		if n := from.asked.Load(); n != readAtOnce {
			t.Errorf("%d maps are read at once, at most %d should be", n, readAtOnce)
		}
		all.Wait()
		if took := time.Since(began); took != 3*readWithin {
			t.Errorf("all took %v", took)
		}
	})
}

// broken is a database that fails once, with an error that says nothing of its kind, and
// then reads.
type broken struct {
	of    Reader
	err   error
	tried int
}

func (b *broken) Read(ctx context.Context, fn func(rx *store.Rx) error) error {
	if b.tried++; b.tried == 1 {
		return b.err
	}
	return b.of.Read(ctx, fn)
}

// An error of the database says nothing about a map, which is read again; one about what
// is stored of it does.
func TestMapErrors(t *testing.T) {
	db, from, project, app := open(t)
	storetest.MustPublish(t, db, project, "", app.Bundle)
	var file mapFile
	if err := from.Read(t.Context(), func(rx *store.Rx) error {
		found, err := rx.FindScript(project, appID, "", "", "")
		if err != nil {
			return err
		}
		file.id = found.Map.ID
		file.sum, err = rx.ArtifactSum(file.id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	unknown := &broken{of: from, err: errors.New("what nobody knows")}
	c := newMapCache(1 << 30)
	if l, err := c.load(t.Context(), unknown, file); !errors.Is(err, unknown.err) {
		t.Errorf("the database fails: %+v, %v", l, err)
	}
	if l, err := c.load(t.Context(), unknown, file); l.m == nil || err != nil {
		t.Errorf("afterwards: %+v, %v", l, err)
	}
	damaged := &broken{of: from, err: fmt.Errorf("of a part: %w", store.ErrDamaged)}
	c = newMapCache(1 << 30)
	for range 2 {
		if l, err := c.load(t.Context(), damaged, file); l.trouble != symbolicate.UnreadableMap || err != nil {
			t.Errorf("damaged: %+v, %v", l, err)
		}
	}
	if damaged.tried != 1 {
		t.Errorf("what is damaged was read %d times", damaged.tried)
	}
}

// slow is a database without anything that takes long to say so.
type slow time.Duration

func (s slow) Read(context.Context, func(*store.Rx) error) error {
	time.Sleep(time.Duration(s))
	return nil
}

// Who has time gets an answer that others do not wait for.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{From: slow(10 * time.Second), Within: time.Second})
		refs := []symbolicate.Ref{{URL: "https://example.com/a.js", Release: "1"}}
		if _, err := c.Find(t.Context(), 1, refs); !errors.Is(err, ErrUnknown) {
			t.Errorf("found: %v", err)
		}
		if _, err := c.Await(t.Context(), 1, refs); err != nil {
			t.Errorf("awaited: %v", err)
		}
	})
}
