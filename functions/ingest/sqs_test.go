package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// testMessages returns messages of projects, each with an id of its own.
func testMessages(next *byte, projects ...event.ProjectID) []*wire.Message {
	var msgs []*wire.Message
	for _, p := range projects {
		*next++
		msgs = append(msgs, &wire.Message{Kind: wire.KindEvent, Project: p, EventID: event.ID{*next, 1}, Body: []byte("body")})
	}
	return msgs
}

type lane struct {
	instance wire.InstanceID
	project  event.ProjectID
}

// checkBooks checks what the digester relies on: no number stands for two messages,
// and below a number that arrived none is missing.
func checkBooks(t *testing.T, arrived []*wire.Message) {
	t.Helper()
	lanes := map[lane]map[uint64]event.ID{}
	for _, m := range arrived {
		l := lane{m.Instance, m.Project}
		if lanes[l] == nil {
			lanes[l] = map[uint64]event.ID{}
		}
		if id, known := lanes[l][m.Seq]; known && id != m.EventID {
			t.Errorf("instance %x: number %d of project %d is %s and %s", m.Instance[:4], m.Seq, m.Project, id, m.EventID)
		}
		lanes[l][m.Seq] = m.EventID
	}
	for l, numbers := range lanes {
		for n := range uint64(len(numbers)) {
			if _, ok := numbers[n+1]; !ok {
				t.Errorf("instance %x, project %d: %d numbers arrived, %d is not among them", l.instance[:4], l.project, len(numbers), n+1)
			}
		}
	}
}

// TestSend checks what a healthy queue gets: one instance for one message after the
// other, batches within SQS's bounds.
func TestSend(t *testing.T) {
	f := newFakeSQS(t)
	s := newTestSender(f, nil)
	var next byte
	for range 3 {
		msgs := testMessages(&next, 7)
		if err := s.Send(t.Context(), msgs); err != nil {
			t.Fatal(err)
		}
		if msgs[0].Seq != uint64(next) {
			t.Errorf("message %d has number %d", next, msgs[0].Seq)
		}
	}
	many := testMessages(&next, slices.Repeat([]event.ProjectID{7, 8, 0}, 7)...)
	if err := s.Send(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if f.called() != 3+3 {
		t.Errorf("%d calls, want 3 and one for each ten", f.called())
	}
	large := testMessages(&next, 7, 7, 7)
	for _, m := range large {
		m.Body = []byte(strings.Repeat("x", 300<<10))
	}
	if err := s.Send(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	if f.called() != 3+3+2 {
		t.Errorf("%d calls after three messages of 400 KiB", f.called())
	}
	if got := f.messages(t); len(got) != int(next) {
		t.Errorf("%d messages arrived of %d", len(got), next)
	}
	checkBooks(t, f.messages(t))
}

// TestSendFails injects every failure, with and without effect, once and for as long
// as a Send lasts: an error is returned exactly if it was not overcome, and the books
// stay provable.
func TestSendFails(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault fault
		batch bool
	}{
		{"500", fault{status: http.StatusInternalServerError}, false},
		{"503", fault{status: http.StatusServiceUnavailable}, true},
		{"400", fault{status: http.StatusBadRequest}, true},
		{"cut", fault{cut: true}, false},
		{"cut batch", fault{cut: true}, true},
		{"first entry", fault{entries: []int{0}}, true},
		{"middle entry", fault{entries: []int{1, 2}}, true},
		{"all entries", fault{entries: []int{0, 1, 2, 3}}, true},
	} {
		for _, applied := range []bool{false, true} {
			for _, once := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, applied %v, once %v", tt.name, applied, once), func(t *testing.T) {
					t.Parallel()
					f := newFakeSQS(t)
					s := newTestSender(f, nil)
					var next byte
					mustSend := func(projects ...event.ProjectID) {
						t.Helper()
						if err := s.Send(t.Context(), testMessages(&next, projects...)); err != nil {
							t.Fatal(err)
						}
					}
					mustSend(7, 7, 7, 9)
					failures := 0
					wrong := tt.fault
					wrong.applied = applied
					f.setFail(func() *fault {
						if failures++; once && failures > 1 {
							return nil
						}
						return &wrong
					})
					projects := []event.ProjectID{7}
					if tt.batch {
						projects = []event.ProjectID{7, 7, 9, 7}
					}
					err := s.Send(t.Context(), testMessages(&next, projects...))
					overcome := once && tt.name != "400" // the client's fault: not tried again
					if (err == nil) != overcome {
						t.Errorf("error %v", err)
					}
					f.setFail(nil)
					for range 3 {
						mustSend(7, 9, 7)
						mustSend(7)
					}
					got := f.messages(t)
					checkBooks(t, got)
					ids := map[event.ID]bool{}
					for _, m := range got {
						ids[m.EventID] = true
					}
					if overcome && len(ids) != int(next) {
						t.Errorf("%d messages arrived of %d", len(ids), next)
					}
				})
			}
		}
	}
}

// TestSendOutOfTime checks that a Send ends with its context, and that nothing that
// may have arrived is numbered again.
func TestSendOutOfTime(t *testing.T) {
	f := newFakeSQS(t)
	s := newTestSender(f, nil)
	var next byte
	f.setFail(func() *fault { return &fault{applied: true, entries: []int{1}} })
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, testMessages(&next, 7, 7)); err == nil {
		t.Error("a Send of which SQS never took everything returned nil")
	}
	f.setFail(nil)
	if err := s.Send(t.Context(), testMessages(&next, 7, 7, 7)); err != nil {
		t.Fatal(err)
	}
	checkBooks(t, f.messages(t))
}

// TestSendTogether has many Sends at once, with failures at random.
func TestSendTogether(t *testing.T) {
	f := newFakeSQS(t)
	random := rand.New(rand.NewPCG(1, 2))
	f.setFail(func() *fault { // under the server's lock
		switch wrong := (&fault{applied: random.IntN(2) == 0}); random.IntN(4) {
		case 0:
			wrong.status = http.StatusInternalServerError
			return wrong
		case 1:
			wrong.entries = []int{random.IntN(3)}
			return wrong
		}
		return nil
	})
	s := newTestSender(f, nil)
	var group sync.WaitGroup
	for worker := range byte(4) {
		group.Go(func() {
			next := worker * 60
			for range 15 {
				_ = s.Send(t.Context(), testMessages(&next, 7, 9, 7))
			}
		})
	}
	group.Wait()
	checkBooks(t, f.messages(t))
}

// TestManyProjects checks that names of projects that nobody vouches for do not pile
// up in memory.
func TestManyProjects(t *testing.T) {
	var p numberers
	n := p.take()
	for i := range event.ProjectID(maxLanes) {
		n.number(&wire.Message{Project: i})
	}
	p.giveBack(n)
	if again := p.take(); again == n {
		t.Error("a numberer that has counted so many projects is still in use")
	}
}
