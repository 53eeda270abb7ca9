package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// do runs one action of a person.
func (p *person) do(fn func(tx *store.Tx) ([]int64, error)) []int64 {
	p.t.Helper()
	var ids []int64
	if err := p.db.Write(p.t.Context(), "act", func(tx *store.Tx) (err error) {
		ids, err = fn(tx)
		return err
	}); err != nil {
		p.t.Fatal(err)
	}
	return ids
}

// sees digests an event of a group, with a release.
func (p *person) sees(group, release, environment, user string) {
	p.t.Helper()
	p.seq++
	in := incoming(p.project, p.seq, group)
	in.OccurredAt, in.Release, in.Environment, in.User = p.now, release, environment, user
	mustDigest(p.t, p.db, in, store.Stored)
}

func (p *person) issue(id int64) (issue store.Issue) {
	p.t.Helper()
	storetest.MustRead(p.t, p.replica, func(rx *store.Rx) (err error) {
		issue, err = rx.Issue(id)
		return err
	})
	return issue
}

// kinds is the history of an issue in words.
func (p *person) kinds(id int64) string {
	p.t.Helper()
	var kinds []string
	storetest.MustRead(p.t, p.replica, func(rx *store.Rx) error {
		entries, err := rx.History(id)
		for _, e := range entries {
			kinds = append(kinds, e.Kind)
		}
		return err
	})
	return strings.Join(kinds, " ")
}

func (p *person) wantState(id int64, want store.IssueState, when string) {
	p.t.Helper()
	if got := p.issue(id).State; got != want {
		p.t.Errorf("%s: issue %d is %s, want %s", when, id, got, want)
	}
}

func TestResolveByRelease(t *testing.T) {
	p := newPerson(t, 1)
	resolve := func(how triage.Resolution) {
		t.Helper()
		if got := p.do(func(tx *store.Tx) ([]int64, error) { return tx.Resolve([]int64{1}, how, 0) }); len(got) != 1 {
			t.Errorf("resolved %v", got)
		}
	}
	for _, r := range []string{"shop@1.0.0", "shop@1.5.0", "shop@1.0.1"} {
		p.sees("a", r, "production", "")
	}
	resolve(triage.Resolution{Kind: triage.ResolvedNext})
	if got := p.issue(1).Resolution; got != (triage.Resolution{Kind: triage.ResolvedNext, Release: "shop@1.5.0"}) {
		t.Errorf("resolved after %+v", got)
	}
	for _, r := range []string{"shop@1.0.0", "shop@1.5.0", "shop@1.2.0"} {
		p.sees("a", r, "production", "")
		p.wantState(1, store.StateResolved, r)
	}
	p.sees("a", "shop@1.5.1", "production", "")
	p.wantState(1, store.StateOpen, "a newer one")

	// Names that do not tell: the order of appearance in the environment decides, and
	// where there is none, that in the project.
	for _, env := range []string{"staging", "production"} {
		for _, r := range []string{"aaa", "bbb", "ccc"} {
			if env == "production" { // the other way round
				r = map[string]string{"aaa": "ccc", "bbb": "bbb", "ccc": "aaa"}[r]
			}
			p.now = p.now.Add(time.Minute)
			p.sees("b", r, env, "")
		}
	}
	resolve(triage.Resolution{Kind: triage.ResolvedIn, Release: "bbb"})
	p.sees("a", "aaa", "staging", "")
	p.wantState(1, store.StateResolved, "before in staging")
	p.sees("a", "ccc", "production", "")
	p.wantState(1, store.StateResolved, "before in production")
	p.sees("a", "aaa", "", "")
	p.wantState(1, store.StateResolved, "before in the project")
	p.sees("a", "aaa", "production", "")
	p.wantState(1, store.StateOpen, "after in production")
	resolve(triage.Resolution{Kind: triage.ResolvedIn, Release: "bbb"})
	p.sees("a", "new", "staging", "")
	p.wantState(1, store.StateOpen, "new altogether")
	resolve(triage.Resolution{Kind: triage.ResolvedIn, Release: "to come"})
	p.sees("a", "new", "staging", "")
	p.wantState(1, store.StateResolved, "before what is to come")
	p.sees("a", "", "staging", "")
	p.wantState(1, store.StateOpen, "no release")
}

func TestMuteEnds(t *testing.T) {
	p := newPerson(t, 1)
	mute := func(how triage.Mute) {
		t.Helper()
		p.do(func(tx *store.Tx) ([]int64, error) { return tx.Mute([]int64{1}, how, 0) })
	}
	// after says after how many events the issue is open, an event every so often.
	after := func(name string, every time.Duration, want int) {
		t.Helper()
		for n := range 40 {
			if p.issue(1).State == store.StateOpen {
				if n != want {
					t.Errorf("%s: open after %d events, want %d", name, n, want)
				}
				return
			}
			p.now = p.now.Add(every)
			p.sees("a", "", "", "")
		}
		if want != 0 {
			t.Errorf("%s: still muted", name)
		}
	}
	p.sees("a", "", "", "")
	p.sees("b", "", "", "")
	mute(triage.Mute{Kind: triage.MuteForever})
	after("forever", time.Second, 0)
	mute(triage.Mute{Kind: triage.MuteMore, Events: 5})
	after("five more", time.Second, 5)
	mute(triage.Mute{Kind: triage.MuteUntil, Until: p.now.Add(time.Minute)})
	after("a minute", 10*time.Second, 6)
	p.now = p.now.Add(time.Hour)
	mute(triage.Mute{Kind: triage.MuteRate, Events: 4, Period: time.Minute})
	after("four a minute, too slow", 21*time.Second, 0)
	after("four a minute", time.Second, 1) // with three of the last minute
	p.now = p.now.Add(time.Hour)
	mute(triage.Mute{Kind: triage.MuteWorse})
	if got := p.issue(1).Mute; got.Events <= 10 || got.Period != time.Hour {
		t.Errorf("worse is %+v", got)
	}

	// Members count, and so many more stay so many more when one comes or goes.
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Reopen([]int64{1}, 0) })
	mute(triage.Mute{Kind: triage.MuteMore, Events: 3})
	p.do(func(tx *store.Tx) ([]int64, error) {
		return tx.Mute([]int64{2}, triage.Mute{Kind: triage.MuteForever}, 0)
	})
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(1, []int64{2}, 0) })
	p.sees("b", "", "", "")
	p.sees("a", "", "", "")
	p.wantState(1, store.StateMuted, "one left")
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Unmerge(1, []int64{2}, 0) })
	p.wantState(1, store.StateMuted, "one left, without its member")
	p.sees("a", "", "", "")
	p.wantState(1, store.StateOpen, "none left")

	p.now = p.now.Add(time.Hour)
	mute(triage.Mute{Kind: triage.MuteRate, Events: 3, Period: time.Minute})
	p.do(func(tx *store.Tx) ([]int64, error) {
		return tx.Mute([]int64{2}, triage.Mute{Kind: triage.MuteForever}, 0)
	})
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(1, []int64{2}, 0) })
	p.sees("b", "", "", "")
	p.sees("a", "", "", "")
	p.wantState(1, store.StateMuted, "two of three a minute")
	p.sees("b", "", "", "")
	p.wantState(1, store.StateOpen, "three a minute of both")
	if got := p.kinds(1); !strings.HasSuffix(got, "muted merged merged unmuted") {
		t.Errorf("history: %s", got)
	}
}

// An open issue does not leave the lists because it is merged into one about which
// somebody has decided; what is decided stays so where nothing open joins it.
func TestMergeIntoDecided(t *testing.T) {
	p := newPerson(t, 1)
	for _, group := range []string{"a", "b", "c", "d", "e"} {
		p.sees(group, "", "", "")
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Resolve([]int64{1, 2}, triage.Resolution{}, 0) })
	p.do(func(tx *store.Tx) ([]int64, error) {
		return tx.Mute([]int64{3}, triage.Mute{Kind: triage.MuteForever}, 0)
	})
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(1, []int64{2}, 0) })
	p.wantState(1, store.StateResolved, "both are resolved")
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(1, []int64{4}, 0) })
	p.wantState(1, store.StateOpen, "an open one joined what was resolved")
	if got := p.kinds(1); !strings.HasSuffix(got, "merged reopened") {
		t.Errorf("history: %s", got)
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(3, []int64{5}, 0) })
	p.wantState(3, store.StateOpen, "an open one joined what was muted")
	storetest.MustCheck(t, p.replica)
}

// A merged issue's events bring its head back, and pages of the head have them.
func TestMergedEvents(t *testing.T) {
	p := newPerson(t, 1)
	for i := range 30 {
		p.now = p.now.Add(time.Second)
		p.sees([]string{"a", "b", "b", "c"}[i%4], "", "", fmt.Sprint("user ", i%7))
	}
	if got := p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(3, []int64{1, 2, 3}, 0) }); !cmp.Equal(got, []int64{1, 2}) {
		t.Errorf("merged %v", got)
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Resolve([]int64{1, 2}, triage.Resolution{}, 0) }) // means the head
	p.wantState(3, store.StateResolved, "resolved")
	p.sees("b", "", "", "")
	p.wantState(3, store.StateOpen, "back")
	if got := p.issue(3); got.Events != 31 || got.Users != 7 || got.OwnEvents != 7 || !got.HasMembers {
		t.Errorf("head %+v", got)
	}
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		var ids, back []int64
		for before, more := int64(0), true; more; {
			page, next, err := rx.Events(3, before, 4)
			if err != nil {
				return err
			}
			for _, e := range page {
				ids = append(ids, e.ID)
			}
			before, more = page[len(page)-1].ID, next
		}
		for i, id := range ids {
			if id != int64(31-i) {
				t.Fatalf("events %v", ids)
			}
		}
		for after, more := int64(1), true; more; {
			page, next, err := rx.EventsAfter(3, after, 7)
			if err != nil {
				return err
			}
			for i := range page {
				back = append(back, page[len(page)-1-i].ID)
			}
			after, more = page[0].ID, next
		}
		if len(back) != 30 || back[0] != 2 || back[29] != 31 {
			t.Errorf("the other way: %v", back)
		}
		// Numbers 6, 7 and 8: b, b, c.
		place, err := rx.EventPlace(3, 7)
		want := store.EventPlace{
			First: store.EventRef{Issue: 1, Number: 1}, Previous: store.EventRef{Issue: 2, Number: 3},
			Next: store.EventRef{Issue: 3, Number: 2}, Last: store.EventRef{Issue: 2, Number: 16},
		}
		if diff := cmp.Diff(want, place); diff != "" {
			t.Error(diff)
		}
		if members, err := rx.Members(3); len(members) != 2 || err != nil {
			t.Errorf("members %v, %v", members, err)
		}
		return err
	})
}

// Up to a thousand users are counted, more are estimated, and a head has the union.
func TestUsers(t *testing.T) {
	p := newPerson(t, 1)
	near := func(name string, got, want int64) {
		t.Helper()
		if got < want*95/100 || got > want*105/100 {
			t.Errorf("%s: %d users, want about %d", name, got, want)
		}
	}
	for i := range 990 {
		p.sees("a", "", "", fmt.Sprint("user ", i))
		if i%3 == 0 {
			p.sees("a", "", "", fmt.Sprint("user ", i/2))
		}
	}
	if got := p.issue(1).Users; got != 990 {
		t.Errorf("%d users, want 990", got)
	}
	for i := range 500 {
		p.sees("b", "", "", fmt.Sprint("user ", 700+i))
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(2, []int64{1}, 0) })
	near("merged, rows only", p.issue(2).Users, 1200)
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Unmerge(2, []int64{1}, 0) })
	if a, b := p.issue(1).Users, p.issue(2).Users; a != 990 || b != 500 {
		t.Errorf("unmerged: %d and %d", a, b)
	}
	for i := range 2000 {
		p.sees("a", "", "", fmt.Sprint("user ", 990+i))
	}
	near("many", p.issue(1).Users, 2990)
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(2, []int64{1}, 0) })
	near("merged with many", p.issue(2).Users, 2990)
	for i := range 400 {
		p.sees([]string{"a", "b"}[i%2], "", "", fmt.Sprint("other ", i))
	}
	near("and more of both", p.issue(2).Users, 3390)
	if got := p.issue(1).Users; got > 3300 {
		t.Errorf("the member alone has %d users", got)
	}
	for i := range 2000 {
		p.sees("c", "", "", fmt.Sprint("third ", i))
	}
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(3, []int64{2}, 0) })
	near("two sketches of different people", p.issue(3).Users, 5390)
}

func TestDeleteAndRestore(t *testing.T) {
	p := newPerson(t, 1)
	for range 3 {
		p.sees("a", "1.0", "", "ann")
		p.sees("b", "1.0", "", "bob")
	}
	remove := func(ids ...int64) {
		t.Helper()
		if got := p.do(func(tx *store.Tx) ([]int64, error) { return tx.DeleteIssues(ids, 0) }); len(got) != 1 {
			t.Errorf("deleted %v", got)
		}
	}
	p.seq++
	file := attachment(p.project, p.seq, incoming(p.project, 1, "a").EventID, "log.txt", []byte("one"))
	mustDigest(t, p.db, file, store.Stored)
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Merge(1, []int64{2}, 0) })
	remove(2) // means its head
	p.wantState(1, store.StateDeleted, "deleted")
	p.sees("b", "1.0", "", "cy")
	p.wantState(3, store.StateOpen, "an issue of its own")
	p.now = p.now.Add(store.DeletionUndo - time.Second)
	if did := p.do(func(tx *store.Tx) ([]int64, error) {
		if more, err := tx.RemoveDeleted(); more || err != nil {
			return nil, fmt.Errorf("removed what can be taken back: %w", err)
		}
		return tx.Restore([]int64{1}, 0)
	}); len(did) != 1 {
		t.Errorf("restored %v", did)
	}
	if got := p.issue(1); got.State != store.StateOpen || got.Events != 7 || got.Users != 3 {
		t.Errorf("restored: %+v", got)
	}
	p.wantState(3, store.StateMerged, "part of what is restored")
	p.sees("a", "1.0", "", "")
	p.sees("b", "1.0", "", "")
	if got := p.issue(1).Events; got != 9 {
		t.Errorf("%d events, want 9", got)
	}

	remove(1)
	p.now = p.now.Add(store.DeletionUndo)
	err := p.db.Write(t.Context(), "restore", func(tx *store.Tx) error {
		_, err := tx.Restore([]int64{1}, 0)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("restored too late: %v", err)
	}
	for more := true; more; {
		p.do(func(tx *store.Tx) (_ []int64, err error) {
			more, err = tx.RemoveDeleted()
			return nil, err
		})
		storetest.MustCheck(t, p.replica)
	}
	p.sees("a", "1.0", "", "")
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		found, err := rx.Find(store.Search{Projects: []event.ProjectID{p.project}, Limit: 10})
		if err != nil {
			return err
		}
		issues := found.Issues
		if len(issues) != 1 || issues[0].ID != 4 || issues[0].Number != 4 || issues[0].Events != 1 {
			t.Errorf("issues %+v", issues)
		}
		ev, err := rx.EventByNumber(4, 1)
		if ev.ID != 10 || err != nil {
			t.Errorf("the tenth event has the id %d, %v", ev.ID, err)
		}
		files, err := rx.Attachments(p.project, file.EventID)
		if len(files) > 0 {
			t.Errorf("its files are still there: %v", files)
		}
		return err
	})
}

// The largest ids are not given again, though their rows are gone and nobody
// remembers them.
func TestIDsAreNotGivenTwice(t *testing.T) {
	p := newPerson(t, 1)
	p.sees("a", "", "", "")
	p.sees("b", "", "", "")
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.DeleteIssues([]int64{2}, 0) })
	p.now = p.now.Add(store.DeletionUndo)
	for range 3 {
		p.do(func(tx *store.Tx) ([]int64, error) {
			_, err := tx.RemoveDeleted()
			return nil, err
		})
	}
	store.ForgetAll(p.db)
	p.sees("c", "", "", "")
	if got := p.issue(3); got.Events != 1 || got.Number != 3 {
		t.Errorf("the next issue: %+v", got)
	}
}

func TestReleasesAndEnvironments(t *testing.T) {
	p := newPerson(t, 1)
	for _, e := range [][2]string{{"1.0", "production"}, {"1.0", "staging"}, {"1.1", "staging"}, {"", ""}, {"1.1", "staging"}} {
		p.now = p.now.Add(time.Minute)
		p.sees("a", e[0], e[1], "")
	}
	p.sees("b", "1.1", "production", "")
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		lines := func(environment *string) (all []string) {
			releases, _, err := rx.Releases(store.ReleaseQuery{Project: p.project, Environment: environment, Limit: 10})
			if err != nil {
				t.Error(err)
			}
			for _, r := range releases {
				all = append(all, fmt.Sprintf("%s %d %d %s", r.Version, r.Events, r.NewIssues, r.Last.Sub(r.First)))
			}
			return all
		}
		production := "production"
		if diff := cmp.Diff([]string{"1.1 3 1 2m0s", "1.0 2 1 1m0s"}, lines(nil)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"1.1 1 1 0s", "1.0 1 1 0s"}, lines(&production)); diff != "" {
			t.Error(diff)
		}
		environments, err := rx.Environments(p.project)
		if err != nil || len(environments) != 3 || environments[0].Name != "" || environments[2].Events != 3 {
			t.Errorf("environments %+v, %v", environments, err)
		}
		releases, err := rx.IssueReleases(1)
		if releases != (store.IssueReleases{First: "1.0", Last: "1.1"}) {
			t.Errorf("releases of the issue: %+v", releases)
		}
		return err
	})
}
