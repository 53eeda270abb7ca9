package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// mustWrite runs a write transaction that has to succeed.
func mustWrite(t *testing.T, db *store.DB, change func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), "test", change); err != nil {
		t.Fatal(err)
	}
}

// A project's former slugs lead to it and are nobody else's, and it may go back.
func TestChangeProject(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	shop := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Other", "")
	change := func(p store.Project, slug string) error {
		return db.Write(t.Context(), "test", func(tx *store.Tx) error {
			_, err := tx.ChangeProject(p.ID, store.ProjectChange{Name: "Web shop", Slug: slug, Platform: "python"})
			return err
		})
	}
	leads := func(slug string, want store.Project) {
		t.Helper()
		storetest.MustRead(t, replica, func(rx *store.Rx) error {
			got, err := rx.ProjectBySlug(slug)
			if err != nil || got.ID != want.ID {
				t.Errorf("%s leads to project %d, %v; want %d", slug, got.ID, err, want.ID)
			}
			return nil
		})
	}
	if err := change(shop, "web"); err != nil {
		t.Fatal(err)
	}
	if err := change(shop, "web-2"); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"shop", "web", "WEB-2"} {
		leads(slug, shop)
	}
	for slug, want := range map[string]error{
		"shop": store.ErrTaken, "web-2": store.ErrTaken, "": store.ErrInvalid, "a b": store.ErrInvalid, "a--b": store.ErrInvalid,
		strings.Repeat("a", 41): store.ErrInvalid, "ä": store.ErrInvalid,
	} {
		if err := change(other, slug); !errors.Is(err, want) {
			t.Errorf("slug %q: %v, want %v", slug, err, want)
		}
	}
	if again := storetest.MustCreateProject(t, db, "Shop", ""); again.Slug == "shop" {
		t.Errorf("a new project got a former slug")
	}
	if err := change(shop, "shop"); err != nil {
		t.Fatalf("back to its own former slug: %v", err)
	}
	leads("shop", shop)
	leads("web", shop)
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		if p, err := rx.Project(shop.ID); err != nil || p.Name != "Web shop" || p.Platform != "python" {
			t.Errorf("%+v, %v", p, err)
		}
		return nil
	})
}

func TestKeysOfProject(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	shop := storetest.MustCreateProject(t, db, "Shop", "")
	other := storetest.MustCreateProject(t, db, "Other", "")
	var added store.ProjectKey
	mustWrite(t, db, func(tx *store.Tx) (err error) {
		added, err = tx.AddKey(shop.ID, " after the leak ")
		return err
	})
	if added.Name != "after the leak" || len(added.Public) != 32 || !added.Enabled || added.CreatedAt.IsZero() {
		t.Errorf("added %+v", added)
	}
	err := db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.DeleteKey(shop.ID, added.ID) })
	if !errors.Is(err, store.ErrKeyInUse) {
		t.Errorf("deleting an enabled key: %v", err)
	}
	for _, foreign := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error { return tx.SetKeyEnabled(other.ID, added.ID, false) },
		func(tx *store.Tx) error { return tx.DeleteKey(other.ID, added.ID) },
	} {
		if err := db.Write(t.Context(), "test", foreign); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a key through another project: %v", err)
		}
	}
	mustWrite(t, db, func(tx *store.Tx) error { return tx.SetKeyEnabled(shop.ID, added.ID, false) })
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		if p, err := rx.Project(shop.ID); err != nil || !cmp.Equal(p.Keys, shop.Keys) {
			t.Errorf("enabled keys: %v, %v", p.Keys, err)
		}
		return nil
	})
	mustWrite(t, db, func(tx *store.Tx) error { return tx.DeleteKey(shop.ID, added.ID) })
	storetest.MustRead(t, replica, func(rx *store.Rx) error {
		if keys, err := rx.ProjectKeys(shop.ID); err != nil || len(keys) != 1 {
			t.Errorf("keys left: %+v, %v", keys, err)
		}
		return nil
	})
	for _, name := range []string{strings.Repeat("x", 81), "a\nb"} {
		if err := db.Write(t.Context(), "test", func(tx *store.Tx) error { _, err := tx.AddKey(shop.ID, name); return err }); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// Members are those of the project and of its team, each once.
func TestProjectMembers(t *testing.T) {
	db, replica := storetest.Open(t, nil)
	shop := storetest.MustCreateProject(t, db, "Shop", "")
	var ada, bob store.User
	mustWrite(t, db, func(tx *store.Tx) (err error) {
		if ada, err = tx.CreateUser("ada@example.com", "Ada", "", access.None); err != nil {
			return err
		}
		if bob, err = tx.CreateUser("bob@example.com", "Bob", "", access.None); err != nil {
			return err
		}
		team, err := tx.CreateTeam("Web")
		if err != nil {
			return err
		}
		return errors.Join(tx.SetProjectTeam(shop.ID, team.ID), tx.SetTeamMember(team.ID, ada.ID, access.Viewer),
			tx.SetProjectMember(shop.ID, ada.ID, access.Admin), tx.SetProjectMember(shop.ID, bob.ID, access.Member))
	})
	members := func() (all []store.ProjectMember) {
		storetest.MustRead(t, replica, func(rx *store.Rx) (err error) {
			all, err = rx.ProjectMembers(shop.ID)
			return err
		})
		return all
	}
	want := []store.ProjectMember{
		{UserID: ada.ID, Name: "Ada", Email: "ada@example.com", Role: access.Admin, Team: access.Viewer},
		{UserID: bob.ID, Name: "Bob", Email: "bob@example.com", Role: access.Member},
	}
	if diff := cmp.Diff(want, members()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	mustWrite(t, db, func(tx *store.Tx) error {
		return errors.Join(tx.SetProjectMember(shop.ID, ada.ID, access.None), tx.SetProjectMember(shop.ID, bob.ID, access.None))
	})
	want = []store.ProjectMember{{UserID: ada.ID, Name: "Ada", Email: "ada@example.com", Team: access.Viewer}}
	if diff := cmp.Diff(want, members()); diff != "" {
		t.Errorf("members left (-want +got):\n%s", diff)
	}
}
