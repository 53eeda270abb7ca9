//go:build chaos

package chaos

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const (
	replicaKills = 10

	// mostLost is for how long before a disk is lost events may be lost with it: the
	// backup is made ten times a second, and the machine may be busy.
	mostLost = 5 * time.Second
)

// ledger is which events were accepted, and when.
type ledger struct {
	mu       sync.Mutex
	accepted map[string]time.Time // guarded by mu
}

// sendUntil reports events, one after the other, until the program is gone.
func (l *ledger) sendUntil(t *testing.T, p *program, prefix string) {
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s%020x", prefix, i)
		if p.report(t.Context(), id, fmt.Sprintf("order %d failed", i)) != http.StatusOK {
			return
		}
		l.mu.Lock()
		l.accepted[id] = time.Now()
		l.mu.Unlock()
	}
}

// Digester and follower are killed again and again under load, then the disk is
// lost: pages are there all the time, what S3 has is whole, and what is missing
// was accepted in the last moments before.
func TestReplicas(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(backend).Server())
	defer s3.Close()
	address := "s3://backups/sundew?region=us-east-1&every=100ms&endpoint=" + s3.URL
	dir, copyDir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	with := func(cmd *exec.Cmd) *exec.Cmd {
		cmd.Env = append(cmd.Env, "SUNDEW_BACKUP="+address, "SUNDEW_FOLLOW="+address, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret")
		return cmd
	}
	follower := func() *program { return start(t, with(command(copyDir, nil, "serve", "--role", "dashboard"))) }
	events := &ledger{accepted: make(map[string]time.Time)}
	var f *program
	var owner http.CookieJar // cookies are of a host, whatever the port
	for round := range replicaKills {
		p := start(t, with(command(dir, nil, "serve")))
		if f == nil {
			p.signIn(t)
			owner = p.client.Jar
			f = follower()
			f.client.Jar = owner
			eventually(t, "the session is in the copy", func() bool { return f.shows() == nil })
		}
		var all sync.WaitGroup
		for s := range senders {
			all.Go(func() { events.sendUntil(t, p, fmt.Sprintf("e%03x%08x", s, round)) })
		}
		pause(time.Duration(100+rand.IntN(400)) * time.Millisecond)
		f.Kill()
		f = follower()
		f.client.Jar = owner
		pause(time.Duration(rand.IntN(200)) * time.Millisecond)
		p.MustRun(t)
		p.Kill()
		all.Wait()
		mustShow(t, f, round)
	}
	// What was delivered and not decided when a process died is delivered again
	// later; the disk is lost when that is done.
	p := start(t, with(command(dir, nil, "serve")))
	eventually(t, "the queue is empty", func() bool {
		b, ok := p.books()
		return ok && b.InFlight == 0
	})
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() { events.sendUntil(t, p, fmt.Sprintf("e%03xffffffff", s)) })
	}
	pause(time.Second)
	killed := time.Now()
	p.Kill()
	all.Wait()
	mustShow(t, f, replicaKills)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	restored := t.TempDir()
	out, err := with(command(restored, nil, "restore", "--to", filepath.Join(restored, "sundew.db"))).CombinedOutput()
	if err != nil {
		t.Fatalf("restoring: %v\n%s", err, out)
	}
	stored := storedEvents(t, restored)
	eventually(t, "the copy has what S3 has", func() bool { return len(copied(t, copyDir)) == len(stored) })
	f.Terminate(t)
	lost, oldest := 0, time.Duration(0)
	for id, at := range events.accepted {
		if stored[id] == 0 {
			lost++
			oldest = max(oldest, killed.Sub(at))
		}
	}
	for id, times := range stored {
		if times != 1 {
			t.Errorf("event %s is stored %d times", id, times)
		}
	}
	t.Logf("%d kills of the digester, %d of the follower; of %d accepted events %d were lost with the disk, the oldest accepted %s before",
		replicaKills+1, replicaKills, len(events.accepted), lost, oldest.Round(time.Millisecond))
	if oldest > mostLost || len(stored) < replicaKills {
		t.Errorf("%d events are left", len(stored))
	}
	mustWork(t, restored)
}

// mustShow fails the test unless a page is there without the primary.
func mustShow(t *testing.T, f *program, round int) {
	t.Helper()
	if err := f.shows(); err != nil {
		t.Errorf("round %d: with the primary gone: %v", round, err)
	}
}

// shows returns why a follower has no page to show; nil: it has.
func (p *program) shows() error {
	answer, err := p.client.Get(p.URL + "/")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || !strings.Contains(string(page), "A copy, as of")) {
		err = fmt.Errorf("status %d:\n%.500s", answer.StatusCode, page)
	}
	return err
}

// mustWork starts the program on a restored database.
func mustWork(t *testing.T, dir string) {
	t.Helper()
	p := start(t, command(dir, nil, "serve"))
	if status := p.report(t.Context(), "0123456789abcdef0123456789abcdef", "after the restore"); status != http.StatusOK {
		t.Errorf("an event after the restore was answered %d", status)
	}
	p.Terminate(t)
}

// copied returns the events of a follower's copy.
func copied(t *testing.T, dir string) []int64 {
	t.Helper()
	db := openFile(t, dir, "copy.db")
	defer db.Close()
	return column[int64](t, db, `SELECT id FROM events`)
}
