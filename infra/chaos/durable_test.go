//go:build chaos

package chaos

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// traced runs the program under strace, which writes every sync and every write
// to a file or a client, with what was written, in the order in which the kernel
// was asked. The program is done when it returns.
func traced(t *testing.T, use func(p *program)) []*call {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is missing; infra/chaos/setup.sh installs it")
	}
	dir := t.TempDir()
	// With -D the program is our child, so that signals reach it, and strace a
	// grandchild, of which only the end of its output tells that it is done.
	cmd := command(dir, []string{"strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "131072", "-e", "signal=none",
		"-e", "trace=pwrite64,write,fsync,fdatasync", "-o", "/dev/fd/3"}, "serve")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	trace := make(chan []byte, 1)
	go func() {
		all, _ := io.ReadAll(r) // a trace cut short fails the test by what is missing
		trace <- all
	}()
	p := start(t, cmd)
	w.Close()
	use(p)
	p.Terminate(t)
	mustCheck(t, command(dir, nil, "check"))
	return parseTrace(t, <-trace)
}

func eventID(n int) (text string, raw []byte) {
	text = fmt.Sprintf("c4a05c4a05c4a05c4a05c4a0%08x", n)
	raw, _ = hex.DecodeString(text) // always digits
	return text, raw
}

func mustReport(t *testing.T, p *program, id string) {
	t.Helper()
	if status := p.report(t.Context(), id, "it broke"); status != http.StatusOK {
		t.Errorf("event %s was answered %d", id, status)
	}
}

// TestAcceptedMeansDurable: between writing a message into the queue's WAL and
// answering 200 there is an fsync of it, also for requests that share one.
func TestAcceptedMeansDurable(t *testing.T) {
	const clients, each = 4, 20
	calls := traced(t, func(p *program) {
		var all sync.WaitGroup
		for c := range clients {
			all.Go(func() {
				for n := range each {
					id, _ := eventID(c*each + n)
					mustReport(t, p, id)
				}
			})
		}
		all.Wait()
	})
	queue := commits(calls, "queue.db-wal")
	for n := range clients * each {
		text, raw := eventID(n)
		sent, _ := wrote(queue, 0, holds(raw))
		answer := answered(calls, text)
		if sent == nil || answer == 0 {
			t.Fatalf("event %d: its message or its answer is not in the trace", n)
		}
		if !synced(calls, "queue.db-wal", sent.to, answer) {
			t.Errorf("event %d: written to the queue up to line %d of the trace, answered in line %d, and no fsync between", n, sent.to, answer)
		}
	}
}

// TestDigestedMeansDurable: between writing an event into the database's WAL and
// deleting its message from the queue there is an fsync of the former.
//
// The events come one at a time, so that the next transaction of the queue that
// writes the page in which the message's body was is the one that deletes it.
func TestDigestedMeansDurable(t *testing.T) {
	const events = 25
	calls := traced(t, func(p *program) {
		for n := range events {
			id, _ := eventID(n)
			mustReport(t, p, id)
			eventually(t, "the event is digested and its message deleted", func() bool {
				b, ok := p.books()
				return ok && b.Digested == int64(n+1) && b.OldestAge == 0
			})
		}
	})
	queue, database := commits(calls, "queue.db-wal"), commits(calls, "sundew.db-wal")
	for n := range events {
		_, raw := eventID(n)
		sent, page := wrote(queue, 0, holds(raw))
		if sent == nil {
			t.Fatalf("event %d: its message is not in the trace", n)
		}
		digested, _ := wrote(database, sent.to, holds(raw))
		if digested == nil {
			t.Fatalf("event %d: its transaction is not in the trace", n)
		}
		deleted, _ := wrote(queue, sent.to, isPage(page))
		if deleted == nil {
			t.Fatalf("event %d: its message's deletion is not in the trace", n)
		}
		if !synced(calls, "sundew.db-wal", digested.to, deleted.from) {
			t.Errorf("event %d: committed up to line %d of the trace, its message deleted in line %d, and no fsync between", n, digested.to, deleted.from)
		}
	}
	t.Logf("%d transactions of the queue, %d of the database", len(queue), len(database))
}
