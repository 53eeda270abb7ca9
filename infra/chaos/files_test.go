//go:build chaos

package chaos

import (
	"context"
	"database/sql"
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look at the files between two lives of the program

	"sundew/digester/queue/local"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// poison counts the messages put into the queue that can never be stored.
type poison struct {
	left    int64 // of a kind that this program does not know: dead letters in the end
	badJSON int64 // dropped
	badBody int64 // dropped
}

// queued opens the queue of a program that does not run. Half of the time what
// the program had received stays out of the way until it starts again.
func openQueue(t *testing.T, dir string) (*local.Queue, func()) {
	t.Helper()
	q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(dir, "queue.db")})
	if err != nil {
		t.Fatal(err)
	}
	return q, func() {
		if err := q.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}

// add sends one message of each kind of poison, between two healthy lives.
func (n *poison) add(t *testing.T, dir string, r *rand.Rand) {
	t.Helper()
	q, done := openQueue(t, dir)
	defer done()
	base := wire.Message{Project: 1, ReceivedAt: time.Now(), Client: "chaos/1.0"}
	unknown, badJSON, badBody := base, base, base
	unknown.Kind = 77
	badJSON.Kind, badJSON.Body = wire.KindEvent, []byte(`[this is no event`)
	badBody.Kind, badBody.Encoding, badBody.Body = wire.KindEvent, wire.EncodingZstd, []byte("not compressed")
	all := []*wire.Message{&unknown, &badJSON, &badBody}
	for _, m := range all {
		m.EventID = event.ID{0xbb, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
	}
	if err := q.Send(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	n.left++
	n.badJSON++
	n.badBody++
}

// bury delivers what is still in the queue, poison only, until the queue gives
// it up.
func bury(t *testing.T, dir string) {
	t.Helper()
	q, done := openQueue(t, dir)
	defer done()
	for {
		got, err := q.Receive(t.Context(), 512, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return
		}
		var receipts []string
		for _, m := range got {
			receipts = append(receipts, m.Receipt)
		}
		if err := q.Extend(t.Context(), receipts, 0); err != nil {
			t.Fatal(err)
		}
	}
}

func openFile(t *testing.T, dir, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// shuffle changes the order in which the oldest waiting messages will be
// delivered, and returns how many there were.
func shuffle(t *testing.T, dir string, r *rand.Rand) int {
	t.Helper()
	db := openFile(t, dir, "queue.db")
	defer db.Close()
	ids := column[int64](t, db, `SELECT id FROM messages ORDER BY id LIMIT 400`)
	mustExec(t, db, `BEGIN IMMEDIATE`)
	for i, j := range r.Perm(len(ids)) {
		// By way of negative ids, so that none is taken.
		mustExec(t, db, `UPDATE messages SET id = -? WHERE id = ?`, ids[j], ids[i])
		mustExec(t, db, `UPDATE bodies SET id = -? WHERE id = ?`, ids[j], ids[i])
	}
	mustExec(t, db, `UPDATE messages SET id = -id WHERE id < 0`)
	mustExec(t, db, `UPDATE bodies SET id = -id WHERE id < 0`)
	mustExec(t, db, `COMMIT`)
	return len(ids)
}

// storedEvents returns how often each event is in the database.
func storedEvents(t *testing.T, dir string) map[string]int {
	t.Helper()
	db := openFile(t, dir, "sundew.db")
	defer db.Close()
	times := make(map[string]int)
	for _, id := range column[[]byte](t, db, `SELECT event_id FROM events`) {
		times[hex.EncodeToString(id)]++
	}
	return times
}

// storedFiles returns how often each event's attachment is in the database.
func storedFiles(t *testing.T, dir string) map[string]int {
	t.Helper()
	db := openFile(t, dir, "sundew.db")
	defer db.Close()
	times := make(map[string]int)
	for _, id := range column[[]byte](t, db, `SELECT event_id FROM attachments JOIN attachment_parts ON attachment_id = id`) {
		times[hex.EncodeToString(id)]++
	}
	return times
}

func column[T any](t *testing.T, db *sql.DB, query string) (all []T) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
