//go:build aws

package aws

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite" // to look at the database when the digester does not run
)

// testimony is what clients were told: the statuses of the answers to each event, 0
// for none.
type testimony struct {
	mu   sync.Mutex
	told map[string]int // guarded by mu
}

// count returns how many events were answered with a status.
func (m *testimony) count(status int) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.told {
		if s == status {
			n++
		}
	}
	return n
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// report sends one event of project 1 and returns the status of the answer, 0 if
// there is none.
func (f *front) report(ctx context.Context, key, id, message string) int {
	return f.reportTo(ctx, 1, key, id, message)
}

func (f *front) reportTo(ctx context.Context, project int, key, id, message string) int {
	text, err := json.Marshal(message)
	if err != nil {
		return 0
	}
	return f.post(ctx, project, key, fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":%s,"release":"shop@1.0"}`, id, text))
}

// post sends an envelope and returns the status, 0 if there was no answer.
func (f *front) post(ctx context.Context, project int, key, body string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/%d/envelope/?sentry_key=%s", f.url, project, key), bytes.NewReader([]byte(body)))
	if err != nil {
		return 0
	}
	answer, err := f.client.Do(req)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // the status is what counts
	return answer.StatusCode
}

// send reports so many events over some connections at once and notes what it was
// told.
func (f *front) send(ctx context.Context, m *testimony, key string, events, connections int) {
	var left atomic.Int64
	left.Store(int64(events))
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for ctx.Err() == nil {
				n := left.Add(-1)
				if n < 0 {
					return
				}
				id := newID()
				status := f.report(ctx, key, id, fmt.Sprintf("order failed in step %c: %s", 'a'+rune(n%26), strings.Repeat("x", int(n%700))))
				m.mu.Lock()
				if m.told == nil {
					m.told = make(map[string]int)
				}
				m.told[id] = status
				m.mu.Unlock()
			}
		})
	}
	all.Wait()
}

// checkStored compares what is in the database, event by event, with what clients
// were told. Only who was told 200 knows something.
func checkStored(t *testing.T, dir string, m *testimony) {
	t.Helper()
	stored := storedEvents(t, dir)
	for id, status := range m.told {
		switch n := stored[id]; {
		case status == http.StatusOK && n == 0:
			t.Errorf("event %s was answered 200 and is gone", id)
		case n > 1:
			t.Errorf("event %s is stored %d times", id, n)
		}
	}
	for id := range stored {
		if _, sent := m.told[id]; !sent {
			t.Errorf("event %s is stored and was never sent", id)
		}
	}
}

// openDatabase opens the digester's database.
func openDatabase(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "sundew.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// storedEvents returns how often each event is in the database.
func storedEvents(t *testing.T, dir string) map[string]int {
	t.Helper()
	db := openDatabase(t, dir)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT event_id FROM events`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	times := make(map[string]int)
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		times[hex.EncodeToString(id)]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return times
}
