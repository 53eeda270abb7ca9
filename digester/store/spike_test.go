package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/quota"
	"sundew/schema/wire"
)

// TestSpike: of very many events of an issue a sample is stored, and every number has
// them all. What happens to the issue happens all the same.
func TestSpike(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	seq := uint64(0)
	digest := func(n int, at time.Time) {
		t.Helper()
		for range n {
			seq++
			in := incoming(p.ID, seq, "a")
			in.SpikeAfter, in.ReceivedAt = 10, at
			mustDigest(t, db, in, store.Stored)
		}
	}
	read := func() (issue store.Issue, numbers []int64, kept int64) {
		t.Helper()
		storetest.MustRead(t, replica, func(rx *store.Rx) (err error) {
			if issue, err = rx.Issue(1); err != nil {
				return err
			}
			if kept, err = rx.StoredCount(1); err != nil {
				return err
			}
			events, _, err := rx.Events(1, 0, 100)
			for _, e := range events {
				numbers = append([]int64{e.Number}, numbers...)
			}
			return err
		})
		return issue, numbers, kept
	}
	digest(45, start)
	issue, numbers, kept := read()
	want := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32}
	if diff := cmp.Diff(want, numbers); diff != "" || issue.Events != 45 || kept != 12 {
		t.Errorf("%d counted, %d kept, numbers %s", issue.Events, kept, diff)
	}
	storetest.MustCheck(t, replica)

	digest(1, start.Add(time.Minute)) // of each minute the first
	digest(1, start)                  // one that comes late counts with the newest
	if _, numbers, _ := read(); numbers[len(numbers)-1] != 47 || len(numbers) != 14 {
		t.Errorf("numbers %v", numbers)
	}
	mustDigest(t, db, incoming(p.ID, seq, "a"), store.Redelivered)

	// One that brings its issue back is stored, and the history refers to it.
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{1}, triage.Resolution{}, 0)
		return err
	})
	digest(20, start.Add(time.Minute))
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Mute([]int64{1}, triage.Mute{Kind: triage.MuteMore, Events: 7}, 0)
		return err
	})
	digest(20, start.Add(time.Minute))
	var turns []int64
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		history, err := rx.History(1)
		for _, h := range history {
			if h.Kind == store.HistoryRegressed || h.Kind == store.HistoryUnmuted {
				turns = append(turns, h.Event.Number)
			}
		}
		return err
	})
	if diff := cmp.Diff([]int64{48, 74}, turns); diff != "" {
		t.Errorf("the history refers to events: %s", diff)
	}
	// Around an event stand those that are stored.
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		e, err := rx.EventByNumber(1, 32)
		if err != nil {
			return err
		}
		place, err := rx.EventPlace(1, e.ID)
		ref := func(n int64) store.EventRef { return store.EventRef{Issue: 1, Number: n} }
		newest, _ := rx.NewestEventOf(1)
		if diff := cmp.Diff(store.EventPlace{First: ref(1), Previous: ref(16), Next: ref(46), Last: ref(newest.Number)}, place); diff != "" {
			t.Error(diff)
		}
		return err
	})
	wantBooks(t, replica, "stored: 87")
	storetest.MustCheck(t, replica)
}

// TestDropTogether: what is over a quota is noted for all of a batch in one
// transaction, and counted as exactly as anything else.
func TestDropTogether(t *testing.T) {
	transactions := 0
	db, replica := storetest.OpenWith(t, store.Config{Observe: func(stage store.Stage, why string, _ time.Duration) {
		if stage == store.StageTransaction && why == "drop over quota" {
			transactions++
		}
	}})
	p := storetest.MustCreateProject(t, db, "Shop", "")
	batch := func(transactionsWanted int, want store.Result, from, to uint64, change func(in *store.Incoming)) {
		t.Helper()
		var ins []*store.Incoming
		for seq := from; seq <= to; seq++ {
			in := incoming(p.ID, seq, "a")
			in.Drop, in.Detail = quota.ReasonProject, "over"
			if change != nil {
				change(in)
			}
			ins = append(ins, in)
		}
		transactions = 0
		for i, o := range db.DigestBatch(t.Context(), ins) {
			wanted := want
			if ins[i].Drop == "" {
				wanted = store.Stored
			}
			if o.Err != nil || o.Result != wanted {
				t.Fatalf("number %d: %d, %v", ins[i].Seq, o.Result, o.Err)
			}
		}
		if transactions != transactionsWanted {
			t.Errorf("numbers %d to %d took %d transactions, want %d", from, to, transactions, transactionsWanted)
		}
		storetest.MustCheck(t, replica)
	}
	batch(1, store.Dropped, 1, 200, nil)
	batch(1, store.Redelivered, 1, 200, nil)
	batch(1, store.Dropped, 301, 400, nil) // 201 to 300 are late
	batch(1, store.Dropped, 201, 250, nil)
	batch(1, store.Dropped, 401, 450, func(in *store.Incoming) { // half of it passes
		if in.Seq%2 == 0 {
			in.Drop = ""
		}
	})
	batch(1, store.Dropped, 451, 460, func(in *store.Incoming) {
		in.Instance, in.Category, in.Drop = wire.InstanceID{byte(in.Seq)}, "attachment", quota.ReasonInstallation
	})
	batch(0, store.Stored, 251, 300, func(in *store.Incoming) { in.Drop = "" })
	wantBooks(t, replica, "dropped project_quota: 375", "dropped installation_quota: 10", "stored: 75")
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		rejects, err := rx.Rejects(p.ID, 100)
		if len(rejects) != 5 || rejects[4].Detail != "over; it stands for 200 that were dropped together" {
			t.Errorf("rejects %+v", rejects)
		}
		return err
	})
}
