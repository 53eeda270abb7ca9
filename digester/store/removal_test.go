package store_test

import (
	"fmt"
	"testing"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// An event goes with its files; what is gone already is not counted twice; an id is
// never given again.
func TestRemoveEvents(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p := storetest.MustCreateProject(t, db, "Shop", "")
	file := &store.Attachment{Name: "log.txt", SHA256: [32]byte{1}}
	var ids []int64
	for seq := uint64(1); seq <= 9; seq++ {
		in := incoming(p.ID, seq, fmt.Sprint("group ", seq%2))
		mustDigest(t, db, in, store.Stored)
		ids = append(ids, int64(seq))
		if seq == 9 {
			with := *in
			with.Seq, with.Category, with.Attachment = 10, store.CategoryAttachment, file
			mustDigest(t, db, &with, store.Stored)
		}
	}
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		weights, err := rx.EventWeights([]int64{9, 999, 1})
		if len(weights) != 2 || weights[0].ID != 9 || weights[0].Bytes <= weights[1].Bytes {
			t.Errorf("weights: %v", weights)
		}
		return err
	})
	for _, c := range []struct {
		ids  []int64
		want int64
	}{{ids[6:], 3}, {ids[6:], 0}, {ids[5:], 1}, {nil, 0}} {
		if n, _, err := db.RemoveEvents(t.Context(), "test", c.ids); n != c.want || err != nil {
			t.Errorf("%v: %d, %v; want %d", c.ids, n, err, c.want)
		}
	}
	storetest.MustCheck(t, replica)
	next := incoming(p.ID, 11, "group 1")
	mustDigest(t, db, next, store.Stored)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		ev, err := rx.EventByID(next.EventID)
		if ev.ID != 10 || ev.Number != 6 {
			t.Errorf("the next event has id %d and number %d", ev.ID, ev.Number)
		}
		files, errFiles := rx.Attachments(p.ID, incoming(p.ID, 9, "").EventID)
		if len(files) > 0 || errFiles != nil {
			t.Errorf("files: %v, %v", files, errFiles)
		}
		return err
	})
}
