package local

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/queue"
	"sundew/schema/event"
	"sundew/schema/wire"
)

func TestSendReceiveDelete(t *testing.T) {
	c := newClock()
	instance := wire.InstanceID{1, 2, 3}
	q := mustOpen(t, Config{Path: newPath(t), Instance: instance, Now: c.Now})
	sent := []*wire.Message{
		{Kind: wire.KindEvent, Encoding: wire.EncodingZstd, Project: 7, EventID: event.ID{9}, Region: "eu", Body: []byte("one")},
		{Kind: wire.KindCounts, Body: []byte("two")},
		{Kind: wire.KindCSP, Project: 7, Environment: "prod", Body: []byte("three")},
	}
	if err := q.Send(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{1, 1, 2} {
		if sent[i].Seq != want || sent[i].Instance != instance {
			t.Errorf("message %d: instance %x, seq %d; want %x, %d", i, sent[i].Instance, sent[i].Seq, instance, want)
		}
	}
	got := mustReceive(t, q, "one", "two", "three")
	for i, m := range got {
		if diff := cmp.Diff(sent[i], mustDecode(t, m.Body)); diff != "" {
			t.Errorf("message %d (-sent +received):\n%s", i, diff)
		}
		if m.Receives != 1 || !m.SentAt.Equal(c.Now()) {
			t.Errorf("message %d: receives %d, sent at %v", i, m.Receives, m.SentAt)
		}
	}
	wantCounts(t, q, 0, 3, 0)
	mustReceive(t, q)
	mustDelete(t, q, got[0], got[2])
	mustDelete(t, q, got[0], got[2])
	wantCounts(t, q, 0, 1, 0)
	mustDelete(t, q, got[1])

	stats := mustStats(t, q)
	if stats.Bytes == 0 {
		t.Error("no size")
	}
	stats.Bytes = 0
	want := Stats{Lanes: []Lane{{Instance: instance, Project: 7, High: 2}, {Instance: instance, Project: 0, High: 1}}}
	if diff := cmp.Diff(want, stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if rows := checkFile(t, q.cfg.Path); len(rows) != 0 {
		t.Errorf("left over: %v", rows)
	}
}

func TestReceiveLimit(t *testing.T) {
	q := mustOpen(t, Config{Path: newPath(t)})
	mustSend(t, q, "a", "b", "c")
	for _, limit := range []int{-1, 0, 1000} {
		got, err := q.Receive(t.Context(), limit, 0)
		if err != nil || len(got) != 1 {
			t.Errorf("Receive(%d) = %d messages, %v; want 1", limit, len(got), err)
		}
	}
}

func TestReceiveBytesAreBounded(t *testing.T) {
	q := mustOpen(t, Config{Path: newPath(t)})
	big := string(make([]byte, maxReceiveBytes/2))
	for range 3 {
		mustSend(t, q, big)
	}
	for _, want := range []int{2, 1, 0} {
		got, err := q.Receive(t.Context(), 10, 0)
		if err != nil || len(got) != want {
			t.Fatalf("received %d messages, %v; want %d", len(got), err, want)
		}
	}
}

func TestRedelivery(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Visibility: time.Minute, Now: c.Now})
	mustSend(t, q, "a", "b")
	mustReceive(t, q, "a", "b")
	mustSend(t, q, "c")

	c.advance(time.Minute - time.Millisecond)
	mustReceive(t, q, "c")
	c.advance(time.Millisecond)
	again := mustReceive(t, q, "a", "b")
	for _, m := range again {
		if m.Receives != 2 {
			t.Errorf("receives = %d, want 2", m.Receives)
		}
	}
	mustDelete(t, q, again...)
	c.advance(time.Hour)
	mustReceive(t, q, "c")
}

func TestDefaults(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Now: c.Now})
	if q.Instance() == (wire.InstanceID{}) {
		t.Error("no instance")
	}
	mustSend(t, q, "a")
	for range 8 {
		mustReceive(t, q, "a")
		c.advance(30*time.Second - 1)
		mustReceive(t, q)
		c.advance(1)
	}
	mustReceive(t, q)
	wantCounts(t, q, 0, 0, 1)
}

func TestClockGoesBack(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Now: c.Now})
	mustSend(t, q, "a")
	c.advance(-time.Hour)
	mustSend(t, q, "b")
	mustReceive(t, q, "a", "b")
}

func TestExtend(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Visibility: time.Minute, Now: c.Now})
	mustSend(t, q, "a", "b", "c", "d")
	first := mustReceive(t, q, "a", "b", "c", "d")

	c.advance(50 * time.Second)
	mustExtend(t, q, time.Minute, first[0], first[1], first[3])
	c.advance(59 * time.Second)
	second := mustReceive(t, q, "c")

	// The holder of an earlier delivery can neither give it away nor keep it.
	mustExtend(t, q, 0, first[2])
	mustReceive(t, q)
	mustExtend(t, q, time.Hour, first[2])

	c.advance(time.Second)
	mustReceive(t, q, "a", "b", "d")
	mustExtend(t, q, 0, second...)
	mustReceive(t, q, "c")
}

func TestReceipts(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Now: c.Now})
	mustSend(t, q, "a")
	first := mustReceive(t, q, "a")
	c.advance(time.Hour)
	mustReceive(t, q, "a")
	mustDelete(t, q, first...) // of an earlier delivery: dealt with is dealt with
	wantCounts(t, q, 0, 0, 0)

	mustSend(t, q, "b")
	mustDelete(t, q, first...) // ids are not given out again
	wantCounts(t, q, 1, 0, 0)

	if err := q.Delete(t.Context(), []string{"12345.1"}); err != nil {
		t.Errorf("unknown receipt: %v", err)
	}
	for _, bad := range []string{"", "1", "1.", ".1", "a.b", "1.1.1"} {
		if err := q.Delete(t.Context(), []string{bad}); !errors.Is(err, ErrReceipt) {
			t.Errorf("Delete(%q) = %v, want ErrReceipt", bad, err)
		}
		if err := q.Extend(t.Context(), []string{bad}, 0); !errors.Is(err, ErrReceipt) {
			t.Errorf("Extend(%q) = %v, want ErrReceipt", bad, err)
		}
	}
}

func TestParseRuns(t *testing.T) {
	got, err := parseRuns([]string{"9.1", "2.1", "3.1", "4.2", "3.1", "5.2"})
	if err != nil {
		t.Fatal(err)
	}
	want := []run{{2, 3, 1}, {3, 3, 1}, {4, 5, 2}, {9, 9, 1}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(run{})); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestDeadLetters(t *testing.T) {
	c := newClock()
	sentAt := c.Now()
	q := mustOpen(t, Config{Path: newPath(t), MaxReceives: 2, Visibility: time.Minute, Now: c.Now})
	mustSend(t, q, "poison", "worse", "fine")
	mustReceive(t, q, "poison", "worse", "fine")
	c.advance(time.Minute)
	last := mustReceive(t, q, "poison", "worse", "fine")
	mustDelete(t, q, last[2])
	mustSend(t, q, "next")
	c.advance(time.Minute)
	mustReceive(t, q, "next") // and not the two before it
	wantCounts(t, q, 0, 1, 2)
	checkWholeBut(t, q, 3)

	dead, err := q.DeadLetters(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(dead) != 1 || string(mustDecode(t, dead[0].Body).Body) != "worse" {
		t.Fatalf("newest dead letter: %+v", dead)
	}
	dead[0].Body = nil
	want := queue.DeadLetter{ID: dead[0].ID, Receives: 2, SentAt: sentAt, DeadAt: c.Now()}
	if diff := cmp.Diff(want, dead[0]); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}

	if n, err := q.Redrive(t.Context(), []string{dead[0].ID, "999", "none", dead[0].ID}); n != 1 || err != nil {
		t.Errorf("Redrive = %d, %v; want 1", n, err)
	}
	back := mustReceive(t, q, "worse")
	if back[0].Receives != 1 {
		t.Errorf("receives after redrive = %d, want 1", back[0].Receives)
	}
	mustDelete(t, q, last[0]) // a slow holder is done after all: the dead letter goes
	mustDelete(t, q, back...)
	wantCounts(t, q, 0, 1, 0)
	checkFile(t, q.cfg.Path)
}

// checkWholeBut is checkWhole for a queue from which only these numbers of the
// only lane were deleted.
func checkWholeBut(t *testing.T, q *Queue, deleted ...uint64) {
	t.Helper()
	seen := make(map[uint64]bool)
	for _, n := range deleted {
		seen[n] = true
	}
	for _, r := range checkFile(t, q.cfg.Path) {
		seen[r.ref.Seq] = true
	}
	lanes := mustStats(t, q).Lanes
	if len(lanes) != 1 || uint64(len(seen)) != lanes[0].High {
		t.Errorf("%d numbers seen, lanes %+v", len(seen), lanes)
	}
}

func TestManyDeadBeforeTheFirst(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), MaxReceives: 1, Now: c.Now})
	var poison []*wire.Message
	for range 300 {
		poison = append(poison, newMessage(1, "poison"))
	}
	if err := q.Send(t.Context(), poison); err != nil {
		t.Fatal(err)
	}
	if got, err := q.Receive(t.Context(), 300, 0); err != nil || len(got) != 300 {
		t.Fatalf("received %d, %v", len(got), err)
	}
	c.advance(time.Hour)
	mustSend(t, q, "fine")
	mustReceive(t, q, "fine")
	wantCounts(t, q, 0, 1, 300)
	checkWhole(t, q)
}

func TestOldest(t *testing.T) {
	c := newClock()
	q := mustOpen(t, Config{Path: newPath(t), Now: c.Now})
	if s := mustStats(t, q); !s.Oldest.IsZero() {
		t.Errorf("oldest of an empty queue: %v", s.Oldest)
	}
	first := c.Now()
	mustSend(t, q, "a")
	c.advance(time.Second)
	mustSend(t, q, "b")
	got := mustReceive(t, q, "a", "b")
	if s := mustStats(t, q); !s.Oldest.Equal(first) {
		t.Errorf("oldest = %v, want %v", s.Oldest, first)
	}
	mustDelete(t, q, got[0])
	if s := mustStats(t, q); !s.Oldest.Equal(first.Add(time.Second)) {
		t.Errorf("oldest = %v, want %v", s.Oldest, first.Add(time.Second))
	}
}
