package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

const (
	keyGood  = "00000000000000000000000000000001"
	keyOff   = "00000000000000000000000000000002"
	keyOther = "00000000000000000000000000000003" // of another project
	keyBoth  = "00000000000000000000000000000004" // of both, switched off in the other
	keyNone  = "00000000000000000000000000000005"
)

// openKeyed opens a database with two projects that have these keys.
func openKeyed(t *testing.T) (*DB, *Replica, event.ProjectID) {
	t.Helper()
	db, replica, shop := openTrouble(t)
	err := db.Write(t.Context(), "test", func(tx *Tx) error {
		other, err := tx.CreateProjectWithKey("Other", keyOther)
		if err != nil {
			return err
		}
		for _, k := range []Key{{shop, keyGood, true}, {shop, keyOff, false}, {shop, keyBoth, true}, {other.ID, keyBoth, false}} {
			if _, err := tx.insert(`INSERT INTO project_keys (project_id, public_key, enabled, created_at) VALUES (?, ?, ?, 0)`,
				int64(k.Project), k.Public, k.Enabled); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, replica, shop
}

// What the edge could not judge is judged here; what it could is believed.
func TestDigestKeys(t *testing.T) {
	const none = event.ProjectID(77)
	db, replica, shop := openKeyed(t)
	dropped := make(map[string]int64)
	var stored int64
	for n, c := range []struct {
		name    string
		project event.ProjectID
		key     string
		drop    string
		want    Result
		reason  string
	}{
		{"no key", shop, "", "", Stored, ""},
		{"the project's", shop, keyGood, "", Stored, ""},
		{"of two projects", shop, keyBoth, "", Stored, ""},
		{"of two projects, off in this", shop + 1, keyBoth, "", Dropped, DropDisabledKey},
		{"nobody's", shop, keyNone, "", Dropped, DropUnknownKey},
		{"another project's", shop, keyOther, "", Dropped, DropUnknownKey},
		{"switched off", shop, keyOff, "", Dropped, DropDisabledKey},
		{"of no project", none, keyGood, "", Dropped, DropUnknownProject},
		{"the project's, bad body", shop, keyGood, "bad_json", Dropped, "bad_json"},
		{"nobody's, bad body", shop, keyNone, "bad_json", Dropped, DropUnknownKey},
	} {
		in := someIncoming(c.project, uint64(n+1), []byte(`{}`))
		in.Key, in.Drop = c.key, c.drop
		if got, err := db.Digest(t.Context(), in); got != c.want || err != nil {
			t.Errorf("%s: result %d, %v; want %d", c.name, got, err, c.want)
		}
		if got, err := db.Digest(t.Context(), in); got != Redelivered || err != nil {
			t.Errorf("%s, again: result %d, %v", c.name, got, err)
		}
		if c.want == Dropped {
			dropped[c.reason]++
		} else {
			stored++
		}
	}
	if got := storedEvents(t, replica); got != stored {
		t.Errorf("%d events are stored, want %d", got, stored)
	}
	wantDropped(t, replica, dropped)
}

// A redelivery stays one whatever became of the key meanwhile, and a client that
// may not report learns nothing of events that are there.
func TestDigestKeysTwice(t *testing.T) {
	db, replica, shop := openKeyed(t)
	digest := func(seq uint64, key string, id byte, want Result) {
		t.Helper()
		in := someIncoming(shop, seq, []byte(`{}`))
		in.Key, in.EventID = key, event.ID{id}
		if got, err := db.Digest(t.Context(), in); got != want || err != nil {
			t.Errorf("number %d: result %d, %v; want %d", seq, got, err, want)
		}
	}
	digest(1, keyGood, 1, Stored)
	digest(2, keyGood, 1, Duplicate)
	digest(3, keyNone, 1, Dropped)
	digest(4, keyOff, 4, Dropped)
	err := db.Write(t.Context(), "test", func(tx *Tx) error {
		_, err := tx.exec(`UPDATE project_keys SET enabled = public_key = ?`, keyOff)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	digest(4, keyOff, 4, Redelivered)
	digest(1, keyGood, 1, Redelivered)
	digest(5, keyGood, 5, Dropped)
	digest(6, keyOff, 4, Stored)
	wantDropped(t, replica, map[string]int64{DropUnknownKey: 1, DropDisabledKey: 2})
}

// wantDropped checks that books and rejects agree on what was dropped, and that
// neither quotes a key.
func wantDropped(t *testing.T, replica *Replica, want map[string]int64) {
	t.Helper()
	books, kept := make(map[string]int64), make(map[string]int64)
	err := replica.Read(t.Context(), func(rx *Rx) error {
		outcomes, err := rx.Outcomes()
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			if o.Outcome == outcomeDropped {
				books[o.Reason] += o.Quantity
			}
		}
		rejects, err := rx.Rejects(0, 100)
		for _, r := range rejects {
			kept[r.Reason]++
			if strings.Contains(r.Detail, "0000") || r.Detail == "" && r.Reason != "bad_json" {
				t.Errorf("dropped as %s, with the words %q", r.Reason, r.Detail)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, books); diff != "" {
		t.Errorf("the books (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("the rejects (-want +got):\n%s", diff)
	}
}
