//go:build aws

package aws

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// refusedWithin is how long a key that was switched off may still work in an
// environment that gets requests: a minute, see functions/ingest, and the time that
// the digester takes to notice and publish.
const refusedWithin = time.Minute + 10*time.Second

// TestKeyRevoked: a key that is switched off is refused in time, by an environment
// that knew it before.
func TestKeyRevoked(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	f := startFront(t, c.Region(home), 1)
	if status := f.report(t.Context(), p.Key, newID(), "before"); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	db := openDatabase(t, dir)
	if _, err := db.ExecContext(t.Context(), `UPDATE project_keys SET enabled = 0`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	every := time.NewTicker(250 * time.Millisecond)
	defer every.Stop()
	for f.report(t.Context(), p.Key, newID(), "after") != http.StatusForbidden {
		if <-every.C; time.Since(began) > refusedWithin {
			t.Fatalf("the key still works after %v", refusedWithin)
		}
	}
	t.Logf("refused after %v", time.Since(began).Round(time.Second))
	if len(f.Environments()) != 1 || len(f.Inits()) != 1 {
		t.Errorf("%d environments were started; want the first to refuse", len(f.Inits()))
	}
	if status := startFront(t, c.Region(home), 1).report(t.Context(), p.Key, newID(), "anew"); status != http.StatusForbidden {
		t.Errorf("a new environment answered %d", status)
	}
}

// TestKeysUnreadable: without the snapshot of keys an environment accepts what it
// cannot judge, and the digester decides by the key.
func TestKeysUnreadable(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	known := startFront(t, c.Region(home), 1)
	wrong := strings.Repeat("0", 32)
	if status := known.report(t.Context(), wrong, newID(), "wrong"); status != http.StatusForbidden {
		t.Errorf("with the snapshot a wrong key is answered %d", status)
	}
	off := strings.Repeat("f", 32)
	db := openDatabase(t, dir)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO project_keys (project_id, public_key, enabled, created_at) VALUES (1, ?, 0, 0)`, off); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	c.Region(home).EdgeBucket().Cut(true)
	fresh := startFront(t, c.Region(home), 1)
	for name, f := range map[string]*front{"that knew the keys": known, "that never saw them": fresh} {
		id := newID()
		if status := f.report(t.Context(), p.Key, id, "right"); status != http.StatusOK {
			t.Errorf("an environment %s answered %d", name, status)
		}
		eventually(t, "the event has a page", func() bool {
			status, _ := p.get(t, "/events/"+id)
			return status == http.StatusOK
		})
	}
	for _, r := range []struct {
		project int
		key     string
	}{{99, wrong}, {1, wrong}, {1, off}} {
		if status := fresh.reportTo(t.Context(), r.project, r.key, newID(), "in doubt"); status != http.StatusOK {
			t.Errorf("a key of project %d that cannot be judged is answered %d", r.project, status)
		}
	}
	b := p.settle(t, 5)
	want := map[string]int64{"unknown_project": 1, "unknown_key": 1, "disabled_key": 1}
	if b.Digested != 2 || b.Accepted != 5 || !maps.Equal(b.Dropped, want) {
		t.Errorf("the books: %+v; want two digested, %v dropped", b, want)
	}
}
