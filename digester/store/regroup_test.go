package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// regrouped is what is found of an event made by incoming when maps lead it to a group.
func regrouped(id int64, group string) store.Regrouped {
	r := store.Regrouped{
		Event: id, Mapped: true, Rules: 1, Title: "Error: " + group, Culprit: "src/" + group + ".ts",
		Tags: []event.Pair{{Key: "environment", Value: "production"}, {Key: "level", Value: "error"}},
	}
	copy(r.Key[:], group)
	return r
}

// mustRegroup regroups until there is nothing left to do, and then once more.
func mustRegroup(t *testing.T, db *store.DB, issue int64, events []store.Regrouped) {
	t.Helper()
	for again := 0; again < 2; {
		err := db.Write(t.Context(), "regroup", func(tx *store.Tx) error {
			more, err := tx.Regroup(issue, events)
			if !more {
				again++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// state is what lists say of all issues of a project.
func issuesOf(t *testing.T, replica *store.Replica) []string {
	t.Helper()
	var lines []string
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		for id := int64(1); ; id++ {
			i, err := rx.Issue(id)
			if err == store.ErrNotFound {
				return nil
			}
			if err != nil {
				return err
			}
			line := fmt.Sprintf("%d %s %s (%s): %d events, %d users", id, i.State, i.Title, i.Culprit, i.Events, i.Users)
			if i.MergedInto != 0 {
				line += fmt.Sprint(" in ", i.MergedInto)
			}
			lines = append(lines, line)
		}
	})
	storetest.MustCheck(t, replica)
	return lines
}

func wantIssues(t *testing.T, replica *store.Replica, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, issuesOf(t, replica)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

// digestUsers digests n events of a group, each of a user of its own, and returns the
// rows' ids.
func digestUsers(t *testing.T, db *store.DB, p store.Project, seq *uint64, group string, n int) (ids []int64) {
	t.Helper()
	for range n {
		*seq++
		in := incoming(p.ID, *seq, group)
		in.User = fmt.Sprint("user ", *seq)
		in.OccurredAt = start.Add(time.Duration(*seq) * time.Minute)
		mustDigest(t, db, in, store.Stored)
		ids = append(ids, int64(*seq))
	}
	return ids
}

func regroupAll(ids []int64, group string) (events []store.Regrouped) {
	for _, id := range ids {
		events = append(events, regrouped(id, group))
	}
	return events
}

// An issue whose events all read as the same source stays what it is, with what people
// decided, and later events of the source come to it.
func TestRegroupWhole(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	ids := digestUsers(t, db, p, &seq, "min", 3)
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Mute([]int64{1}, triage.Mute{Kind: triage.MuteForever}, 0)
		return err
	})
	mustRegroup(t, db, 1, regroupAll(ids, "cart"))
	wantIssues(t, replica, "1 muted Error: cart (src/cart.ts): 3 events, 3 users")
	digestUsers(t, db, p, &seq, "cart", 1)
	digestUsers(t, db, p, &seq, "min", 1) // of a page that was open for long
	wantIssues(t, replica, "1 muted Error: min (main): 5 events, 5 users")
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		var kinds []string
		history, err := rx.History(1)
		for _, h := range history {
			kinds = append(kinds, fmt.Sprint(h.Kind, " ", h.Detail.Events))
		}
		if diff := cmp.Diff([]string{"created 0", "muted 0", "mapped 3"}, kinds); diff != "" {
			t.Error(diff)
		}
		return err
	})
}

// An issue whose events all read as the source of another one is the same: the younger
// becomes a member of the older, and what was decided about that stays.
func TestRegroupMerges(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	ids := digestUsers(t, db, p, &seq, "min", 3)
	digestUsers(t, db, p, &seq, "cart", 2)
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Resolve([]int64{2}, triage.Resolution{}, 0)
		return err
	})
	mustRegroup(t, db, 1, regroupAll(ids, "cart"))
	wantIssues(t, replica, "1 open Error: cart (src/cart.ts): 5 events, 5 users", "2 merged Error: cart (main): 2 events, 2 users in 1")
	digestUsers(t, db, p, &seq, "cart", 1)
	wantIssues(t, replica, "1 open Error: cart (src/cart.ts): 6 events, 6 users", "2 merged Error: cart (main): 3 events, 3 users in 1")
}

// Issues that were merged because they are one in the source, and that somebody took
// apart again, stay apart, however often their events are looked at.
func TestRegroupKeepsApart(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	ids := digestUsers(t, db, p, &seq, "min", 3)
	digestUsers(t, db, p, &seq, "cart", 2)
	mustRegroup(t, db, 1, regroupAll(ids, "cart"))
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Unmerge(1, []int64{2}, 0)
		return err
	})
	mustRegroup(t, db, 1, regroupAll(ids, "cart"))
	wantIssues(t, replica, "1 open Error: cart (src/cart.ts): 3 events, 3 users", "2 open Error: cart (main): 2 events, 2 users")
}

// A member does not decide about what it was merged with: that is not merged with a third
// issue because of it. Its events go there alone, unless all of it would.
func TestRegroupMember(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	digestUsers(t, db, p, &seq, "menu", 2)
	ids := digestUsers(t, db, p, &seq, "min", 3)
	digestUsers(t, db, p, &seq, "cart", 2)
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Merge(1, []int64{2}, 0)
		return err
	})
	mustRegroup(t, db, 2, regroupAll(ids, "cart"))
	wantIssues(t, replica, "1 open Error: menu (main): 5 events, 5 users", "2 merged Error: min (main): 3 events, 3 users in 1",
		"3 open Error: cart (main): 2 events, 2 users")
	mustRegroup(t, db, 2, append(regroupAll(ids[:2], "cart"), regrouped(ids[2], "menu")))
	wantIssues(t, replica, "1 open Error: menu (main): 3 events, 3 users", "2 merged Error: menu (src/menu.ts): 1 events, 1 users in 1",
		"3 open Error: cart (main): 4 events, 4 users", "4 merged Error: cart (src/cart.ts): 2 events, 2 users in 3")
}

// What was one group of minified frames and is two of the source is split: most stays,
// the rest moves, to an issue that is decided about as before and is not announced.
func TestRegroupSplits(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	ids := digestUsers(t, db, p, &seq, "min", 300)
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.Mute([]int64{1}, triage.Mute{Kind: triage.MuteMore, Events: 10}, 0)
		return err
	})
	var events []store.Regrouped
	for i, id := range ids {
		events = append(events, regrouped(id, []string{"cart", "menu", "cart"}[i%3]))
	}
	alerts := pendingAlerts(t, replica)
	mustRegroup(t, db, 1, events)
	wantIssues(t, replica, "1 muted Error: cart (src/cart.ts): 200 events, 200 users", "2 muted Error: menu (src/menu.ts): 100 events, 100 users")
	if got := pendingAlerts(t, replica); got != alerts {
		t.Errorf("%d alerts, there were %d", got, alerts)
	}
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		place, err := rx.EventPlace(1, ids[2])
		if want := (store.EventPlace{
			First: store.EventRef{Issue: 1, Number: 1}, Previous: store.EventRef{Issue: 1, Number: 1},
			Next: store.EventRef{Issue: 1, Number: 4}, Last: store.EventRef{Issue: 1, Number: 300},
		}); place != want {
			t.Errorf("place %+v, want %+v", place, want)
		}
		moved, errMoved := rx.EventByNumber(2, 1)
		before, errBefore := rx.MovedEvent(1, 2)
		if moved.ID != ids[1] || before.ID != ids[1] {
			t.Errorf("the first moved event is %d, was %d, want %d", moved.ID, before.ID, ids[1])
		}
		history, errHistory := rx.History(2)
		if len(history) != 1 || history[0].Kind != store.HistoryMoved || history[0].Detail.Events != 100 || history[0].Detail.From != 1 {
			t.Errorf("history %+v", history)
		}
		return firstError(err, errMoved, errBefore, errHistory)
	})
	digestUsers(t, db, p, &seq, "cart", 9)
	digestUsers(t, db, p, &seq, "menu", 9)
	wantIssues(t, replica, "1 muted Error: cart (main): 209 events, 209 users", "2 muted Error: menu (main): 109 events, 109 users")
	digestUsers(t, db, p, &seq, "menu", 1)
	if got := issuesOf(t, replica)[1]; got != "2 open Error: menu (main): 110 events, 110 users" {
		t.Error(got)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func pendingAlerts(t *testing.T, replica *store.Replica) (n int) {
	t.Helper()
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		all, err := rx.PendingAlerts(100)
		n = len(all)
		return err
	})
	return n
}

// Events that move to an issue that is there become a member of it, in several steps
// while others come in.
func TestRegroupMovesToMember(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	digestUsers(t, db, p, &seq, "cart", 2)
	ids := digestUsers(t, db, p, &seq, "min", 250)
	events := regroupAll(ids, "cart")
	for i := range 20 {
		events[i*3].Mapped = false // of another release: the issue is more than its maps tell
	}
	more := true
	for step := 0; more; step++ {
		mustWrite(t, db, func(tx *store.Tx) (err error) {
			more, err = tx.Regroup(2, events)
			return err
		})
		digestUsers(t, db, p, &seq, "cart", 1)
		digestUsers(t, db, p, &seq, "min", 1)
		issuesOf(t, replica)
		if step > 5 {
			t.Fatal("there is no end")
		}
	}
	wantIssues(t, replica, "1 open Error: cart (main): 235 events, 235 users", "2 open Error: min (main): 23 events, 23 users",
		"3 merged Error: cart (src/cart.ts): 230 events, 230 users in 1")
}

// What a transaction that was not committed did is done by the next one; of what was,
// nothing is done twice.
func TestRegroupAfterFailure(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprint("applied ", applied), func(t *testing.T) {
			db, replica := storetest.Open(t, nil)
			p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
			ids := digestUsers(t, db, p, &seq, "min", 250)
			var events []store.Regrouped
			for i, id := range ids {
				events = append(events, regrouped(id, []string{"cart", "menu"}[i/130]))
			}
			failed := fmt.Errorf("killed")
			err := db.Write(t.Context(), "regroup", func(tx *store.Tx) error {
				if _, err := tx.Regroup(1, events); err != nil || applied {
					return err
				}
				return failed
			})
			if err != nil && err != failed {
				t.Fatal(err)
			}
			digestUsers(t, db, p, &seq, "menu", 1) // the digest made an issue, or found one
			issuesOf(t, replica)
			mustRegroup(t, db, 1, events)
			got := issuesOf(t, replica)
			if !slices.Contains(got, "1 open Error: cart (src/cart.ts): 130 events, 130 users") {
				t.Errorf("%q", got)
			}
			if !slices.Contains(got, "2 open Error: menu (main): 121 events, 121 users") {
				t.Errorf("%q", got)
			}
		})
	}
}

// A server takes a while for each statement: that many events move, that they have as
// many users, and that others have as many keys, makes no more of them.
func TestRegroupStatements(t *testing.T) {
	const n = 100
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	events := regroupAll(digestUsers(t, db, p, &seq, "min", n), "menu")
	events = append(events, regroupAll(digestUsers(t, db, p, &seq, "min", n+1), "cart")...)
	for i, id := range digestUsers(t, db, p, &seq, "min", n) {
		events = append(events, regrouped(id, fmt.Sprint("other ", i)))
	}
	mustWrite(t, db, func(tx *store.Tx) error {
		count, err := store.CountStatements(tx, func(tx *store.Tx) error {
			_, err := tx.Regroup(1, events)
			return err
		})
		if count > 60 {
			t.Errorf("%d statements", count)
		}
		return err
	})
	wantIssues(t, replica, "1 open Error: other 99 (src/other 99.ts): 201 events, 201 users", "2 open Error: menu (src/menu.ts): 100 events, 100 users")
}

// Where events are gone nobody knows whose the numbers were, and they stay.
func TestRegroupEvicted(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	p, seq := storetest.MustCreateProject(t, db, "Shop", ""), uint64(0)
	ids := digestUsers(t, db, p, &seq, "min", 10)
	if _, _, err := db.RemoveEvents(t.Context(), "test", ids[:3]); err != nil {
		t.Fatal(err)
	}
	events := append(regroupAll(ids[3:8], "cart"), regroupAll(ids[8:], "menu")...)
	mustRegroup(t, db, 1, events)
	wantIssues(t, replica, "1 open Error: cart (src/cart.ts): 8 events, 10 users", "2 open Error: menu (src/menu.ts): 2 events, 2 users")
	mustWrite(t, db, func(tx *store.Tx) error {
		_, err := tx.DeleteIssues([]int64{2}, 0)
		return err
	})
	mustRegroup(t, db, 2, regroupAll(ids[8:], "other"))
	wantIssues(t, replica, "1 open Error: cart (src/cart.ts): 8 events, 10 users", "2 deleted Error: menu (src/menu.ts): 2 events, 2 users")
}
