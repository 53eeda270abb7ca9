package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	kills   = 6
	senders = 8
)

// Accepted means durable: the process is killed at random moments under load,
// and at the end every event that was answered 200 is there, exactly once.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var accepted sync.Map // event id → true
	for round := range kills {
		child := startChild(t, dir)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for s := range senders {
			all.Go(func() { child.load(ctx, fmt.Sprintf("%02x%02x", round, s), &accepted) })
		}
		// A slow machine has something to lose, too, when the program is killed.
		waitFor(t, "events are accepted", func() bool { return sizeOf(&accepted) >= (round+1)*senders })
		moment := time.NewTimer(time.Duration(rand.IntN(300)) * time.Millisecond)
		<-moment.C
		child.kill(t)
		stop()
		all.Wait()
	}
	r := startService(t, dir)
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	n := int64(0)
	accepted.Range(func(id, _ any) bool {
		n++
		if status, _ := r.get("/events/" + id.(string)); status != http.StatusOK {
			t.Errorf("event %s was answered 200 and is gone: its page answers %d", id, status)
		}
		return true
	})
	b := r.books()
	if err := balance(b); err != nil || n < kills*senders || b.StoredEvents < n || b.Duplicate != 0 || b.DroppedTotal() != 0 {
		t.Errorf("%d events were answered 200; the books say %+v (%v)", n, b, err)
	}
	t.Logf("%d events answered 200, %d stored, %d deliveries repeated", n, b.StoredEvents, b.Redelivered)
	r.stop()
	mustCheck(t, envOf(dir))
}

// sizeOf returns how many entries a map has.
func sizeOf(m *sync.Map) (n int) {
	m.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}

// child is the program in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
	key string
}

var readyLine = regexp.MustCompile(`Dashboard: (http://\S+)/  DSN: http://([0-9a-f]{32})@`)

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0], "serve")}
	c.cmd.Env = append(os.Environ(), "SUNDEW_TEST_RUN=1", "SUNDEW_DATA="+dir, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=error", "SUNDEW_SPIKE=0")
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("the program printed %q", line)
	}
	c.url, c.key = found[1], found[2]
	return c
}

func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // "signal: killed"
}

// load reports events, one after the other, until it cannot any more, and notes
// those that were answered 200.
func (c *child) load(ctx context.Context, prefix string, accepted *sync.Map) {
	for i := 1; ctx.Err() == nil; i++ {
		id := fmt.Sprintf("%s%028x", prefix, i)
		body := fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":"order %d failed","tags":{"round":%q},"extra":{"pad":%q}}`,
			id, i, prefix, strings.Repeat("x", i%3000))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/api/1/envelope/?sentry_key="+c.key, strings.NewReader(body))
		if err != nil {
			return
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			accepted.Store(id, true)
		}
	}
}

// SIGTERM ends the program cleanly: exit code 0, nothing lost, nothing to
// recover.
func TestTerminate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startChild(t, dir)
	ctx, stop := context.WithCancel(t.Context())
	var accepted sync.Map
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() { c.load(ctx, fmt.Sprintf("ff%02x", s), &accepted) })
	}
	moment := time.NewTimer(200 * time.Millisecond)
	<-moment.C
	if err := c.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	stop()
	all.Wait()
	for _, file := range []string{"sundew.db-wal", "queue.db-wal"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			t.Errorf("%s is still there: its database was not closed", file)
		}
	}
	mustCheck(t, envOf(dir))
	r := startService(t, dir)
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	accepted.Range(func(id, _ any) bool {
		if status, _ := r.get("/events/" + id.(string)); status != http.StatusOK {
			t.Errorf("event %s was answered 200 and is gone", id)
		}
		return true
	})
}
