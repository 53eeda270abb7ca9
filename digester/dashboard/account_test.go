package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
)

// TestAccount changes name, mail address and password.
func TestAccount(t *testing.T) {
	called := 0
	s := newSite(t, func(cfg *Config) { cfg.Mail = func() { called++ } })
	ada := s.signInAs("ada@example.com", access.None)
	s.withPassword(ada, goodPassword)
	s.mustWrite(func(tx *store.Tx) (err error) {
		s.session, err = tx.CreateSession(ada.ID, store.FactorAll, "192.0.2.1", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		return err
	})
	led(t, s.post("/account/name", "name=Ada+%3Cb%3E"), "/account?done=saved")
	mustContain(t, s.mustGet("/account?done=saved"), "Saved.", `value="Ada &lt;b&gt;"`)

	email := func(address, password string, want int, words string) {
		t.Helper()
		resp := s.post("/account/email", url.Values{"email": {address}, "password": {password}}.Encode())
		mustStatus(t, resp, want)
		mustContain(t, bodyOf(t, resp), words)
	}
	email("new@example.com", "wrong", http.StatusUnprocessableEntity, "This is not your password.")
	email("nonsense", goodPassword, http.StatusUnprocessableEntity, "Invalid mail address")
	email("owner@example.com", goodPassword, http.StatusUnprocessableEntity, "taken already")
	email("New@example.com", goodPassword, http.StatusSeeOther, "")
	mails := s.mails()
	if len(mails) != 1 || mails[0].To != "ada@example.com" || !strings.Contains(mails[0].Text, "new@example.com") || called != 1 {
		t.Errorf("mail %+v, %d calls", mails, called)
	}

	var other string
	s.mustWrite(func(tx *store.Tx) (err error) {
		other, err = tx.CreateSession(ada.ID, store.FactorAll, "192.0.2.9", "curl/8")
		return err
	})
	const next = "another good password"
	form := url.Values{"password": {goodPassword}, "new-password": {"short"}}
	mustContain(t, bodyOf(t, s.post("/account/password", form.Encode())), "at least 10 characters")
	form.Set("new-password", next)
	led(t, s.post("/account/password", form.Encode()), "/account?done=password")
	mustStatus(t, s.get("/account"), http.StatusOK)
	mustStatus(t, s.getAs(other, "/account"), http.StatusUnauthorized)
	s.signOut()
	mustStatus(t, s.post("/sign-in", url.Values{"email": {"new@example.com"}, "password": {next}}.Encode()), http.StatusSeeOther)
}

// getAs asks with another session.
func (s *site) getAs(session, path string) *http.Response {
	s.t.Helper()
	mine := s.session
	defer func() { s.session = mine }()
	s.session = session
	return s.get(path)
}

// TestSessions signs out elsewhere, and nobody else's browsers.
func TestSessions(t *testing.T) {
	s := newSite(t, nil)
	ada := s.signInAs("ada@example.com", access.None)
	agents := []string{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "<script>alert(1)</script>", ""}
	var others []string
	s.mustWrite(func(tx *store.Tx) error {
		for _, agent := range agents {
			secret, err := tx.CreateSession(ada.ID, store.FactorAll, "192.0.2.9", agent)
			if err != nil {
				return err
			}
			others = append(others, secret)
		}
		_, err := tx.CreateSession(ada.ID, store.FactorPassword, "192.0.2.66", "half")
		return err
	})
	page := s.mustGet("/account/sessions")
	mustContain(t, page, "Firefox on Linux", "Unknown browser", "this one", "192.0.2.9")
	mustLack(t, page, "192.0.2.66", "<script>alert")
	mustStatus(t, s.post("/account/sessions/1/end", ""), http.StatusSeeOther) // the owner's
	mine := s.session
	s.session = others[0]
	mustStatus(t, s.get("/"), http.StatusOK)
	s.session = mine
	s.mustWrite(func(tx *store.Tx) error {
		if _, err := tx.Session(others[0], testNow); err != nil {
			t.Error(err)
		}
		return nil
	})
	led(t, s.post("/account/sessions/3/end", ""), "/account/sessions?done=ended")
	mustStatus(t, s.getAs(others[0], "/"), http.StatusUnauthorized)
	mustStatus(t, s.getAs(others[1], "/"), http.StatusOK)
	led(t, s.post("/account/sessions/end-others", ""), "/account/sessions?done=ended")
	mustStatus(t, s.getAs(others[1], "/"), http.StatusUnauthorized)
	mustStatus(t, s.get("/"), http.StatusOK)
}

// Somebody else's session is not theirs to end.
func TestForeignSession(t *testing.T) {
	s := newSite(t, nil)
	owner := s.session
	s.signInAs("ada@example.com", access.Admin)
	mustStatus(t, s.post("/account/sessions/1/end", ""), http.StatusSeeOther)
	mustStatus(t, s.getAs(owner, "/"), http.StatusOK)
}

// TestForgot: who asks learns nothing, the owner of the account gets a mail, and the
// link in it sets a password, once.
func TestForgot(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.Mail = func() {} })
	ada := s.signInAs("ada@example.com", access.None)
	mine := s.session
	s.signOut()
	mustContain(t, s.mustGet("/sign-in"), `href="/forgot"`)
	known := bodyOf(t, s.post("/forgot", "email=Ada@example.com"))
	unknown := bodyOf(t, s.post("/forgot", "email=Bob@example.com"))
	if known != strings.ReplaceAll(unknown, "Bob", "Ada") {
		t.Error("the answers differ")
	}
	s.errands()
	mails := s.mails()
	if len(mails) != 1 || mails[0].To != "ada@example.com" || mails[0].LinkKind != store.LinkPassword {
		t.Fatalf("mail %+v", mails)
	}
	path := "/password/" + mails[0].Secret
	mustContain(t, s.mustGet(path), "For ada@example.com.")
	mustContain(t, bodyOf(t, s.post(path, "password=short")), "at least 10 characters")
	form := url.Values{"password": {goodPassword}}.Encode()
	led(t, s.post(path, form), "/sign-in?done=reset")
	mustStatus(t, s.getAs(mine, "/"), http.StatusUnauthorized)
	mustStatus(t, s.post(path, form), http.StatusNotFound)
	mustContain(t, s.mustGet("/sign-in?done=reset"), "Sign in with the new one")
	mustStatus(t, s.post("/sign-in", url.Values{"email": {"ada@example.com"}, "password": {goodPassword}}.Encode()), http.StatusSeeOther)

	for range attemptsOfAccount - 1 {
		mustStatus(t, s.post("/forgot", "email=ada@example.com"), http.StatusOK)
	}
	mustStatus(t, s.post("/forgot", "email=ada@example.com"), http.StatusTooManyRequests)
	s.errands()
	// A newer link replaces the former, and so do a new password and being kept out.
	mails = s.mails()
	if len(mails) != 2 || mails[0].LinkKind != "" || !strings.Contains(mails[0].Text, "was set anew") {
		t.Fatalf("mail %+v", mails)
	}
	last := "/password/" + mails[1].Secret
	mustStatus(t, s.get(last), http.StatusOK)
	s.mustWrite(func(tx *store.Tx) error { return tx.DisableUser(ada.ID) })
	mustStatus(t, s.get(last), http.StatusNotFound)
	s.post("/forgot", "email=owner@example.com")
}

// Without a mail server the page says who can help.
func TestForgotWithoutMail(t *testing.T) {
	s := newSite(t, nil)
	s.signOut()
	mustContain(t, s.mustGet("/forgot"), "sends no mail", "digester user reset")
	mustStatus(t, s.post("/forgot", "email=owner@example.com"), http.StatusOK)
	if len(s.dash.errands) != 0 {
		t.Error("something is to be done")
	}
}

// TestPasswordLink is what an admin hands to somebody.
func TestPasswordLink(t *testing.T) {
	s := newSite(t, nil)
	mine := s.session
	bob := s.signInAs("bob@example.com", access.None)
	s.session = mine
	path := s.link(s.post(fmt.Sprintf("/users/%d/password", bob.ID), "by=link"), "password")
	s.signOut()
	led(t, s.post(path, url.Values{"password": {goodPassword}}.Encode()), "/sign-in?done=reset")
	mustStatus(t, s.get(path), http.StatusNotFound)
}

// A wrong password for an account is noted, after the answer; for none it is not.
func TestRefusedSignIn(t *testing.T) {
	s := newSite(t, nil)
	s.signOut()
	s.post("/sign-in", "email=owner@example.com&password=wrong")
	s.post("/sign-in", "email=nobody@example.com&password=wrong")
	if n := len(s.dash.errands); n != 1 {
		t.Errorf("%d errands", n)
	}
	s.errands()
	s.signInAs("admin@example.com", access.Admin)
	mustContain(t, textOf(s.mustGet("/audit")), "Wrong password for owner@example.com")
	mustLack(t, s.mustGet("/audit"), "nobody@example.com")
}

// TestOutbox shows what became of mail, and tries again what was given up.
func TestOutbox(t *testing.T) {
	called := 0
	s := newSite(t, func(cfg *Config) { cfg.Mail = func() { called++ } })
	mustContain(t, s.mustGet("/mail"), "No mail yet", "SUNDEW_SMTP")
	led(t, s.post("/users/invite", "rank=none&team=0&by=mail&email=bob@example.com"), "/users?done=invited")
	mustStatus(t, s.post("/users/invite", "rank=none&team=0&by=mail&email="), http.StatusUnprocessableEntity)
	mails := s.mails()
	s.mustWrite(func(tx *store.Tx) error { return tx.MailDone(mails[0].ID, fmt.Errorf("550 <b>never"), true) })
	page := s.mustGet("/mail")
	mustContain(t, page, "given up", "550 &lt;b&gt;never", "bob@example.com", "owner@example.com invites you to Sundew")
	mustStatus(t, s.post("/mail/9/retry", ""), http.StatusNotFound)
	led(t, s.post("/mail/1/retry", ""), "/mail?done=retry")
	mustContain(t, s.mustGet("/mail"), "waiting")
	if again := s.mails(); called != 2 || len(again) != 1 || again[0].Secret == mails[0].Secret {
		t.Errorf("%d calls, mail %+v", called, again)
	}
	r := httptest.NewRequest(http.MethodGet, "/invitations/"+mails[0].Secret, nil)
	mustStatus(t, s.do(r), http.StatusNotFound) // of the first attempt
}
