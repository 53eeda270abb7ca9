package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/digester/triage"
)

// Adoption is exact at any time, counted by hour or not yet, and nothing counts
// twice.
func TestAdoptions(t *testing.T) {
	p := newPerson(t, 1)
	count := func() {
		t.Helper()
		var deltas []store.ReleaseDelta
		storetest.MustRead(t, p.replica, func(rx *store.Rx) (err error) {
			deltas, err = rx.ReleaseDeltas()
			return err
		})
		for range 2 { // the second finds that the first did it
			mustWrite(t, p.db, func(tx *store.Tx) error { return tx.CountReleaseHours(deltas) })
		}
	}
	want := func(when string, environment *string, want map[string]store.Adoption) {
		t.Helper()
		storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
			got, err := rx.Adoptions(p.project, environment, p.now)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			return err
		})
	}
	p.sees("a", "1.0", "production", "")
	p.sees("a", "1.0", "staging", "")
	want("not counted yet", nil, map[string]store.Adoption{"1.0": {Day: 2, Week: 2}})
	count()
	p.sees("a", "1.0", "production", "")
	p.sees("a", "", "production", "")
	want("half counted", nil, map[string]store.Adoption{"1.0": {Day: 3, Week: 3}, "": {Day: 1, Week: 1}})
	staging := "staging"
	want("of one environment", &staging, map[string]store.Adoption{"1.0": {Day: 1, Week: 1}})
	count()
	p.now = p.now.Add(25 * time.Hour)
	p.sees("a", "1.1", "production", "")
	want("a day later", nil, map[string]store.Adoption{"1.0": {Week: 3}, "": {Week: 1}, "1.1": {Day: 1, Week: 1}})
	count()
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		hours, err := rx.ReleaseHours(p.project, "1.0", p.now.Add(-48*time.Hour), p.now)
		if len(hours) != 1 || hours[0].Count != 3 {
			t.Errorf("hours of 1.0: %+v, %v", hours, err)
		}
		return err
	})
	p.now = p.now.Add(8 * 24 * time.Hour)
	want("a week later", nil, map[string]store.Adoption{})
	p.now = p.now.Add(store.ReleaseHoursKept)
	for _, more := range []bool{true, true, false} {
		mustWrite(t, p.db, func(tx *store.Tx) error {
			if forgot, err := tx.ForgetReleaseHours(); forgot != more {
				t.Errorf("forgot: %v, %v; want %v", forgot, err, more)
			}
			return nil
		})
	}
}

// A release page has what the release brought and what it brought back.
func TestReleasePage(t *testing.T) {
	p := newPerson(t, 1)
	p.sees("a", "1.0", "production", "")
	p.sees("b", "", "production", "")
	p.now = p.now.Add(time.Second)
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.Resolve([]int64{1}, triage.Resolution{}, 0) })
	p.sees("a", "1.1", "production", "")
	p.sees("c", "1.1", "staging", "")
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		release, err := rx.Release(p.project, "1.1")
		if err != nil || release.Events != 2 || release.NewIssues != 1 {
			t.Errorf("the release: %+v, %v", release, err)
		}
		if fresh, err := rx.NewIssues(p.project, "1.1", 10); err != nil || len(fresh) != 1 || fresh[0].Number != 3 {
			t.Errorf("new issues: %+v, %v", fresh, err)
		}
		if back, err := rx.RegressedIssues(p.project, "1.1", release.CreatedAt, 10); err != nil || len(back) != 1 || back[0].Number != 1 {
			t.Errorf("regressed issues: %+v, %v", back, err)
		}
		if where, err := rx.ReleaseEnvironments(p.project, "1.1"); err != nil || len(where) != 2 {
			t.Errorf("environments: %+v, %v", where, err)
		}
		if _, err := rx.Release(p.project, "2.0"); err != store.ErrNotFound {
			t.Errorf("a release that nobody saw: %v", err)
		}
		return nil
	})
}

func TestDeploys(t *testing.T) {
	p := newPerson(t, 1)
	deploy := func(d store.Deploy) (id int64, err error) {
		err = p.db.Write(t.Context(), "test", func(tx *store.Tx) (err error) {
			id, err = tx.AddDeploy(p.project, d)
			return err
		})
		return id, err
	}
	first, err := deploy(store.Deploy{Release: "1.0", Environment: "production", Name: "blue", StartedAt: p.now.Add(-time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deploy(store.Deploy{Release: "1.1", Environment: "production"}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []store.Deploy{
		{Environment: "production"}, {Release: "1.0"}, {Release: "1.0\n", Environment: "a\tb"},
		{Release: "1.0", Environment: "production", StartedAt: p.now.Add(time.Minute)},
	} {
		if _, err := deploy(bad); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		want := []store.Deploy{{ID: first, Release: "1.0", Environment: "production", Name: "blue", StartedAt: p.now.Add(-time.Minute), FinishedAt: p.now}}
		got, err := rx.Deploys(p.project, "1.0", 10)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		return nil
	})
	mustWrite(t, p.db, func(tx *store.Tx) error { return tx.RemoveDeploy(p.project, first) })
	if err := p.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.RemoveDeploy(p.project+1, first+1) }); err != store.ErrNotFound {
		t.Errorf("removing another project's: %v", err)
	}
}
