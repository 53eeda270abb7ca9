package dashboard

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
)

const goodPassword = "correct horse battery"

// follow keeps the session that an answer gives or takes.
func (s *site) follow(resp *http.Response) *http.Response {
	for _, c := range resp.Cookies() {
		if c.Name == sessionCookie {
			if s.session = c.Value; c.MaxAge < 0 {
				s.session = ""
			}
		}
	}
	return resp
}

// withPassword gives a user a password.
func (s *site) withPassword(user store.User, plain string) {
	s.t.Helper()
	hash, err := s.dash.cfg.Passwords.Hash(s.t.Context(), plain)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mustWrite(func(tx *store.Tx) error { return tx.SetPassword(user.ID, hash, 0) })
}

// TestSignIn goes in, somewhere, and out.
func TestSignIn(t *testing.T) {
	s := newSite(t, nil)
	s.withPassword(s.signInAs("ada@example.com", access.Admin), goodPassword)
	s.signOut()

	asked := s.get("/projects/1/issues?state=all")
	mustStatus(t, asked, http.StatusUnauthorized)
	page := bodyOf(t, asked)
	next := "/sign-in?next=%2Fprojects%2F1%2Fissues%3Fstate%3Dall"
	mustContain(t, page, `http-equiv="refresh" content="0; url=`+next+`"`, `href="`+next+`"`)
	mustLack(t, page, "Web shop", "Sign out")

	form := url.Values{"email": {" Ada@Example.com"}, "password": {"wrong horse battery"}, "next": {"/projects/1/issues?state=all"}}
	wrong := s.post("/sign-in", form.Encode())
	mustStatus(t, wrong, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, wrong), "No account has this mail address and password.", `value=" Ada@Example.com"`, `value="/projects/1/issues?state=all"`)
	unknown := s.post("/sign-in", strings.Replace(form.Encode(), "Ada", "Bob", 1))
	mustContain(t, bodyOf(t, unknown), "No account has this mail address and password.")

	form.Set("password", goodPassword)
	right := s.follow(s.post("/sign-in", form.Encode()))
	mustStatus(t, right, http.StatusSeeOther)
	if to := right.Header.Get("Location"); to != "/projects/1/issues?state=all" {
		t.Errorf("led to %q", to)
	}
	for _, c := range right.Cookies() {
		if c.Name == sessionCookie && (!c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge < 86400) {
			t.Errorf("cookie %+v", c)
		}
	}
	mustContain(t, s.mustGet("/projects/1/issues"), "Web shop", "ada@example.com", "Sign out")
	old := s.session
	s.follow(s.post("/sign-out", ""))
	if s.session != "" {
		t.Error("the cookie is kept")
	}
	s.session = old
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
}

// Where a page of ours is asked for from elsewhere, it leads nowhere but to us.
func TestNextAfterSignIn(t *testing.T) {
	s := newSite(t, nil)
	for next, want := range map[string]string{
		"/projects/1/issues?state=all": "/projects/1/issues?state=all", "": "/", "issues": "/",
		"https://elsewhere.example/": "/", "//elsewhere.example/": "/", `/\elsewhere.example`: "/", "javascript:alert(1)": "/",
	} {
		resp := s.get("/sign-in?" + url.Values{"next": {next}}.Encode())
		if to := resp.Header.Get("Location"); to != want {
			t.Errorf("%q leads to %q, want %q", next, to, want)
		}
	}
}

// A program that guesses is stopped, also with the right password.
func TestAttempts(t *testing.T) {
	s := newSite(t, nil)
	s.withPassword(s.signInAs("ada@example.com", access.Admin), goodPassword)
	s.signOut()
	form := func(email, password string) string {
		return url.Values{"email": {email}, "password": {password}}.Encode()
	}
	for range attemptsOfAccount {
		mustStatus(t, s.post("/sign-in", form("ada@example.com", "no")), http.StatusUnprocessableEntity)
	}
	mustStatus(t, s.post("/sign-in", form("ADA@example.com", goodPassword)), http.StatusTooManyRequests)
	mustStatus(t, s.post("/sign-in", form("bob@example.com", "no")), http.StatusUnprocessableEntity)
}

// TestFirstOwner opens the link that the program prints.
func TestFirstOwner(t *testing.T) {
	s := newSite(t, nil)
	var secret string
	s.mustWrite(func(tx *store.Tx) (err error) {
		secret, err = tx.CreateLink(store.Link{Kind: store.LinkSetup})
		return err
	})
	s.signOut()
	path := "/setup/" + secret
	mustContain(t, s.mustGet(path), "Welcome to Sundew")
	mustStatus(t, s.get(path[:len(path)-1]), http.StatusNotFound)

	form := url.Values{"name": {"Ada <b>"}, "email": {"ada@example.com"}, "password": {"short"}}
	again := s.post(path, form.Encode())
	mustStatus(t, again, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, again), "at least 10 characters", "Ada &lt;b&gt;")

	form.Set("password", goodPassword)
	mustStatus(t, s.follow(s.post(path, form.Encode())), http.StatusSeeOther)
	mustContain(t, s.mustGet("/"), "Web shop", "Ada &lt;b&gt;")
	mustStatus(t, s.post(path, form.Encode()), http.StatusNotFound)
}

// A half signed-in session opens nothing, nor does one that has expired or whose
// user is switched off.
func TestSessionsThatOpenNothing(t *testing.T) {
	s := newSite(t, nil)
	user := s.signInAs("ada@example.com", access.Owner)
	mustStatus(t, s.get("/"), http.StatusOK)
	s.mustWrite(func(tx *store.Tx) (err error) {
		s.session, err = tx.CreateSession(user.ID, store.FactorPassword, "", "")
		return err
	})
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: ""})
	s.signOut()
	mustStatus(t, s.do(r), http.StatusUnauthorized)
}
