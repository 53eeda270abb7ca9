package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"sundew/digester/search"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// findNow is when the searches of these tests take place.
var findNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// sample is an issue as a search should see it.
type sample struct {
	Issue
	tags      map[string]string
	text      string
	release   string
	mine      bool
	yesterday int64 // events of the day before the last one
	today     int64
}

// findSite is a database to search in, with two projects.
type findSite struct {
	db  *DB
	all []*sample
}

// newFindSite makes issues of every kind. What they have differs by the divisors of
// their numbers, so that each combination exists.
func newFindSite(t *testing.T) *findSite {
	t.Helper()
	clock := findNow
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db"), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.WithoutCancel(t.Context())) })
	s := &findSite{db: db}
	var projects [2]Project
	s.write(t, func(tx *Tx) (err error) {
		for i, name := range []string{"Shop", "Mail"} {
			if projects[i], err = tx.CreateProject(name); err != nil {
				return err
			}
		}
		_, err = tx.exec(`INSERT INTO users (id, email, name, created_at) VALUES (7, 'jane@example.com', 'Jane', 0)`)
		return err
	})
	seq := uint64(0)
	for n := 1; n <= 60; n++ {
		f := &sample{tags: map[string]string{"shard": fmt.Sprint("s", n%4)}, release: fmt.Sprintf("shop@1.%d.0", n%5)}
		f.Project, f.ProjectID = projects[n%2].Slug, projects[n%2].ID
		f.Title, f.Culprit = fmt.Sprintf("Error%d in 100%% checkout", n), "CartService.pay"
		f.Level = event.Level(1 + n%5)
		f.tags["environment"] = []string{"prod", "Staging", ""}[n%3]
		f.tags["browser"] = []string{"Safari 17", "Chrome 120"}[n%2]
		f.tags["release"] = f.release
		if n%7 == 0 {
			f.tags["user"] = fmt.Sprintf("email:u%d@example.com", n)
		}
		f.text = []string{"src/cart/UserController.py\nconnection reset by peer", "lib/http.js\n\"quoted\" text"}[n%2]
		if n%11 == 0 {
			f.tags["user"], f.tags["user.email"] = fmt.Sprint("id:", n), fmt.Sprintf("v%d@example.org", n)
		}
		for e := range n%9 + 1 {
			at := findNow.Add(-time.Duration(n*n+e*13) * time.Hour)
			if n%4 == 0 {
				at = findNow.Add(-time.Duration(n+e*n) * time.Hour / 2)
			}
			seq++
			in := &Incoming{
				Instance: wire.InstanceID{1}, Seq: seq, Project: f.ProjectID, EventID: event.ID{1, byte(n), byte(e)}, ReceivedAt: at, OccurredAt: at,
				Category: "error", Level: f.Level, Platform: "go", Title: f.Title, Culprit: f.Culprit, Group: [16]byte{byte(n)}, Release: f.release,
				Meta: []byte("{}"), Body: []byte("{}"),
			}
			for _, k := range []string{"shard", "environment", "browser", "release", "user", "user.email"} {
				if f.tags[k] != "" {
					in.Tags = append(in.Tags, event.Pair{Key: k, Value: f.tags[k]})
				}
			}
			if result, err := db.Digest(t.Context(), in); err != nil || result != Stored {
				t.Fatalf("result %v, error %v", result, err)
			}
			f.Events++
			f.LastSeen = later(f.LastSeen, at)
			if f.FirstSeen.IsZero() || at.Before(f.FirstSeen) {
				f.FirstSeen = at
			}
			switch h := hourOf(findNow) - hourOf(at); {
			case h < 24:
				f.today++
			case h < 48:
				f.yesterday++
			}
		}
		s.all = append(s.all, f)
		s.set(t, f, int64(n))
	}
	s.index(t)
	s.write(t, func(tx *Tx) error { // issues 3 and 6 came back, the one lately
		_, err := tx.exec(`INSERT INTO history (issue_id, at, kind) VALUES (3, ?, 'regressed'), (6, ?, 'regressed')`, ms(findNow.AddDate(0, 0, -2)), ms(findNow.AddDate(0, 0, -20)))
		return err
	})
	return s
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *findSite) write(t *testing.T, fn func(tx *Tx) error) {
	t.Helper()
	if err := s.db.Write(t.Context(), "test", fn); err != nil {
		t.Fatal(err)
	}
}

// set gives an issue what people and later releases of this program give it.
func (s *findSite) set(t *testing.T, f *sample, n int64) {
	f.ID, f.Number, f.State, f.mine, f.Users = n, (n+1)/2, IssueState(n%3), n%6 == 0, n%9
	s.write(t, func(tx *Tx) error {
		var assignee any
		if f.mine {
			assignee = 7
		}
		_, err := tx.exec(`UPDATE issues SET state = ?, assignee_user_id = ?, user_count = ?, first_release = ? WHERE id = ?`, int64(f.State), assignee, f.Users, f.release, f.ID)
		return err
	})
}

// index indexes the texts as the indexer does.
func (s *findSite) index(t *testing.T) {
	s.write(t, func(tx *Tx) error {
		due, err := tx.TextsDue(1000)
		if err != nil {
			return err
		}
		var texts []IssueText
		for _, d := range due {
			texts = append(texts, IssueText{d, d.Title + "\n" + s.all[d.Issue-1].text})
		}
		return tx.IndexTexts(texts)
	})
}

// find returns the ids that a search finds, all pages of it.
func (s *findSite) find(t *testing.T, text string, sort IssueSort, few int64) []int64 {
	ids, _ := s.search(t, text, sort, time.Time{}, bounds{few, searchBounds().most})
	return ids
}

// search returns the ids that all pages of a search have, and the last page.
func (s *findSite) search(t *testing.T, text string, sort IssueSort, before time.Time, b bounds) (ids []int64, page Found) {
	t.Helper()
	query, err := search.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, func(tx *Tx) error {
		for more := true; more; {
			page, err = tx.find(Search{
				Projects: []event.ProjectID{1, 2}, Query: query, Text: text, Sort: sort, Offset: len(ids), Limit: 11, Me: 7, Now: findNow,
				Before: before,
			}, b)
			if err != nil {
				return err
			}
			more = page.More
			for _, i := range page.Issues {
				ids = append(ids, i.ID)
			}
		}
		return nil
	})
	return ids, page
}

// value is what a sort orders by.
func (f *sample) value(sort IssueSort) int64 {
	switch sort {
	case SortFirstSeen:
		return f.ID
	case SortEvents:
		return f.Events
	case SortUsers:
		return f.Users
	case SortTrend:
		return f.today - f.yesterday
	}
	return ms(f.LastSeen)
}

// want returns the ids that a search should find.
func (s *findSite) want(sort IssueSort, holds func(*sample) bool) []int64 {
	var all []*sample
	for _, f := range s.all {
		if holds(f) && (sort != SortTrend || hourOf(f.LastSeen) > hourOf(findNow)-24) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *sample) int {
		tie := cmp.Compare(ms(b.LastSeen), ms(a.LastSeen))
		if sort == SortEvents {
			tie = 0
		}
		return cmp.Or(cmp.Compare(b.value(sort), a.value(sort)), tie, cmp.Compare(b.ID, a.ID))
	})
	var ids []int64
	for _, f := range all {
		ids = append(ids, f.ID)
	}
	return ids
}

// Whatever is asked for, in whatever order, whether an index of what is asked for is
// read or the list is walked: the same issues come, and the right ones.
func TestFind(t *testing.T) {
	s := newFindSite(t)
	days := func(n int) time.Time { return findNow.AddDate(0, 0, -n) }
	tests := []struct {
		query string
		holds func(*sample) bool
	}{
		{"", func(f *sample) bool { return true }},
		{"is:unresolved", func(f *sample) bool { return f.State == StateOpen }},
		{"!is:[resolved, muted]", func(f *sample) bool { return f.State == StateOpen }},
		{"is:[resolved, assigned]", func(f *sample) bool { return f.State == StateResolved || f.mine }},
		{"is:resolved is:muted", func(f *sample) bool { return false }},
		{"is:new", func(f *sample) bool { return !f.FirstSeen.Before(findNow.Add(-search.NewFor)) }},
		{"is:regressed", func(f *sample) bool { return f.ID == 3 }},
		{"!is:regressed is:unresolved", func(f *sample) bool { return f.ID != 3 && f.State == StateOpen }},
		{"is:[regressed, resolved]", func(f *sample) bool { return f.ID == 3 || f.State == StateResolved }},
		{"is:unassigned", func(f *sample) bool { return !f.mine }},
		{"assigned:me", func(f *sample) bool { return f.mine }},
		{"!assigned:jane@example.com", func(f *sample) bool { return !f.mine }},
		{"assigned:[me, none] is:muted", func(f *sample) bool { return f.State == StateMuted }},
		{"level:>=error", func(f *sample) bool { return f.Level >= event.LevelError }},
		{"environment:PROD", func(f *sample) bool { return f.tags["environment"] == "prod" }},
		{"!environment:prod", func(f *sample) bool { return f.tags["environment"] != "prod" }},
		{"env:[prod, staging] shard:s1", func(f *sample) bool { return f.tags["environment"] != "" && f.tags["shard"] == "s1" }},
		{"has:user", func(f *sample) bool { return f.tags["user"] != "" }},
		{"has:user.email", func(f *sample) bool { return strings.HasPrefix(f.tags["user"], "email:") || f.tags["user.email"] != "" }},
		{"!has:environment", func(f *sample) bool { return f.tags["environment"] == "" }},
		{"browser:safari", func(f *sample) bool { return f.tags["browser"] == "Safari 17" }},
		{"user.email:u7@example.com", func(f *sample) bool { return f.ID == 7 }},
		{"user:*@example.com", func(f *sample) bool { return strings.HasSuffix(f.tags["user"], "@example.com") }},
		{"user.email:V22@example.org", func(f *sample) bool { return f.ID == 22 }},
		{"user.id:22", func(f *sample) bool { return f.ID == 22 }},
		{"user:[v22@*, 11]", func(f *sample) bool { return f.ID == 22 || f.ID == 11 }},
		{"!user.email:*@*", func(f *sample) bool { return !strings.Contains(f.tags["user"]+f.tags["user.email"], "@") }},
		{"release:shop@1.* !release:*.3.0", func(f *sample) bool { return f.release != "shop@1.3.0" }},
		{"release:1.2.0", func(f *sample) bool { return f.release == "shop@1.2.0" }},
		{"!release:[1.2.0, SHOP@1.3.0]", func(f *sample) bool { return f.release != "shop@1.2.0" && f.release != "shop@1.3.0" }},
		{"release:2.0", func(f *sample) bool { return false }},
		{"tags[release]:1.2.0", func(f *sample) bool { return false }},
		{"firstRelease:1.2.0", func(f *sample) bool { return f.release == "shop@1.2.0" }},
		{"firstRelease:shop@1.2.0", func(f *sample) bool { return f.release == "shop@1.2.0" }},
		{"times_seen:>4", func(f *sample) bool { return f.Events > 4 }},
		{"!times_seen:>4", func(f *sample) bool { return f.Events <= 4 }},
		{"times_seen:3 users:2", func(f *sample) bool { return f.Events == 3 && f.Users == 2 }},
		{"users:<2", func(f *sample) bool { return f.Users < 2 }},
		{"lastSeen:-7d", func(f *sample) bool { return !f.LastSeen.Before(days(7)) }},
		{"lastSeen:+7d", func(f *sample) bool { return !f.LastSeen.After(days(7)) }},
		{"!lastSeen:-7d", func(f *sample) bool { return f.LastSeen.Before(days(7)) }},
		{"age:<14d", func(f *sample) bool { return f.FirstSeen.After(days(14)) }},
		{"firstSeen:<2026-03-01", func(f *sample) bool { return f.FirstSeen.Before(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) }},
		{"lastSeen:2026-03-13", func(f *sample) bool { return f.LastSeen.Format("2006-01-02") == "2026-03-13" }},
		{"controller", func(f *sample) bool { return f.ID%2 == 0 }},
		{"cart/UserContr", func(f *sample) bool { return f.ID%2 == 0 }},
		{`"connection RESET"`, func(f *sample) bool { return f.ID%2 == 0 }},
		{`"\"quoted\" text"`, func(f *sample) bool { return f.ID%2 == 1 }},
		{"conn*peer", func(f *sample) bool { return f.ID%2 == 0 }},
		{"!conn*quoted", func(f *sample) bool { return true }},
		{"!controller", func(f *sample) bool { return f.ID%2 == 1 }},
		{"7", func(f *sample) bool { return strings.Contains(f.Title, "7") }},
		{"0%", func(f *sample) bool { return true }},
		{"_%", func(f *sample) bool { return false }},
		{"title:error1*", func(f *sample) bool { return strings.HasPrefix(f.Title, "Error1") }},
		{"culprit:[none, cartservice.pay]", func(f *sample) bool { return true }},
		{"project:mail", func(f *sample) bool { return f.Project == "mail" }},
		{"issue:SHOP-3", func(f *sample) bool { return f.Project == "shop" && f.Number == 3 }},
		{"checkout controller is:unresolved !environment:prod lastSeen:-90d", func(f *sample) bool {
			return f.ID%2 == 0 && f.State == StateOpen && f.tags["environment"] != "prod" && !f.LastSeen.Before(days(90))
		}},
	}
	for _, test := range tests {
		for _, sort := range []IssueSort{SortLastSeen, SortFirstSeen, SortEvents, SortUsers, SortTrend} {
			want := s.want(sort, test.holds)
			for _, few := range []int64{searchBounds().few, -1} {
				if diff := gocmp.Diff(want, s.find(t, test.query, sort, few)); diff != "" {
					t.Errorf("%s, sort %d, few %d (-want +got):\n%s", test.query, sort, few, diff)
				}
			}
		}
	}
}

// A search that would look at too many issues says how far it looked. By the time at
// which issues were last seen it goes on from there until it has looked at all; in
// another order what it found is in that order, and is all if it does not say so.
func TestFindBounded(t *testing.T) {
	s := newFindSite(t)
	stopped := 0
	for query, holds := range map[string]func(*sample) bool{
		"!browser:safari":           func(f *sample) bool { return f.tags["browser"] != "Safari 17" },
		"is:unresolved !controller": func(f *sample) bool { return f.State == StateOpen && f.ID%2 == 1 },
		"!has:browser":              func(*sample) bool { return false },
		"!shard:s1 lastSeen:-30d":   func(f *sample) bool { return f.tags["shard"] != "s1" && !f.LastSeen.Before(findNow.AddDate(0, 0, -30)) },
	} {
		for _, most := range []int64{1, 5, 12, 100} {
			b := bounds{few: -1, most: most}
			want := s.want(SortLastSeen, holds)
			var ids []int64
			var before time.Time
			for {
				part, last := s.search(t, query, SortLastSeen, before, b)
				ids = append(ids, part...)
				if last.Looked == 0 {
					break
				}
				if stopped++; !before.IsZero() && !last.Since.Before(before) {
					t.Fatalf("%s: looked since %v, before %v", query, last.Since, before)
				}
				before = last.Since
			}
			if diff := gocmp.Diff(want, ids); diff != "" {
				t.Errorf("%s, at most %d (-want +got):\n%s", query, most, diff)
			}
			for _, sort := range []IssueSort{SortFirstSeen, SortEvents, SortUsers, SortTrend} {
				want := s.want(sort, holds)
				ids, last := s.search(t, query, sort, time.Time{}, b)
				if last.Looked == 0 && len(ids) < len(want) {
					t.Errorf("%s, sort %d, at most %d: %d of %d issues, without a word", query, sort, most, len(ids), len(want))
				}
				want = slices.DeleteFunc(want, func(id int64) bool { return !slices.Contains(ids, id) })
				if !slices.Equal(want, ids) {
					t.Errorf("%s, sort %d, at most %d: issues %v, want them as %v", query, sort, most, ids, want)
				}
			}
		}
	}
	if stopped == 0 {
		t.Error("no search was cut short")
	}
}

// An issue is found by what its members have; they themselves are in no list.
func TestFindMembers(t *testing.T) {
	s := newFindSite(t)
	s.write(t, func(tx *Tx) error {
		if _, err := tx.exec(`UPDATE issues SET state = 0, project_id = 1, merged_first_seen = first_seen WHERE id = 8`); err != nil {
			return err
		}
		_, err := tx.exec(`UPDATE issues SET state = 3, merged_into = 8 WHERE id = 21`)
		return err
	})
	for _, query := range []string{"has:user", "quoted", "user:u21@*", "is:unresolved quoted shard:s0 shard:s1"} {
		for _, few := range []int64{searchBounds().few, -1} {
			ids := s.find(t, query, SortLastSeen, few)
			if !slices.Contains(ids, 8) || slices.Contains(ids, 21) {
				t.Errorf("%s, few %d: found %v, want 8, not 21", query, few, ids)
			}
		}
	}
}

// What is nowhere in some projects is told from what is only not in an issue.
func TestHasTag(t *testing.T) {
	s := newFindSite(t)
	s.write(t, func(tx *Tx) error {
		for key, want := range map[string]bool{"shard": true, "error.type": false} {
			if got, err := tx.HasTag([]event.ProjectID{1}, key); err != nil || got != want {
				t.Errorf("tag %s: %v, %v", key, got, err)
			}
		}
		if got, err := tx.HasTag([]event.ProjectID{99}, "shard"); err != nil || got {
			t.Errorf("a project without issues has a tag: %v, %v", got, err)
		}
		for pattern, want := range map[string]bool{"1.2.0": true, "shop@1.2.0": true, "2.0": false, "op@1.2.0": false} {
			if got, err := tx.HasRelease([]event.ProjectID{1}, []search.Pattern{{pattern}}); err != nil || got != want {
				t.Errorf("release %s: %v, %v", pattern, got, err)
			}
		}
		return nil
	})
}

// Who is named but unknown is an error of the query, at its place.
func TestFindUnknown(t *testing.T) {
	s := newFindSite(t)
	for text, want := range map[string]string{
		"checkout assigned:joe@example.com": "column 10: there is nobody with the address joe@example.com",
		"is:open assigned:[me, #nobody]":    "column 9: there is no team #nobody",
	} {
		query, err := search.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, func(tx *Tx) error {
			_, err := tx.Find(Search{Projects: []event.ProjectID{1}, Query: query, Text: text, Now: findNow})
			var e *search.Error
			if !errors.As(err, &e) || e.Error() != want {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			return nil
		})
	}
}

// A text is indexed once for each doubling of an issue's events, and what became due
// meanwhile is not forgotten.
func TestTextsDue(t *testing.T) {
	s := newFindSite(t)
	s.write(t, func(tx *Tx) error {
		due, err := tx.TextsDue(10)
		if len(due) != 0 {
			t.Errorf("%d are due although all are indexed", len(due))
		}
		if err == nil {
			_, err = tx.exec(`INSERT INTO issue_texts_due (issue_id, event_id) VALUES (4, 2)`)
		}
		if err == nil {
			err = tx.IndexTexts([]IssueText{{TextDue{Issue: 4, Event: 1}, "stale"}})
		}
		if err != nil {
			return err
		}
		if due, err = tx.TextsDue(10); len(due) != 1 || due[0].Event != 2 {
			t.Errorf("due are %v, want issue 4 by event 2", due)
		}
		return err
	})
	if ids := s.find(t, "stale", SortLastSeen, searchBounds().few); len(ids) > 0 {
		t.Errorf("found %v by a text of an old event", ids)
	}
}
