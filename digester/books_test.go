package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/digest"
	"sundew/digester/ledger"
	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// ledgerNow is when the tests of the books take place.
var ledgerNow = time.Date(2026, 11, 20, 12, 30, 0, 0, time.UTC)

// bothSides are a real queue and a real database, with nothing between them.
type bothSides struct {
	t       *testing.T
	path    string // of the queue
	queue   *local.Queue
	db      *store.DB
	replica *store.Replica
	project event.ProjectID
}

func newBothSides(t *testing.T) *bothSides {
	t.Helper()
	clock := func() time.Time { return ledgerNow }
	b := &bothSides{t: t, path: filepath.Join(t.TempDir(), "queue.db")}
	b.db, b.replica = storetest.Open(t, clock)
	b.project = storetest.MustCreateProject(t, b.db, "Shop", "").ID
	var err error
	if b.queue, err = local.Open(t.Context(), local.Config{Path: b.path, Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.queue.Close(context.Background()) })
	return b
}

// send accepts messages that the edge received so long ago.
func (b *bothSides) send(n int, ago time.Duration, body string) {
	b.t.Helper()
	codec := wire.NewCodec()
	for i := range n {
		m := &wire.Message{Kind: wire.KindEvent, Project: b.project, ReceivedAt: ledgerNow.Add(-ago)}
		m.EventID = event.ID{byte(ago / time.Minute), byte(i), byte(len(body))}
		m.Body, m.Encoding = codec.Compress([]byte(body))
		if err := b.queue.Send(b.t.Context(), []*wire.Message{m}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// decideOnly digests the messages of some numbers and deletes none.
func (b *bothSides) decideOnly(seqs ...uint64) {
	b.t.Helper()
	received, err := b.queue.Receive(b.t.Context(), 100, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	var receipts []string
	for _, r := range received {
		receipts = append(receipts, r.Receipt)
		m, err := wire.Decode(r.Body)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, seq := range seqs {
			if m.Seq != seq {
				continue
			}
			in := &store.Incoming{
				Instance: m.Instance, Seq: m.Seq, Project: m.Project, EventID: m.EventID, ReceivedAt: m.ReceivedAt, OccurredAt: m.ReceivedAt,
				Category: "error", Title: "it broke", Kind: m.Kind, Encoding: m.Encoding, Meta: []byte("{}"), Body: m.Body, GroupRules: 1,
			}
			if result, err := b.db.Digest(b.t.Context(), in); err != nil || result != store.Stored {
				b.t.Fatalf("number %d: result %v, error %v", seq, result, err)
			}
		}
	}
	if err := b.queue.Extend(b.t.Context(), receipts, 0); err != nil {
		b.t.Fatal(err)
	}
}

// startDigester runs the digester until the returned function is called.
func (b *bothSides) startDigester() (stop func()) {
	b.t.Helper()
	d, err := digest.New(digest.Config{Queue: b.queue, Store: b.db, BatchSize: 8})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return func() {
		b.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			b.t.Fatal(err)
		}
	}
}

// digestAll runs the digester until the queue is empty.
func (b *bothSides) digestAll() {
	b.t.Helper()
	stop := b.startDigester()
	defer stop()
	waitFor(b.t, "the queue is empty", func() bool {
		stats, err := b.queue.Stats(b.t.Context())
		return err == nil && stats.Waiting+stats.InFlight == 0
	})
}

// lose deletes a message from the queue's file behind its back.
func (b *bothSides) lose(seq int) {
	b.t.Helper()
	file, err := sql.Open("sqlite", b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.ExecContext(b.t.Context(), `DELETE FROM messages WHERE seq = ?`, seq); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bothSides) books() *ledger.Books {
	b.t.Helper()
	books, err := readBooks(b.t.Context(), b.replica, b.queue, ledgerNow)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := balance(*books); err != nil {
		b.t.Error(err)
	}
	return books
}

// wantHours compares the hours, one line each: the newest first.
func (b *bothSides) wantHours(want ...string) {
	b.t.Helper()
	var got []string
	for _, h := range b.books().Hours {
		got = append(got, fmt.Sprintf("%02d: accepted %d, digested %d, dropped %d, in flight %d", h.Hour.Hour(), h.Accepted, h.Digested, h.DroppedTotal(), h.InFlight))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("hours (-want +got):\n%s", diff)
	}
}

func (b *bothSides) wantGaps(lost int64, want ...string) {
	b.t.Helper()
	books := b.books()
	var got []string
	for _, g := range books.Gaps {
		got = append(got, fmt.Sprintf("%d to %d %s", g.From, g.To, g.State))
	}
	if diff := cmp.Diff(want, got); diff != "" || books.Lost != lost || books.ByProject[b.project].Lost != lost {
		b.t.Errorf("%d lost, want %d; gaps (-want +got):\n%s", books.Lost, lost, diff)
	}
}

// What the edge accepted counts in the hour in which it received it, from the
// first moment on and whatever becomes of it.
func TestHoursBalance(t *testing.T) {
	b := newBothSides(t)
	b.send(3, 90*time.Minute, `{"message":"it broke"}`)
	b.send(2, time.Minute, `{"message":"it broke"}`)
	b.send(1, time.Minute, `{"broken":`)
	b.wantHours("12: accepted 3, digested 0, dropped 0, in flight 3", "11: accepted 3, digested 0, dropped 0, in flight 3")
	b.decideOnly(1, 2, 4) // decided and in the queue: once in the books
	b.wantHours("12: accepted 3, digested 1, dropped 0, in flight 2", "11: accepted 3, digested 2, dropped 0, in flight 1")
	b.digestAll()
	b.wantHours("12: accepted 3, digested 2, dropped 1, in flight 0", "11: accepted 3, digested 3, dropped 0, in flight 0")
	if books := b.books(); books.Accepted != 6 || books.InFlight != 0 || books.Redelivered != 3 {
		t.Errorf("books %+v", books)
	}
}

// A number that is missing is on its way as long as the queue has its message,
// and lost as soon as it has not.
func TestGapIsWaitingOrLost(t *testing.T) {
	b := newBothSides(t)
	b.send(5, time.Minute, `{"message":"it broke"}`)
	b.wantGaps(0)
	b.decideOnly(4)
	b.wantGaps(0, "1 to 3 waiting")
	b.lose(2)
	b.wantGaps(1, "2 to 2 lost", "1 to 1 waiting", "3 to 3 waiting")
	b.lose(4) // it was decided
	b.lose(5) // no later number has come
	b.wantGaps(2, "5 to 5 lost", "2 to 2 lost", "1 to 1 waiting", "3 to 3 waiting")
	b.digestAll()
	b.wantGaps(2, "5 to 5 lost", "2 to 2 lost")

	problems, err := checkAll(t.Context(), b.replica, b.queue)
	if err != nil || len(problems) != 2 {
		t.Errorf("check: %v, %v", problems, err)
	}
	for _, p := range problems {
		if p.Invariant != "everything accepted is decided or in the queue" {
			t.Errorf("check: %+v", p)
		}
	}
}

// movingQueue is a queue in which everything moves right before and right after
// it is looked at.
type movingQueue struct {
	*local.Queue
	before, after func()
}

func (q movingQueue) Inventory(ctx context.Context) (local.Inventory, error) {
	q.before()
	defer q.after()
	return q.Queue.Inventory(ctx)
}

// Between the look at the queue and the one at the database, messages come and go:
// none is lost by that, and none counted twice.
func TestBooksBetweenTwoLooks(t *testing.T) {
	b := newBothSides(t)
	b.send(3, time.Minute, `{"message":"it broke"}`)
	q := movingQueue{
		Queue:  b.queue,
		before: func() { b.digestAll(); b.send(2, 2*time.Minute, `{"message":"it broke"}`) },
		after:  func() { b.send(2, 3*time.Minute, `{"message":"it broke"}`); b.decideOnly(4, 7) },
	}
	books, err := readBooks(t.Context(), b.replica, q, ledgerNow)
	if err != nil {
		t.Fatal(err)
	}
	if err := balance(*books); err != nil || books.Accepted != 7 || books.Digested != 5 || books.InFlight != 2 || books.Lost != 0 {
		t.Errorf("books %+v, %v", books, err)
	}
}

// The books are read beside everything that moves: at no moment is anything
// counted twice, or taken for lost.
func TestBooksWhileRunning(t *testing.T) {
	b := newBothSides(t)
	defer b.startDigester()()
	var sender sync.WaitGroup
	sender.Go(func() { b.send(200, time.Minute, `{"message":"it broke"}`) })
	sender.Go(func() { b.send(200, 61*time.Minute, `{"message":"it broke"}`) })
	waitFor(t, "everything is digested", func() bool {
		books := b.books()
		inHours := int64(0)
		for _, h := range books.Hours {
			inHours += h.Accepted
		}
		if books.Lost != 0 || inHours > books.Accepted {
			t.Fatalf("%d lost; %d accepted, %d in all hours; gaps %+v", books.Lost, books.Accepted, inHours, books.Gaps)
		}
		return books.Digested == 400
	})
	sender.Wait()
	b.wantGaps(0)
}

// A loss is shown wherever an operator looks, and is no reason to take the
// process out of service.
func TestLossIsShown(t *testing.T) {
	dir := t.TempDir()
	r := startService(t, dir)
	ctx := t.Context()
	file, err := sql.Open("sqlite", filepath.Join(dir, "queue.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.ExecContext(ctx, `PRAGMA busy_timeout = 5000; INSERT INTO lanes VALUES (900, x'00112233445566778899aabbccddeeff', 1, 3, 900)`); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/health/ready": `"lost_messages": 3`,
		"/metrics":      "sundew_lost_messages 3\n",
		"/ledger.json":  `"state": "lost"`,
	} {
		if status, body := r.get(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s answered %d without %s:\n%.1000s", path, status, want, body)
		}
	}
	var books struct{ Gaps []map[string]any }
	_, body := r.get("/ledger.json")
	if err := json.Unmarshal([]byte(body), &books); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{{
		"instance": "00112233445566778899aabbccddeeff", "region": "", "project": 1.0, "from": 1.0, "to": 3.0, "count": 3.0, "state": "lost",
	}}
	if diff := cmp.Diff(want, books.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}
