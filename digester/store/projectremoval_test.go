package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/erasure"
	"sundew/digester/notify"
	"sundew/digester/retention"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
)

// change is a write transaction about a project.
func (p *person) change(do func(tx *store.Tx, id event.ProjectID) error) error {
	return p.db.Write(p.t.Context(), "test", func(tx *store.Tx) error { return do(tx, p.project) })
}

// A deleted project takes no events, whatever the digest remembers of it, and takes
// them again when it is restored.
func TestDeleteAndRestoreProject(t *testing.T) {
	p := newPerson(t, 1)
	p.sees("a", "1.0", "production", "ann")
	p.aside(store.Stored)
	if err := p.change((*store.Tx).DeleteProject); err != nil {
		t.Fatal(err)
	}
	if err := p.change((*store.Tx).DeleteProject); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleting twice: %v", err)
	}
	drop := func(group string) {
		t.Helper()
		p.seq++
		mustDigest(t, p.db, incoming(p.project, p.seq, group), store.Dropped)
	}
	drop("a") // remembered
	drop("a") // looked up
	drop("b") // new
	undecided := incoming(p.project, p.seq+1, "a")
	undecided.Key = "0123456789abcdef0123456789abcdef"
	p.seq++
	mustDigest(t, p.db, undecided, store.Dropped)
	p.aside(store.Dropped)
	p.aside(store.Dropped)
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		if _, err := rx.Project(p.project); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the deleted project: %v", err)
		}
		if _, err := rx.IssueProject(1); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("its issue: %v", err)
		}
		if all, err := rx.Projects(); len(all) != 0 || err != nil {
			t.Errorf("projects: %v, %v", all, err)
		}
		if keys, err := rx.Keys(); len(keys) != 1 || keys[0].Enabled || err != nil {
			t.Errorf("keys: %v, %v", keys, err)
		}
		if gone, err := rx.DeletedProjects(p.now); len(gone) != 1 || err != nil {
			t.Errorf("deleted projects: %v, %v", gone, err)
		}
		return nil
	})
	p.now = p.now.Add(store.ProjectUndo - time.Second)
	if err := p.change((*store.Tx).RestoreProject); err != nil {
		t.Fatal(err)
	}
	p.sees("a", "1.0", "production", "ann")
	p.sees("b", "1.0", "production", "ann")
	p.aside(store.Stored)
	if got := p.issue(1).Events; got != 2 {
		t.Errorf("the issue has %d events, want 2", got)
	}
}

// aside digests feedback and a file that belongs to it.
func (p *person) aside(want store.Result) {
	p.t.Helper()
	id := event.ID{0xfb, byte(p.seq), byte(p.seq >> 8)}
	p.seq += 2
	mustDigest(p.t, p.db, feedback(p.project, p.seq-1, id, event.ID{}, "It broke."), want)
	mustDigest(p.t, p.db, attachment(p.project, p.seq, id, "picture.png", []byte("png")), want)
}

// After a day a project's rows go step by step, and after each the books balance.
func TestRemoveProject(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := newPerson(t, seed)
			other := storetest.MustCreateProject(t, p.db, "Other", "").ID
			for range 150 {
				p.now = p.now.Add(time.Second)
				if p.rng.IntN(3) > 0 {
					p.digest()
				} else if err := p.db.Write(t.Context(), "act", p.act); err != nil {
					t.Fatal(err)
				}
			}
			p.seq++
			mustDigest(t, p.db, incoming(other, p.seq, "of another project"), store.Stored)
			p.furnish()
			for range 210 { // more than one transaction takes
				p.aside(store.Stored)
			}
			if err := p.change((*store.Tx).DeleteProject); err != nil {
				t.Fatal(err)
			}
			p.now = p.now.Add(store.ProjectUndo)
			if err := p.change((*store.Tx).RestoreProject); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("restoring too late: %v", err)
			}
			steps := p.removeAll()
			p.seq++
			mustDigest(t, p.db, incoming(p.project, p.seq, "a"), store.Dropped)
			p.wantEmpty(other)
			if steps < 5 {
				t.Errorf("all in %d transactions", steps)
			}
		})
	}
}

// furnish gives the project a row of everything that belongs to one.
func (p *person) furnish() {
	p.t.Helper()
	for _, text := range []string{"one", "two"} {
		if err := p.db.StoreChunk(p.t.Context(), sumOf(text), []byte(text)); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := p.makes("shop@1.0.0", store.ReleaseChange{}); err != nil {
		p.t.Fatal(err)
	}
	mustWrite(p.t, p.db, func(tx *store.Tx) error {
		if err := errors.Join(tx.SetCommits(p.project, "shop@1.0.0", []store.Commit{{Hash: "abc"}}), tx.SetRefs(p.project, "shop@1.0.0", []store.Ref{{Repository: "shop"}})); err != nil {
			return err
		}
		user, err := tx.CreateUser("ada@example.com", "Ada", "", access.None)
		if err != nil {
			return err
		}
		deltas, err := tx.ReleaseDeltas()
		if err != nil {
			return err
		}
		_, err = tx.ChangeProject(p.project, store.ProjectChange{Name: "Shop", Slug: "shop-2", Platform: "go"})
		channel, err3 := tx.AddChannel(p.project, hook())
		_, err2 := tx.AddDeploy(p.project, store.Deploy{Release: "shop@1.0.0", Environment: "production"})
		_, err4 := tx.CreateErasure(p.project, erasure.Subject{Kind: erasure.ByID, Value: "42"}, user.ID)
		bundle, _, err5 := tx.BeginUpload(store.Upload{Project: p.project, Checksum: sumOf("one"), Chunks: []string{sumOf("one")}})
		_, _, err6 := tx.BeginUpload(store.Upload{Project: p.project, Checksum: sumOf("two"), Chunks: []string{sumOf("two")}})
		return errors.Join(err, err2, err3, err4, err5, err6, tx.PublishBundle(bundle.ID, store.Assembled{}), tx.SetRetention(p.project, retention.Setting{Days: new(int64(7))}), tx.QueueNotification(channel.ID, notify.Message{Kind: notify.KindStorm}), tx.CountReleaseHours(deltas), tx.HideEnvironment(p.project, "staging", true),
			tx.SetProjectMember(p.project, user.ID, access.Admin), tx.SetOrigins(p.project, "example.com"), tx.SetFingerprintRules(p.project, "type:A -> a"))
	})
}

// removeAll does what is due until nothing is, looking after each step.
func (p *person) removeAll() (steps int) {
	p.t.Helper()
	for ; steps < 1000; steps++ {
		worked := false
		mustWrite(p.t, p.db, func(tx *store.Tx) error {
			a, err := tx.RemoveProjects()
			if err != nil {
				return err
			}
			b, err := tx.RemoveDeleted()
			worked = a || b
			return err
		})
		storetest.MustCheck(p.t, p.replica)
		if !worked || p.t.Failed() {
			return steps
		}
	}
	p.t.Fatal("removing does not end")
	return steps
}

// wantEmpty fails unless the project's row is all that is left, and another project
// is as it was.
func (p *person) wantEmpty(other event.ProjectID) {
	p.t.Helper()
	storetest.MustRead(p.t, p.replica, func(rx *store.Rx) error {
		chores, err := rx.Chores(p.now)
		if chores != (store.Chores{}) || err != nil {
			p.t.Errorf("there is still something to do: %+v, %v", chores, err)
		}
		kept, err := rx.Retention(p.project)
		requests, err2 := rx.Erasures(p.project)
		if kept.Setting.Days != nil || len(requests) > 0 || errors.Join(err, err2) != nil {
			p.t.Errorf("what is to be kept: %+v, requests: %v, %v", kept, requests, errors.Join(err, err2))
		}
		keys, err := rx.Keys()
		if len(keys) != 1 || keys[0].Project != other {
			p.t.Errorf("keys left: %+v, %v", keys, err)
		}
		releases, _, err := rx.Releases(store.ReleaseQuery{Project: p.project})
		if len(releases) != 0 {
			p.t.Errorf("releases left: %+v, %v", releases, err)
		}
		if deploys, err := rx.Deploys(p.project, "", 10); len(deploys) != 0 {
			p.t.Errorf("deploys left: %+v, %v", deploys, err)
		}
		if left, _, err := rx.ProjectFeedback(p.project, 0, 10); len(left) != 0 {
			p.t.Errorf("feedback left: %+v, %v", left, err)
		}
		if bundles, _, err := rx.Bundles(p.project, false, 0, 10); len(bundles) != 0 {
			p.t.Errorf("uploads left: %+v, %v", bundles, err)
		}
		if channels, err := rx.Channels(p.project); len(channels) != 0 {
			p.t.Errorf("channels left: %+v, %v", channels, err)
		}
		if rules, err := rx.ProjectRules(p.project); rules != (store.ProjectRules{}) {
			p.t.Errorf("rules left: %+v, %v", rules, err)
		}
		environments, err := rx.Environments(p.project)
		if len(environments) != 1 || environments[0].Name != "" {
			p.t.Errorf("environments left: %+v, %v", environments, err)
		}
		if _, err := rx.ProjectBySlug("shop"); !errors.Is(err, store.ErrNotFound) {
			p.t.Errorf("the former slug: %v", err)
		}
		if kept, err := rx.Project(other); kept.Events != 1 {
			p.t.Errorf("the other project: %+v, %v", kept, err)
		}
		return nil
	})
}
