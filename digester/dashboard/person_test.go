package dashboard

import (
	"net/http"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
)

// signInAs makes a user with a role in the installation and has all further requests
// of the site be theirs. The password is never asked for.
func (s *site) signInAs(email string, role access.Role) store.User {
	s.t.Helper()
	var user store.User
	s.mustWrite(func(tx *store.Tx) (err error) {
		if user, err = tx.CreateUser(email, email, "", role); err != nil {
			return err
		}
		s.session, err = tx.CreateSession(user.ID, store.FactorAll, "192.0.2.1", "test")
		return err
	})
	return user
}

// signOut has all further requests be nobody's.
func (s *site) signOut() { s.session = "" }

func (s *site) mustWrite(fn func(tx *store.Tx) error) {
	s.t.Helper()
	if err := s.db.Write(s.t.Context(), "test", fn); err != nil {
		s.t.Fatal(err)
	}
}

// withSession adds the cookie of who is signed in.
func (s *site) withSession(r *http.Request) *http.Request {
	if s.session != "" {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: s.session})
	}
	return r
}

func mustStatus(t testing.TB, resp *http.Response, want int) {
	t.Helper()
	if resp.StatusCode != want {
		t.Errorf("status %d, want %d", resp.StatusCode, want)
	}
}
