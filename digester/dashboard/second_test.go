package dashboard

import (
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"sundew/digester/access"
	"sundew/digester/onetime"
	"sundew/digester/store"
)

// enrol gives who is signed in an authenticator and returns its secret and the
// recovery codes.
func (s *site) enrol() (secret string, codes []string) {
	s.t.Helper()
	mustStatus(s.t, s.post("/account/security/authenticator", ""), http.StatusSeeOther)
	page := s.mustGet("/account/security/authenticator")
	secret = strings.ReplaceAll(regexp.MustCompile(`id="totp-secret" class="select">([A-Z2-7 ]+)<`).FindStringSubmatch(page)[1], " ", "")
	done := s.post("/account/security/authenticator/confirm", "code="+codeAt(s.t, secret, testNow))
	mustStatus(s.t, done, http.StatusOK)
	for _, m := range regexp.MustCompile(`<li><code>([a-z2-7-]{19})</code>`).FindAllStringSubmatch(bodyOf(s.t, done), -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != onetime.RecoveryCodes {
		s.t.Fatalf("%d recovery codes", len(codes))
	}
	return secret, codes
}

func codeAt(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// password signs in by the password and returns where it led.
func (s *site) password(email string) string {
	s.t.Helper()
	s.signOut()
	resp := s.follow(s.post("/sign-in", url.Values{"email": {email}, "password": {goodPassword}, "next": {"/projects/1/issues"}}.Encode()))
	mustStatus(s.t, resp, http.StatusSeeOther)
	return resp.Header.Get("Location")
}

// TestSecondFactor sets up an app, and signs in with it and with a recovery code.
func TestSecondFactor(t *testing.T) {
	s := newSite(t, nil)
	ada := s.signInAs("ada@example.com", access.Member)
	s.withPassword(ada, goodPassword)
	if to := s.password("ada@example.com"); to != "/projects/1/issues" {
		t.Fatalf("without a second factor led to %q", to)
	}
	mustStatus(t, s.post("/account/security/authenticator", ""), http.StatusSeeOther)
	picture := s.get("/account/security/authenticator/code.png")
	if config, err := png.DecodeConfig(picture.Body); err != nil || config.Width < 200 {
		t.Errorf("QR code %+v, %v", config, err)
	}
	wrong := s.post("/account/security/authenticator/confirm", "code=12345")
	mustStatus(t, wrong, http.StatusUnprocessableEntity)
	mustContain(t, s.mustGet("/account/security"), "Your password alone")
	secret, codes := s.enrol()
	mustStatus(t, s.get("/account/security/authenticator/code.png"), http.StatusNotFound) // never shown again
	mustContain(t, s.mustGet("/account/security"), "a second factor is asked for", "10 codes left")

	if to := s.password("ada@example.com"); to != "/sign-in/second?next=%2Fprojects%2F1%2Fissues" {
		t.Fatalf("the password led to %q", to)
	}
	half := s.session
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
	mustStatus(t, s.post("/account/security/authenticator/remove", ""), http.StatusUnauthorized)
	mustContain(t, s.mustGet("/sign-in/second?next=/projects/1/issues"), "Code of your authenticator app", `value="/projects/1/issues"`)
	second := func(code string) *http.Response {
		return s.follow(s.post("/sign-in/second", url.Values{"code": {code}, "next": {"/projects/1/issues"}}.Encode()))
	}
	used := second(codeAt(t, secret, testNow)) // by which the app was confirmed
	mustStatus(t, used, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, used), "not right, or was used already")
	right := second(codeAt(t, secret, testNow.Add(30*time.Second)))
	mustStatus(t, right, http.StatusSeeOther)
	if s.session == half {
		t.Error("the session kept its secret")
	}
	mustStatus(t, s.get("/account/security"), http.StatusOK)
	s.session = half
	mustStatus(t, s.get("/account/security"), http.StatusUnauthorized)

	s.password("ada@example.com")
	mustStatus(t, second(strings.ToUpper(codes[3])), http.StatusSeeOther)
	mustContain(t, s.mustGet("/account/security"), "9 codes left")
	s.password("ada@example.com")
	mustStatus(t, second(codes[3]), http.StatusUnprocessableEntity)
}

// Whoever knows the password cannot try all codes.
func TestSecondFactorIsThrottled(t *testing.T) {
	s := newSite(t, nil)
	s.withPassword(s.signInAs("ada@example.com", access.Member), goodPassword)
	s.password("ada@example.com")
	_, codes := s.enrol()
	s.password("ada@example.com")
	for range attemptsOfSecond {
		mustStatus(t, s.post("/sign-in/second", "code=000000"), http.StatusUnprocessableEntity)
	}
	late := s.post("/sign-in/second", "code="+codes[0])
	mustStatus(t, late, http.StatusTooManyRequests)
	mustContain(t, bodyOf(t, late), "Too many attempts", `name="code"`)
	s.signOut()
	mustStatus(t, s.post("/sign-in/second", "code=000000"), http.StatusUnauthorized)
}

// A browser that was left open does not give the account away.
func TestSecurityAsksForARecentSignIn(t *testing.T) {
	now := testNow
	s := newSite(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	now = now.Add(recent + time.Second)
	for _, path := range []string{
		"/account/security/authenticator", "/account/security/authenticator/confirm", "/account/security/authenticator/remove",
		"/account/security/codes", "/account/security/passkeys", "/account/security/passkeys/options", "/account/security/passkeys/1/remove",
	} {
		refused := s.post(path, "")
		if refused.StatusCode != http.StatusForbidden || !strings.Contains(bodyOf(t, refused), "Sign in again first") {
			t.Errorf("%s: status %d", path, refused.StatusCode)
		}
	}
	mustStatus(t, s.get("/account/security"), http.StatusOK)
}

// An admin helps those who are not above them, and it ends their sessions.
func TestResetSecondFactor(t *testing.T) {
	s := newSite(t, nil)
	owner := s.signInAs("grace@example.com", access.Owner)
	ada := s.signInAs("ada@example.com", access.Member)
	s.enrol()
	hers := s.session
	reset := func(user store.User) *http.Response {
		return s.post("/users/"+itoa(user.ID)+"/second-factor/reset", "")
	}
	mustStatus(t, reset(ada), http.StatusForbidden)
	s.signInAs("bob@example.com", access.Admin)
	mustStatus(t, reset(owner), http.StatusForbidden)
	mustStatus(t, reset(ada), http.StatusSeeOther)
	s.session = hers
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
	s.mustWrite(func(tx *store.Tx) error {
		if has, err := tx.SecondFactors(ada.ID); err != nil || has != (store.SecondFactors{}) {
			t.Errorf("still there: %+v, %v", has, err)
		}
		log, err := tx.AuditLog(store.AuditQuery{Limit: 1})
		if err != nil || len(log) != 1 || log[0].Action != "user.second_factor_reset" || log[0].Subject != "ada@example.com" || log[0].User != "bob@example.com" {
			t.Errorf("audit %+v, %v", log, err)
		}
		return nil
	})
}

// Without a passkey nothing is signed, and nothing that was sealed can be changed.
func TestPasskeysAreRefused(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.PublicURL = "http://localhost:8000" })
	mustContain(t, s.mustGet("/account/security"), "Add a passkey")
	options := bodyOf(t, s.post("/account/security/passkeys/options", ""))
	mustContain(t, options, `"challenge"`, `"rp":{"name":"Sundew","id":"localhost"}`, "owner@example.com")
	state := regexp.MustCompile(`"state":"([^"]+)"`).FindStringSubmatch(options)[1]
	for name, form := range map[string]url.Values{
		"no answer":     {"name": {"x"}, "state": {state}, "answer": {""}},
		"not an answer": {"name": {"x"}, "state": {state}, "answer": {`{"id":"x"}`}},
		"no state":      {"name": {"x"}, "answer": {"{}"}},
		"other state":   {"name": {"x"}, "state": {state[:len(state)-4] + "AAAA"}, "answer": {"{}"}},
	} {
		if resp := s.post("/account/security/passkeys", form.Encode()); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
	s.signOut()
	mustContain(t, bodyOf(t, s.post("/sign-in/passkey/options", "")), `"userVerification":"required"`)
	refused := s.post("/sign-in/passkey", url.Values{"state": {state}, "answer": {"{}"}}.Encode()) // sealed for another purpose
	mustStatus(t, refused, http.StatusUnprocessableEntity)
	mustContain(t, bodyOf(t, refused), "This passkey was not accepted")

	plain := newSite(t, nil) // published at an IP address
	mustContain(t, plain.mustGet("/account/security"), "Browsers allow passkeys only")
	mustStatus(t, plain.post("/sign-in/passkey/options", ""), http.StatusNotFound)
}

// What a browser keeps for us can be opened for its purpose, in time, and once.
func TestSealer(t *testing.T) {
	s, err := newSealer()
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.seal("a", 42, testNow)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.open("a", text, testNow, &n); err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
	other, err := newSealer()
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another purpose": s.open("b", text, testNow, &n),
		"too late":        s.open("a", text, testNow.Add(sealedFor+1), &n),
		"changed":         s.open("a", "A"+text[1:], testNow, &n),
		"another process": other.open("a", text, testNow, &n),
	} {
		if err != errUnsealed {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.spend(text, testNow)
	if err := s.open("a", text, testNow, &n); err != errUnsealed {
		t.Errorf("a second time: %v", err)
	}
}
