package local

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/queue"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// clock is a set clock.
type clock struct{ now time.Time }

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time          { return c.now }
func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

// newPath returns the path of a queue that does not exist yet.
func newPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "queue.db")
}

// mustOpen opens a queue, closed when the test ends.
func mustOpen(t *testing.T, cfg Config) *Queue {
	t.Helper()
	q, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close(context.Background()) })
	return q
}

func mustClose(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func newMessage(project event.ProjectID, text string) *wire.Message {
	return &wire.Message{Kind: wire.KindEvent, Project: project, Body: []byte(text)}
}

// mustSend sends one message for each text, for project 1.
func mustSend(t *testing.T, q *Queue, texts ...string) {
	t.Helper()
	var msgs []*wire.Message
	for _, text := range texts {
		msgs = append(msgs, newMessage(1, text))
	}
	if err := q.Send(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
}

// mustReceive receives what is visible now, which must be these texts.
func mustReceive(t *testing.T, q *Queue, want ...string) []queue.Message {
	t.Helper()
	got, err := q.Receive(t.Context(), 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, texts(t, got)); diff != "" {
		t.Fatalf("received (-want +got):\n%s", diff)
	}
	return got
}

func texts(t *testing.T, msgs []queue.Message) []string {
	t.Helper()
	var all []string
	for _, m := range msgs {
		all = append(all, string(mustDecode(t, m.Body).Body))
	}
	return all
}

func mustDecode(t *testing.T, encoded []byte) *wire.Message {
	t.Helper()
	m, err := wire.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func receipts(msgs []queue.Message) []string {
	var all []string
	for _, m := range msgs {
		all = append(all, m.Receipt)
	}
	return all
}

func mustDelete(t *testing.T, q *Queue, msgs ...queue.Message) {
	t.Helper()
	if err := q.Delete(t.Context(), receipts(msgs)); err != nil {
		t.Fatal(err)
	}
}

func mustExtend(t *testing.T, q *Queue, d time.Duration, msgs ...queue.Message) {
	t.Helper()
	if err := q.Extend(t.Context(), receipts(msgs), d); err != nil {
		t.Fatal(err)
	}
}

func mustStats(t *testing.T, q *Queue) Stats {
	t.Helper()
	s, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantCounts compares the three counts of Stats.
func wantCounts(t *testing.T, q *Queue, waiting, inFlight, dead int64) {
	t.Helper()
	s := mustStats(t, q)
	got := [3]int64{s.Waiting, s.InFlight, s.Dead}
	if want := [3]int64{waiting, inFlight, dead}; got != want {
		t.Fatalf("waiting, in flight, dead = %v, want %v", got, want)
	}
}

// row is a stored message as checkFile finds it.
type row struct {
	ref      Ref
	receives int
}

// checkFile verifies what must hold of a queue file at any time, and returns its
// messages: each is there once, lies within its lane, has one body that names the
// same lane and number, and no body is left over.
func checkFile(t *testing.T, path string) []row {
	t.Helper()
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `
		SELECT l.instance, l.project, l.high, u.seq, u.dead, u.receives, b.body
		FROM bodies b
		LEFT JOIN (
		  SELECT id, lane_id, seq, receives, 0 AS dead FROM messages
		  UNION ALL
		  SELECT id, lane_id, seq, receives, 1 FROM dead) u ON u.id = b.id
		LEFT JOIN lanes l ON l.id = u.lane_id
		ORDER BY b.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var found []row
	seen := make(map[string]bool)
	for rows.Next() {
		var r row
		var high uint64
		var instance, body []byte
		if err := rows.Scan(&instance, &r.ref.Project, &high, &r.ref.Seq, &r.ref.Dead, &r.receives, &body); err != nil {
			t.Fatalf("a body without its message, or a message without its lane: %v", err)
		}
		copy(r.ref.Instance[:], instance)
		m := mustDecode(t, body)
		if m.Instance != r.ref.Instance || m.Project != r.ref.Project || m.Seq != r.ref.Seq {
			t.Errorf("body says %x %d %d, its row %+v", m.Instance, m.Project, m.Seq, r.ref)
		}
		if r.ref.Seq < 1 || r.ref.Seq > high {
			t.Errorf("number %d outside its lane, 1 to %d", r.ref.Seq, high)
		}
		key := fmt.Sprint(r.ref.Instance, r.ref.Project, r.ref.Seq)
		if seen[key] {
			t.Errorf("number twice: %+v", r.ref)
		}
		seen[key] = true
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	checkCounts(t, db, len(found))
	return found
}

// checkCounts verifies that every message has a body, given the number of bodies
// that have a message.
func checkCounts(t *testing.T, db *sql.DB, bodies int) {
	t.Helper()
	var messages int
	const count = `SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM dead)`
	if err := db.QueryRowContext(t.Context(), count).Scan(&messages); err != nil {
		t.Fatal(err)
	}
	if messages != bodies {
		t.Errorf("%d messages, %d bodies", messages, bodies)
	}
	var verdict string
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check: %q, %v", verdict, err)
	}
}

// checkWhole verifies a queue from which nothing was deleted: its messages are
// exactly the numbers that its lanes say were accepted.
func checkWhole(t *testing.T, q *Queue) {
	t.Helper()
	checkFile(t, q.cfg.Path)
	refs := mustList(t, q)
	for _, l := range mustStats(t, q).Lanes {
		var got, want []uint64
		for _, r := range refs {
			if r.Instance == l.Instance && r.Project == l.Project {
				got = append(got, r.Seq)
			}
		}
		for n := range l.High {
			want = append(want, n+1)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lane %x/%d (-accepted +stored):\n%s", l.Instance, l.Project, diff)
		}
	}
}

// Ref names a message that is in the queue.
type Ref struct {
	Instance wire.InstanceID
	Project  event.ProjectID
	Seq      uint64
	Dead     bool
}

// mustList returns every message of an inventory.
func mustList(t *testing.T, q interface {
	Inventory(context.Context) (Inventory, error)
}) []Ref {
	t.Helper()
	inv, err := q.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var refs []Ref
	for _, r := range inv.Runs {
		for seq := r.From; seq <= r.To; seq++ {
			refs = append(refs, Ref{r.Instance, r.Project, seq, r.Dead})
		}
	}
	return refs
}
