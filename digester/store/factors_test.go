package store_test

import (
	"errors"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// withUser opens a database with one user.
func withUser(t *testing.T, clock func() time.Time) (*store.DB, store.User) {
	t.Helper()
	db, _ := storetest.Open(t, clock)
	var user store.User
	mustTx(t, db, func(tx *store.Tx) (err error) {
		user, err = tx.CreateUser("ada@example.com", "Ada", "", access.Member)
		return err
	})
	return db, user
}

func mustTx(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), "test", fn); err != nil {
		t.Fatal(err)
	}
}

func TestSecondFactors(t *testing.T) {
	db, ada := withUser(t, nil)
	has := func(want store.SecondFactors) {
		t.Helper()
		mustTx(t, db, func(tx *store.Tx) error {
			if got, err := tx.SecondFactors(ada.ID); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
			return nil
		})
	}
	mustTx(t, db, func(tx *store.Tx) error {
		return errors.Join(tx.StartAuthenticator(ada.ID, "A"), tx.StartAuthenticator(ada.ID, "B"))
	})
	has(store.SecondFactors{}) // shown, not confirmed
	mustTx(t, db, func(tx *store.Tx) error {
		if app, err := tx.Authenticator(ada.ID); err != nil || app.Secret != "B" || !app.ConfirmedAt.IsZero() {
			t.Errorf("%+v, %v", app, err)
		}
		return errors.Join(tx.TakeCode(ada.ID, 7), tx.SetRecoveryCodes(ada.ID, []string{"x", "y"}))
	})
	has(store.SecondFactors{Authenticator: true, RecoveryCodes: 2})
	mustTx(t, db, func(tx *store.Tx) error {
		if err := tx.StartAuthenticator(ada.ID, "C"); !errors.Is(err, store.ErrTaken) {
			t.Errorf("another over a confirmed one: %v", err)
		}
		if app, err := tx.Authenticator(ada.ID); err != nil || app.Secret != "B" || app.LastStep != 7 {
			t.Errorf("%+v, %v", app, err)
		}
		if err := tx.UseRecoveryCode(ada.ID, "x"); err != nil {
			t.Error(err)
		}
		for _, code := range []string{"x", "z"} {
			if err := tx.UseRecoveryCode(ada.ID, code); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("code %s: %v", code, err)
			}
		}
		return nil
	})
	mustTx(t, db, func(tx *store.Tx) error { return tx.AddPasskey(ada.ID, []byte{1}, "{}", "Laptop") })
	mustTx(t, db, func(tx *store.Tx) error { return tx.RemoveAuthenticator(ada.ID) })
	has(store.SecondFactors{Passkeys: 1, RecoveryCodes: 1})
	mustTx(t, db, func(tx *store.Tx) error {
		keys, err := tx.Passkeys(ada.ID)
		if err != nil || len(keys) != 1 {
			t.Fatalf("%+v, %v", keys, err)
		}
		if _, err := tx.RemovePasskey(ada.ID+1, keys[0].ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("somebody else's: %v", err)
		}
		_, err = tx.RemovePasskey(ada.ID, keys[0].ID)
		return err
	})
	has(store.SecondFactors{}) // codes recover nothing now
}

func TestPasskeys(t *testing.T) {
	db, ada := withUser(t, nil)
	mustTx(t, db, func(tx *store.Tx) error {
		bob, err := tx.CreateUser("bob@example.com", "Bob", "", access.Member)
		if err != nil {
			return err
		}
		if err := tx.AddPasskey(ada.ID, []byte{1}, "{}", ""); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("without a name: %v", err)
		}
		if err := tx.AddPasskey(ada.ID, []byte{1}, "{}", "Laptop"); err != nil {
			return err
		}
		if err := tx.AddPasskey(bob.ID, []byte{1}, "{}", "Laptop"); !errors.Is(err, store.ErrTaken) {
			t.Errorf("somebody else's: %v", err)
		}
		if err := tx.UsePasskey(bob.ID, []byte{1}, "{}"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("used by somebody else: %v", err)
		}
		if err := tx.UsePasskey(ada.ID, []byte{1}, `{"n":1}`); err != nil {
			return err
		}
		keys, err := tx.Passkeys(ada.ID)
		if len(keys) != 1 || keys[0].Credential != `{"n":1}` || keys[0].UsedAt.IsZero() {
			t.Errorf("%+v", keys)
		}
		return err
	})
}

func TestTokensOfTheStore(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	db, ada := withUser(t, func() time.Time { return now })
	project := storetest.MustCreateProject(t, db, "Web shop", "0123456789abcdef0123456789abcdef")
	const plain = "sdw_plain"
	mustTx(t, db, func(tx *store.Tx) error {
		for name, bad := range map[string]store.Token{
			"no name":         {UserID: ada.ID, Scopes: access.ReadEvents, CreatedBy: ada.ID},
			"no scope":        {UserID: ada.ID, Name: "x", CreatedBy: ada.ID},
			"already expired": {UserID: ada.ID, Name: "x", Scopes: access.ReadEvents, CreatedBy: ada.ID, ExpiresAt: now},
		} {
			if _, err := tx.CreateToken(bad, plain); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		made, err := tx.CreateToken(store.Token{UserID: ada.ID, Name: "CI", Scopes: access.ReadEvents | access.Releases, CreatedBy: ada.ID, ExpiresAt: now.Add(time.Hour)}, plain)
		if err != nil {
			return err
		}
		if made.Hint != "lain" || made.Creator != "Ada" || made.Scopes != access.ReadEvents|access.Releases {
			t.Errorf("%+v", made)
		}
		p, token, err := tx.PersonOfToken(plain, now)
		if err != nil || p.ID != ada.ID || p.Token != made.ID || p.Scopes != made.Scopes || p.Role != access.Member || token.Name != "CI" {
			t.Errorf("%+v, %v", p, err)
		}
		if _, _, err := tx.PersonOfToken(plain, now.Add(time.Hour)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("expired: %v", err)
		}
		if _, err := tx.RevokeToken(0, project.ID, made.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoked by a project: %v", err)
		}
		if _, err := tx.RevokeToken(ada.ID, 0, made.ID); err != nil {
			return err
		}
		if _, _, err := tx.PersonOfToken(plain, now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoked: %v", err)
		}
		if left, err := tx.UserTokens(ada.ID); err != nil || len(left) != 0 {
			t.Errorf("left: %+v, %v", left, err)
		}
		if _, err := tx.CreateToken(store.Token{Project: project.ID, Name: "CI", Scopes: access.Releases, CreatedBy: ada.ID}, plain+"2"); err != nil {
			return err
		}
		p, _, err = tx.PersonOfToken(plain+"2", now)
		if err != nil || p.ID != 0 || p.IsZero() || p.In(project.ID) != access.Admin || p.In(project.ID+1) != access.None || p.SeesAll() {
			t.Errorf("a project's: %+v, %v", p, err)
		}
		return nil
	})
}
