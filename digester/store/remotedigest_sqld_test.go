//go:build sqld

package store_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/hrana"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// A server that syncs no commits is refused, unless that is wanted.
func TestRelaxedLibSQL(t *testing.T) {
	server := store.RemoteConfig{URL: sqldtest.Start(t, sqld.Config{}).URL(), Namespace: sqld.Namespace}
	_, err := store.OpenRemote(t.Context(), server, store.Config{})
	if err == nil || !strings.Contains(err.Error(), "durability_mode") || !store.KindOf(err).Holds() {
		t.Errorf("opened a server that syncs nothing: %v", err)
	}
	server.Relaxed = true
	db, replica := storetest.OpenServer(t, server, store.Config{})
	storetest.MustCreateProject(t, db, "Shop", "")
	if err := db.Barrier(t.Context()); err != nil {
		t.Error(err)
	}
	if p, err := replica.Position(t.Context()); err != nil || p.Number != 2 {
		t.Errorf("position %+v, %v", p, err)
	}
}

// A server that stops to sync commits holds the digester at the next barrier, until
// it does again.
func TestBarrierOnLibSQL(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	db, _ := storetest.OpenServer(t, store.RemoteConfig{URL: server.URL()}, store.Config{})
	for _, durable := range []bool{false, true} {
		if err := server.Sync(t.Context(), durable); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(server.Stop(), server.Restart(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := db.Barrier(t.Context()); (err == nil) != durable || err != nil && store.KindOf(err) != store.KindIO {
			t.Errorf("synced %v: kind %d of %v", durable, store.KindOf(err), err)
		}
	}
	if err := errors.Join(server.Sync(t.Context(), false), db.Barrier(t.Context()), server.Stop(), server.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := db.Barrier(t.Context()); !store.KindOf(err).Holds() {
		t.Errorf("not synced: %v", err)
	}
	if err := errors.Join(server.Sync(t.Context(), true), db.Barrier(t.Context())); err != nil {
		t.Errorf("synced again, without a restart: %v", err)
	}
}

// results digests a batch and returns what became of it.
func results(t *testing.T, db *store.DB, ins []*store.Incoming) (all []store.Result) {
	t.Helper()
	for i, o := range db.DigestBatch(t.Context(), ins) {
		if o.Err != nil {
			t.Errorf("message %d: %v", i, o.Err)
		}
		all = append(all, o.Result)
	}
	return all
}

// Within a batch everything may happen: new issues, an issue that somebody resolved
// meanwhile, events sent twice, messages delivered twice, gaps that open and close,
// what is dropped, a project that does not exist.
func TestMixedBatchOnLibSQL(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	mustDigest(t, db, incoming(p.ID, 1, "a"), store.Stored)
	mustDigest(t, db, incoming(p.ID, 2, "b"), store.Stored)
	err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	twice := incoming(p.ID, 6, "a")
	twice.EventID = incoming(p.ID, 2, "b").EventID
	bad := incoming(p.ID, 7, "a")
	bad.Drop, bad.Detail = "bad_json", "not an object"
	got := results(t, db, []*store.Incoming{
		incoming(p.ID, 3, "b"),
		incoming(p.ID, 4, "a"), // the issue is resolved
		incoming(p.ID, 5, "c"),
		twice,
		incoming(p.ID, 5, "c"),
		bad,
		incoming(p.ID, 12, "d"), // 8 to 11 are missing
		incoming(p.ID, 10, "d"),
		incoming(p.ID, 10, "d"),
		incoming(p.ID+1, 1, "a"),
		incoming(p.ID, 13, "a"),
		incoming(p.ID, 8, "c"),
	})
	stored, again := store.Stored, store.Redelivered
	want := []store.Result{stored, stored, stored, store.Duplicate, again, store.Dropped, stored, stored, again, store.Dropped, stored, stored}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	wantBooks(t, replica, "stored: 9", "duplicate: 1", "dropped bad_json: 1", "dropped unknown_project: 1")
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		gaps, err := rx.Gaps()
		if len(gaps) != 2 || gaps[0].From != 9 || gaps[0].To != 9 || gaps[1].From != 11 || gaps[1].To != 11 {
			t.Errorf("gaps %+v", gaps)
		}
		return err
	})
}

// An event that the database refuses, in the middle of a batch and delivered twice
// in it, is left with an error both times, because what is called a redelivery is
// deleted. Its neighbours are stored, and in the end so is it.
func TestRefusedOnLibSQL(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	db, replica := storetest.OpenServer(t, store.RemoteConfig{URL: server.URL()}, store.Config{})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	client, err := hrana.New(hrana.Config{URL: server.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	mustRun := func(text string) {
		t.Helper()
		if _, err := client.Stream().Run(t.Context(), hrana.Statement{SQL: text}); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(`CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.title = 'poison' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	poison := incoming(p.ID, 3, "a")
	poison.Title = "poison"
	gapped := incoming(p.ID, 5, "a") // in the gap of 4 to 6
	gapped.Title = "poison"
	ins := []*store.Incoming{
		incoming(p.ID, 1, "a"), incoming(p.ID, 2, "b"), poison, poison, incoming(p.ID, 7, "a"), gapped, gapped, incoming(p.ID, 8, "b"), incoming(p.ID, 9, "new"),
	}
	for i, o := range db.DigestBatch(t.Context(), ins) {
		bad := ins[i] == poison || ins[i] == gapped
		if (o.Err != nil) != bad || store.KindOf(o.Err) != store.KindOther || !bad && o.Result != store.Stored {
			t.Errorf("message %d: %+v", i, o)
		}
	}
	wantBooks(t, replica, "stored: 5")
	mustRun(`DROP TRIGGER refuse`)
	want := []store.Result{store.Redelivered, store.Redelivered, store.Stored, store.Redelivered, store.Redelivered, store.Stored, store.Redelivered, store.Redelivered, store.Redelivered}
	if diff := cmp.Diff(want, results(t, db, ins)); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
}

// cutter is a network that breaks at the n-th request: before the server had it, or
// before its answer came.
type cutter struct {
	after   int // requests that pass; negative: all
	arrives bool
	cuts    int
}

var errCut = errors.New("the network is cut")

func (c *cutter) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.after--; c.after != -1 {
		return http.DefaultTransport.RoundTrip(req)
	}
	c.cuts++
	if !c.arrives {
		return nil, errCut
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		res.Body.Close()
	}
	return nil, errors.Join(errCut, err)
}

// Wherever the network breaks, nobody knows what is committed; the batch again
// stores every event once, and no process has to end.
func TestAmbiguousCommitOnLibSQL(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		for after := range 3 { // look-ups, transactions, barrier
			network := &cutter{after: -2, arrives: arrives}
			db, replica := storetest.OpenServer(t, store.RemoteConfig{
				URL: sqldtest.Start(t, sqld.Config{Strong: true}).URL(), Transport: network,
			}, store.Config{})
			p := storetest.MustCreateProject(t, db, "Shop", "")
			var ins []*store.Incoming
			for seq := uint64(1); seq <= 10; seq++ {
				ins = append(ins, incoming(p.ID, seq, string(rune('a'+seq%3))))
			}
			network.after = after
			held := 0
			for i, o := range db.DigestBatch(t.Context(), ins) {
				if o.Err != nil && store.KindOf(o.Err) != store.KindAway {
					t.Errorf("message %d: kind %d of %v", i, store.KindOf(o.Err), o.Err)
				}
				if o.Err != nil {
					held++
				}
			}
			if want := 10; after < 2 && held != want || after == 2 && held != 0 {
				t.Errorf("after %d requests: %d messages are held", after, held)
			}
			if err := db.Barrier(t.Context()); (err != nil) != (after == 2) || err != nil && !store.KindOf(err).Holds() {
				t.Errorf("the barrier: %v", err)
			}
			again := results(t, db, ins)
			want := store.Stored
			if after == 2 || after == 1 && arrives {
				want = store.Redelivered
			}
			for i, r := range again {
				if r != want {
					t.Errorf("after %d requests, arrived %v: message %d again: %d, want %d", after, arrives, i, r, want)
				}
			}
			if network.cuts != 1 {
				t.Errorf("%d cuts", network.cuts)
			}
			wantBooks(t, replica, "stored: 10")
		}
	}
}

// Wherever the network breaks in a batch of several requests, of which one is under
// way while the answer to another is read: the batch again stores the rest, and every
// event is there once.
func TestAmbiguousPipelineOnLibSQL(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		for after := 1; after <= 4; after++ { // behind the look-ups
			network := &cutter{after: -2, arrives: arrives}
			db, replica := storetest.OpenServer(t, store.RemoteConfig{
				URL: sqldtest.Start(t, sqld.Config{}).URL(), Relaxed: true, Transport: network,
			}, store.Config{})
			p := storetest.MustCreateProject(t, db, "Shop", "")
			var ins []*store.Incoming
			for seq := uint64(1); seq <= 250; seq++ {
				ins = append(ins, incoming(p.ID, seq, string(rune('a'+seq%3))))
			}
			network.after = after
			first := db.DigestBatch(t.Context(), ins)
			committed := 0
			for i, r := range results(t, db, ins) {
				switch {
				case first[i].Err == nil && r != store.Redelivered:
					t.Errorf("after %d requests, arrived %v: message %d was said to be decided, and then it was %d", after, arrives, i, r)
				case first[i].Err != nil && store.KindOf(first[i].Err) != store.KindAway:
					t.Errorf("message %d: %v", i, first[i].Err)
				case r == store.Redelivered:
					committed++
				}
			}
			if network.cuts != 1 || (committed > 0) != (after > 1 || after == 1 && arrives) {
				t.Errorf("%d cuts, %d were committed at first", network.cuts, committed)
			}
			wantBooks(t, replica, "stored: 250")
		}
	}
}

// What fails in one request while the next is under way is decided all the same,
// with all that was built on it.
func TestFailuresInPipelineOnLibSQL(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	mustDigest(t, db, incoming(p.ID, 1, "a"), store.Stored)
	err := db.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var ins []*store.Incoming
	for seq := uint64(2); seq <= 250; seq++ {
		in := incoming(p.ID, seq, string(rune('b'+seq%3)))
		if seq == 20 || seq == 120 {
			in = incoming(p.ID, seq, "a") // the issue is resolved
		}
		if seq == 60 || seq > 200 { // sent twice
			in.EventID = ins[seq-55].EventID
		}
		ins = append(ins, in)
	}
	for i, r := range results(t, db, ins) {
		want := store.Stored
		if seq := i + 2; seq == 60 || seq > 200 {
			want = store.Duplicate
		}
		if r != want {
			t.Errorf("message %d: %d, want %d", i+2, r, want)
		}
	}
	wantBooks(t, replica, "stored: 199", "duplicate: 51")
}

// A transaction that reads, cut at each of its requests: of a COMMIT alone the
// outcome is unknown, and the next transaction finds the lock free.
func TestAmbiguousWriteOnLibSQL(t *testing.T) {
	network := &cutter{after: -2}
	db, replica := storetest.OpenServer(t, store.RemoteConfig{
		URL: sqldtest.Start(t, sqld.Config{Strong: true}).URL(), Transport: network,
	}, store.Config{})
	storetest.MustCreateProject(t, db, "Shop", "")
	write := func() error {
		return db.Write(t.Context(), "test", func(tx *store.Tx) error { return nil })
	}
	for _, arrives := range []bool{false, true} {
		for after, want := range []store.Kind{store.KindAway, store.KindAway, store.KindUnknown} { // BEGIN, the position, COMMIT
			network.after, network.arrives = after, arrives
			if err := write(); store.KindOf(err) != want {
				t.Errorf("cut after %d requests: kind %d of %v", after, store.KindOf(err), err)
			}
			network.after = -2
			if err := write(); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		}
	}
	if p, err := replica.Position(t.Context()); err != nil || p.Number != 1+6+1 {
		t.Errorf("position %d, want six writes and the one that arrived; %v", p.Number, err)
	}
}

// Two digesters on one server, as while one takes over from another, get in each
// other's way and store everything once.
func TestTwoDigestersOnLibSQL(t *testing.T) {
	server := store.RemoteConfig{URL: sqldtest.Start(t, sqld.Config{Strong: true}).URL()}
	one, replica := storetest.OpenServer(t, server, store.Config{})
	two, _ := storetest.OpenServer(t, server, store.Config{})
	p := storetest.MustCreateProject(t, one, "Shop", "")
	var ins []*store.Incoming
	for seq := uint64(1); seq <= 60; seq++ {
		ins = append(ins, incoming(p.ID, seq, string(rune('a'+seq%3))))
	}
	done := make(chan []store.Outcome)
	for _, db := range []*store.DB{one, two} {
		go func() {
			var all []store.Outcome
			for i := 0; i < len(ins); i += 12 {
				all = append(all, db.DigestBatch(t.Context(), ins[i:i+12])...)
			}
			done <- all
		}()
	}
	first, second := <-done, <-done
	for i := range ins {
		a, b := first[i], second[i]
		if a.Err != nil || b.Err != nil || a.Result == b.Result || a.Result+b.Result != store.Stored+store.Redelivered {
			t.Errorf("message %d: %+v and %+v", i, a, b)
		}
	}
	wantBooks(t, replica, "stored: 60")
}

// A closed store leaves nothing running.
func TestNothingStaysOfLibSQL(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	db, err := store.OpenRemote(t.Context(), store.RemoteConfig{URL: server.URL(), Namespace: sqld.Namespace}, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	storetest.MustCreateProject(t, db, "Shop", "")
	mustDigest(t, db, incoming(1, 1, "a"), store.Stored)
	if err := db.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	every, limit := time.NewTicker(5*time.Millisecond), time.After(5*time.Second)
	defer every.Stop()
	for runtime.NumGoroutine() > before {
		select {
		case <-every.C:
		case <-limit:
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// Servers take bodies of a few megabytes, several to a request. One that is too large
// is left, and takes nobody with it.
func TestLargeOnLibSQL(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	var ins []*store.Incoming
	for seq := uint64(1); seq <= 5; seq++ {
		in := incoming(p.ID, seq, "a")
		in.Body = bytes.Repeat([]byte{byte(seq), 0xff, 0}, 1<<20)
		ins = append(ins, in)
	}
	ins[2].Body = make([]byte, 20<<20)
	for i, o := range db.DigestBatch(t.Context(), ins) {
		if tooLarge := i == 2; (store.KindOf(o.Err) == store.KindValue) != tooLarge || (o.Result == store.Stored && o.Err == nil) == tooLarge {
			t.Errorf("message %d: %d, %v", i, o.Result, o.Err)
		}
	}
	wantBooks(t, replica, "stored: 4")
}
