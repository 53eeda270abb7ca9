//go:build sqld

package digest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/digester/store/hrana"
	"sundew/digester/store/storetest"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// TestLibSQLEqualsFile: the recorded events of real SDKs, some delivered twice, some
// out of order, make the same rows in a file and on a libSQL server.
func TestLibSQLEqualsFile(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	file, fileReplica := storetest.OpenFile(t, store.Config{Now: now})
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	remote, _ := storetest.OpenServer(t, store.RemoteConfig{URL: server.URL()}, store.Config{Now: now})
	ins := corpus(t)
	for _, db := range []*store.DB{file, remote} {
		storetest.MustCreateProject(t, db, "Shop", "0123456789abcdef0123456789abcdef")
		for part := range slices.Chunk(ins, 256) {
			for i, o := range db.DigestBatch(t.Context(), part) {
				if o.Err != nil {
					t.Fatalf("message %d: %v", i, o.Err)
				}
			}
			if err := db.Barrier(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	client, err := hrana.New(hrana.Config{URL: server.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	opened, err := sql.Open("sqlite", "file:"+fileReplica.Path()+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	there := sql.OpenDB(client.Connector())
	defer there.Close()
	want, got := tables(t, opened), tables(t, there)
	if len(want["events"]) < 200 || len(want["edge_gaps"]) == 0 || len(want["rejects"]) == 0 {
		t.Errorf("%d events, %d gaps, %d rejects: too few to compare", len(want["events"]), len(want["edge_gaps"]), len(want["rejects"]))
	}
	for name := range want {
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("%s (-file +libSQL):\n%.2000s", name, diff)
		}
	}
}

// corpus returns the recorded events, prepared, as a queue would deliver them.
func corpus(t *testing.T) (ins []*store.Incoming) {
	t.Helper()
	codec, prep := wire.NewCodec(), newPreparer(Config{})
	at := time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)
	var twice []*store.Incoming
	for i, payload := range eventtest.Captured(t) {
		body, encoding := codec.Compress(payload.JSON)
		m := &wire.Message{
			Kind: wire.KindEvent, Encoding: encoding, Instance: wire.InstanceID{byte(1 + i%2)}, Seq: uint64(2 + i/2), Project: 1,
			EventID: event.ID{1, byte(i >> 8), byte(i)}, ReceivedAt: at.Add(time.Duration(i) * time.Second), Client: "test/1.0", Body: body,
		}
		switch {
		case payload.Security:
			m.Kind = wire.KindCSP
		case i%40 == 7:
			m.Body = m.Body[:len(m.Body)/2]
		case i%40 == 9: // the event of the message before, sent again
			m.EventID = event.ID{1, byte((i - 1) >> 8), byte(i - 1)}
		case i%40 == 11:
			m.Project = 77
		}
		ready, err := prep.prepare(t.Context(), m.Encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		switch i % 40 {
		case 5:
			ready.in.Symbols = []byte("what maps say")
		case 6:
			ready.in.SymbolsDue = true
		}
		if i%40 == 9 {
			// At the end: what is planned behind it takes ids that it does not need.
			twice = append(twice, &ready.in)
			continue
		}
		ins = append(ins, &ready.in)
		if i%40 == 20 {
			ins = append(ins, &ready.in)
		}
	}
	counts := *ins[0]
	counts.IsCounts, counts.Project, counts.Seq = true, 0, 1
	counts.Counts = []wire.Count{{Project: 1, Hour: at, Category: "error", Outcome: wire.OutcomeClient, Reason: "sample_rate", Quantity: 7}}
	for i := 10; i+5 < len(ins); i += 13 { // out of order, near and far
		ins[i], ins[i+5] = ins[i+5], ins[i]
	}
	return append(append(ins, &counts, &counts), twice...)
}

// tables returns all rows of all tables, as texts.
func tables(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	for _, name := range rowsOf(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'libsql%' AND name NOT LIKE 'issue_texts%'`) {
		all[name[1:len(name)-1]] = slices.Sorted(slices.Values(rowsOf(t, db, "SELECT * FROM "+name[1:len(name)-1])))
	}
	return all
}

func rowsOf(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// A server that is killed again and again under load, once for so long that the
// health tells: digesting is held and goes on by itself, no event is lost or stored
// twice.
func TestLibSQLKilled(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	db, replica := storetest.OpenServer(t, store.RemoteConfig{URL: server.URL()}, store.Config{})
	q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(t.TempDir(), "queue.db"), Visibility: 2 * time.Second, MaxReceives: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.WithoutCancel(t.Context()))
	f := &fixture{t: t, queue: q, replica: replica, db: db, project: storetest.MustCreateProject(t, db, "Shop", "").ID, codec: wire.NewCodec()}
	const events = 1500
	var sent []*wire.Message
	for n := range events {
		sent = append(sent, &wire.Message{
			Kind: wire.KindEvent, Project: f.project, EventID: event.ID{byte(n >> 8), byte(n)}, ReceivedAt: time.Now(),
			Body: fmt.Appendf(nil, `{"message":"it broke %d"}`, n%7),
		})
	}
	for part := range slices.Chunk(sent, 500) {
		if err := q.Send(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	d, err := New(Config{Queue: q, Store: db, BatchSize: 100, Wait: 50 * time.Millisecond, HoldFor: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	kills := int64(0)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for !f.queueEmpty() && ctx.Err() == nil {
		<-every.C
		h := d.Health()
		if done := h.Stored + h.Redelivered; done < 200*(kills+1) || kills == 5 {
			continue
		}
		for range 9 * kills { // at different places of a batch
			<-every.C
		}
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		for kills++; kills == 3 && d.Health().Problem == nil && ctx.Err() == nil; {
			<-every.C
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if kills < 5 {
		t.Errorf("killed %d times only", kills)
	}
	t.Logf("health %+v", d.Health())
	f.want(events, 0, 0)
}
