package store_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// What tools do with a token of theirs, for addresses of whatever length.
func TestOrgToken(t *testing.T) {
	now := time.UnixMilli(1790000000500)
	for _, url := range []string{"https://a.example", "https://ab.example", "https://abc.example/sundew/"} {
		parts := strings.Split(store.NewOrgToken(url, now), "_")
		if len(parts) != 3 || parts[0] != "sntrys" {
			t.Fatalf("parts %q", parts)
		}
		claims, err := base64.RawStdEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			IAT       float64 `json:"iat"`
			URL       string  `json:"url"`
			RegionURL string  `json:"region_url"`
			Org       string  `json:"org"`
		}
		if err := json.Unmarshal(claims, &got); err != nil {
			t.Fatal(err)
		}
		want := strings.TrimRight(url, "/")
		if got.IAT != 1790000000.5 || got.URL != want || got.RegionURL != want || got.Org != "sundew" {
			t.Errorf("claims %+v", got)
		}
		if secret, err := base64.RawStdEncoding.DecodeString(parts[2]); len(secret) != 32 || err != nil {
			t.Errorf("secret of %d bytes, %v", len(secret), err)
		}
	}
	p := newPerson(t, 1)
	plain := store.NewOrgToken("https://errors.example.com", now)
	mustWrite(t, p.db, func(tx *store.Tx) error {
		user, err := tx.CreateUser("ada@example.com", "Ada", "", access.None)
		if err != nil {
			return err
		}
		_, err = tx.CreateToken(store.Token{Name: "Build", Project: p.project, Scopes: access.Releases, CreatedBy: user.ID}, plain)
		return err
	})
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		who, token, err := rx.PersonOfToken(plain, p.now)
		if err != nil || token.Project != p.project || who.Scopes != access.Releases {
			t.Errorf("%+v, %+v, %v", who, token, err)
		}
		if _, _, err := rx.PersonOfToken(store.NewOrgToken("https://errors.example.com", now), p.now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another token of the same address: %v", err)
		}
		return nil
	})
}
