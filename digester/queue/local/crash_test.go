package local

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/wire"
)

var crashChild = flag.String("crash-child", "", "be the process that TestCrash kills, with this queue")

// TestCrash kills a process that sends, receives and deletes as fast as it can,
// and compares what it was told with what the file says: every acknowledged
// message is there exactly once unless it was about to be deleted, every delivery
// is counted, and every number that a lane says was accepted is accounted for.
func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	path := newPath(t)
	told := newTestimony()
	for range 8 {
		told.listen(t, path, 1+rand.IntN(500))
		left := undecided(t, path)
		q := mustOpen(t, Config{Path: path})
		if diff := cmp.Diff(undecided(t, path), left); diff != "" {
			t.Errorf("an inspector saw another queue than its next owner (-owner +inspector):\n%s", diff)
		}
		told.check(t, checkFile(t, path), mustStats(t, q).Lanes)
		mustClose(t, q)
	}
	t.Logf("%d acknowledged, %d delivered", len(told.acknowledged), len(told.delivered))
}

// undecided is what an Inspector sees.
func undecided(t *testing.T, path string) []Ref {
	t.Helper()
	i, err := Inspect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	return mustList(t, i)
}

// testimony is what the killed processes said before they died.
type testimony struct {
	acknowledged map[Ref]bool
	delivered    map[Ref]int  // how often
	deleting     map[Ref]bool // said before the queue was asked to
}

func newTestimony() *testimony {
	return &testimony{make(map[Ref]bool), make(map[Ref]int), make(map[Ref]bool)}
}

// listen runs the child until it has said lines lines, kills it, and hears the
// rest of what it had said.
func (told *testimony) listen(t *testing.T, path string, lines int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-crash-child="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	heard := 0
	for s := bufio.NewScanner(out); s.Scan(); heard++ {
		told.note(t, s.Text())
		if heard == lines {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || heard < lines {
		t.Fatalf("the child ended by itself after %d lines: %v", heard, err)
	}
}

// note takes down one line, as say made it.
func (told *testimony) note(t *testing.T, line string) {
	t.Helper()
	var what string
	var instance []byte
	var r Ref
	var receives int
	if _, err := fmt.Sscanf(line, "%s %x %d %d %d", &what, &instance, &r.Project, &r.Seq, &receives); err != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	copy(r.Instance[:], instance)
	switch what {
	case "acknowledged":
		if told.acknowledged[r] {
			t.Errorf("number given twice: %+v", r)
		}
		told.acknowledged[r] = true
	case "delivered":
		told.delivered[r] = receives
	case "deleting":
		told.deleting[r] = true
	}
}

func say(what string, m *wire.Message, receives int) {
	fmt.Printf("%s %x %d %d %d\n", what, m.Instance, m.Project, m.Seq, receives) // one write a line
}

func (told *testimony) check(t *testing.T, rows []row, lanes []Lane) {
	t.Helper()
	stored := make(map[Ref]bool)
	for _, r := range rows {
		stored[r.ref] = true
		if r.receives < told.delivered[r.ref] {
			t.Errorf("%+v: delivered %d times, counted %d", r.ref, told.delivered[r.ref], r.receives)
		}
	}
	for r := range told.acknowledged {
		if !stored[r] && !told.deleting[r] {
			t.Errorf("acknowledged and lost: %+v", r)
		}
	}
	high := make(map[Ref]uint64)
	for _, l := range lanes {
		high[Ref{Instance: l.Instance, Project: l.Project}] = l.High
		for n := uint64(1); n <= l.High; n++ {
			if r := (Ref{Instance: l.Instance, Project: l.Project, Seq: n}); !stored[r] && !told.deleting[r] {
				t.Errorf("gap: %+v", r)
			}
		}
	}
	for r := range told.acknowledged {
		if h := high[Ref{Instance: r.Instance, Project: r.Project}]; r.Seq > h {
			t.Errorf("acknowledged %+v, the lane ends at %d", r, h)
		}
	}
}

// TestCrashChild is the process that is killed.
func TestCrashChild(t *testing.T) {
	if *crashChild == "" {
		t.Skip("run by TestCrash")
	}
	q := mustOpen(t, Config{Path: *crashChild, MaxReceives: 1000})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // should the parent be gone
	defer cancel()
	var workers sync.WaitGroup
	for w := range 16 {
		workers.Go(func() { sendUntilKilled(ctx, t, q, w) })
	}
	workers.Go(func() { receiveUntilKilled(ctx, t, q) })
	workers.Wait()
}

func sendUntilKilled(ctx context.Context, t *testing.T, q *Queue, worker int) {
	for i := 0; ctx.Err() == nil; i++ {
		var msgs []*wire.Message
		for n := range 1 + i%3 {
			msgs = append(msgs, newMessage(event.ProjectID((worker+n)%4), string(make([]byte, 40*worker*worker))))
		}
		if err := q.Send(ctx, msgs); err != nil {
			t.Error(err)
			return
		}
		for _, m := range msgs {
			say("acknowledged", m, 0)
		}
	}
}

// receiveUntilKilled deletes half of what it receives.
func receiveUntilKilled(ctx context.Context, t *testing.T, q *Queue) {
	for ctx.Err() == nil {
		got, err := q.Receive(ctx, 20, time.Second)
		if err != nil {
			t.Error(err)
			return
		}
		var done []string
		for i, m := range got {
			say("delivered", mustDecode(t, m.Body), m.Receives)
			if i%2 == 0 {
				say("deleting", mustDecode(t, m.Body), 0)
				done = append(done, m.Receipt)
			}
		}
		if err := q.Delete(ctx, done); err != nil {
			t.Error(err)
			return
		}
	}
}
