package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

// makes has a tool make or change a release.
func (p *person) makes(version string, c store.ReleaseChange) (made bool, err error) {
	err = p.db.Write(p.t.Context(), "test", func(tx *store.Tx) (err error) {
		made, err = tx.MakeRelease(p.project, version, c)
		return err
	})
	return made, err
}

// A release that a tool made is there without events, is counted as others once there
// are some, and goes only as long as there were none.
func TestMakeRelease(t *testing.T) {
	p := newPerson(t, 1)
	made, err := p.makes("web@1.0", store.ReleaseChange{URL: new("https://example.com/1.0"), Ref: new("abc")})
	if err != nil || !made {
		t.Fatalf("made %t, %v", made, err)
	}
	at := p.now.Add(-time.Minute)
	made, err = p.makes(" web@1.0 ", store.ReleaseChange{ReleasedAt: &at, Archived: new(true)})
	if err != nil || made {
		t.Fatalf("made again %t, %v", made, err)
	}
	want := store.ReleaseFacts{URL: "https://example.com/1.0", Ref: "abc", ReleasedAt: at.Truncate(time.Millisecond), Archived: true}
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		got, err := rx.Release(p.project, "web@1.0")
		if diff := cmp.Diff(want, got.ReleaseFacts); diff != "" || got.Events != 0 || got.Project != p.project {
			t.Errorf("the release, -want +got:\n%s%+v", diff, got)
		}
		return err
	})
	for _, bad := range []string{"", "..", "a\nb", strings.Repeat("x", 201), "a\xff"} {
		if _, err := p.makes(bad, store.ReleaseChange{}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("release %q: %v", bad, err)
		}
	}
	if _, err := p.makes("1.1", store.ReleaseChange{URL: new("javascript:alert(1)")}); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("address of a script: %v", err)
	}
	remove := func(version string) error {
		return p.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.RemoveRelease(p.project, version) })
	}
	if _, err := p.makes("1.2", store.ReleaseChange{}); err != nil {
		t.Fatal(err)
	}
	p.sees("a", "web@1.0", "production", "ann")
	if err := remove("web@1.0"); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("removing a release with events: %v", err)
	}
	mustWrite(t, p.db, func(tx *store.Tx) error {
		if _, err := tx.AddDeploy(p.project, store.Deploy{Release: "1.2", Environment: "production"}); err != nil {
			return err
		}
		return tx.SetCommits(p.project, "1.2", []store.Commit{{Hash: "abc"}})
	})
	if err := remove("1.2"); err != nil {
		t.Error(err)
	}
	if err := remove("1.2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removing it again: %v", err)
	}
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		got, err := rx.Release(p.project, "web@1.0")
		if got.Events != 1 || got.NewIssues != 1 {
			t.Errorf("the release after an event: %+v", got)
		}
		return err
	})
	p.sees("a", "1.2", "production", "ann") // made by the event, this time
}

func TestCommits(t *testing.T) {
	p := newPerson(t, 1)
	for _, version := range []string{"1.0", "1.1", "1.2"} {
		if _, err := p.makes(version, store.ReleaseChange{}); err != nil {
			t.Fatal(err)
		}
	}
	want := []store.Commit{
		{Hash: "b2", Repository: "shop/web", AuthorName: "Ada", AuthorEmail: "ada@example.com", Message: "Fix\n\nthe cart", At: p.now.Truncate(time.Millisecond),
			Files: []store.CommitFile{{Path: "a b.go", Type: "M"}}},
		{Hash: "a1", Message: "First", Files: []store.CommitFile{}},
	}
	long := store.Commit{Hash: "c3\x00", Message: strings.Repeat("ä", 5000), Files: slices.Repeat([]store.CommitFile{{Path: "x", Type: "Added"}}, 200)}
	refs := []store.Ref{{Repository: "shop/web", Hash: "b2", Previous: "a1"}}
	mustWrite(t, p.db, func(tx *store.Tx) error {
		err := tx.SetCommits(p.project, "9", want)
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("commits of no release: %v", err)
		}
		return errors.Join(tx.SetCommits(p.project, "1.0", slices.Repeat([]store.Commit{long}, 600)), tx.SetCommits(p.project, "1.1", []store.Commit{long}),
			tx.SetCommits(p.project, "1.1", want), tx.SetRefs(p.project, "1.1", append(refs, refs...)), tx.SetRefs(p.project, "1.1", slices.Clone(refs)))
	})
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		releases, err := rx.ReleasesNamed([]event.ProjectID{p.project}, []string{"1.2", "1.0", "1.1"})
		if err != nil || len(releases) != 3 {
			t.Fatalf("%d releases, %v", len(releases), err)
		}
		got, err := rx.Commits(releases[1].ID, 10)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("commits, -want +got:\n%s%v", diff, err)
		}
		gotRefs, err := rx.Refs(releases[1].ID)
		if diff := cmp.Diff(refs, gotRefs); diff != "" || err != nil {
			t.Errorf("refs, -want +got:\n%s%v", diff, err)
		}
		cut, err := rx.Commits(releases[0].ID, 1000)
		if len(cut) != 500 || cut[0].Hash != "c3" || len(cut[0].Message) != 4000 || len(cut[0].Files) != 100 || cut[0].Files[0].Type != "A" || err != nil {
			t.Errorf("%d commits, %v", len(cut), err)
		}
		previous, err := rx.PreviousWithCommits(p.project, releases[2].ID)
		if previous.Version != "1.1" || err != nil {
			t.Errorf("the release in front with commits is %q, %v", previous.Version, err)
		}
		if _, err := rx.PreviousWithCommits(p.project, releases[0].ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("in front of the first: %v", err)
		}
		extents, err := rx.ReleaseExtents([]int64{releases[1].ID})
		if e := extents[releases[1].ID]; e.Commits != 2 || err != nil {
			t.Errorf("extent %+v, %v", e, err)
		}
		return nil
	})
}

// The list of names has each once, where the newest release of it stands, and nothing
// of projects that were not asked for.
func TestVersions(t *testing.T) {
	p := newPerson(t, 1)
	second := storetest.MustCreateProject(t, p.db, "Second", "").ID
	third := storetest.MustCreateProject(t, p.db, "Third", "").ID
	mustWrite(t, p.db, func(tx *store.Tx) error {
		for _, r := range []struct {
			project event.ProjectID
			version string
		}{{p.project, "a"}, {p.project, "B"}, {p.project, "c"}, {second, "a"}, {third, "B"}, {third, "z"}} {
			if _, err := tx.MakeRelease(r.project, r.version, store.ReleaseChange{Archived: new(r.version == "c")}); err != nil {
				return err
			}
		}
		return nil
	})
	ours := []event.ProjectID{p.project, second}
	for _, test := range []struct {
		query store.VersionQuery
		want  string
	}{
		{store.VersionQuery{Projects: ours, Limit: 10}, "a c B"},
		{store.VersionQuery{Projects: ours, Limit: 2}, "a c …"},
		{store.VersionQuery{Projects: ours, Limit: 2, Before: 3}, "B"},
		{store.VersionQuery{Projects: ours, Limit: 10, Archived: new(false)}, "a B"},
		{store.VersionQuery{Projects: ours, Limit: 10, Text: "b"}, "B"},
		{store.VersionQuery{Projects: nil, Limit: 10}, ""},
	} {
		storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
			got, more, err := rx.Versions(test.query)
			var names []string
			for _, v := range got {
				names = append(names, v.Name)
			}
			if more {
				names = append(names, "…")
			}
			if s := strings.Join(names, " "); s != test.want {
				t.Errorf("%+v: %q, want %q", test.query, s, test.want)
			}
			return err
		})
	}
}
