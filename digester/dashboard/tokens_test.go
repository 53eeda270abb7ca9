package dashboard

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// makeToken makes one by a form and returns its text.
func (s *site) makeToken(path string, form url.Values) string {
	s.t.Helper()
	resp := s.post(path, form.Encode())
	mustStatus(s.t, resp, http.StatusOK)
	made := regexp.MustCompile(`id="new-token" class="select">(sdw_[a-z2-7]{52})<`).FindStringSubmatch(bodyOf(s.t, resp))
	if made == nil {
		s.t.Fatal("the page shows no token")
	}
	return made[1]
}

// byToken asks with a token and nothing else.
func (s *site) byToken(path, token string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.dash.ServeHTTP(w, r)
	return w.Result()
}

// TestTokens makes one of each kind and finds out what they open.
func TestTokens(t *testing.T) {
	now := testNow
	s := newSite(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	ev := s.message("boom", testNow)
	document := fmt.Sprintf("/issues/%d/events/1/json", ev.Issue)
	read := url.Values{"name": {"Reader <b>"}, "scope": {"event:read"}, "expires": {"7"}}
	own := s.makeToken("/account/tokens", read)
	ofProject := s.makeToken("/projects/1/tokens", read)
	noEvents := s.makeToken("/account/tokens", url.Values{"name": {"CI"}, "scope": {"project:releases", "org:read"}, "expires": {"never"}})
	page := s.mustGet("/account/tokens")
	mustContain(t, page, "Reader &lt;b&gt;", own[len(own)-4:], "event:read", "in 7 days", "project:releases", "never")
	mustLack(t, page, own, ofProject[len(ofProject)-4:])

	s.mustWrite(func(tx *store.Tx) error { _, err := tx.CreateProject("Other"); return err })
	admin := s.session
	s.signInAs("ada@example.com", access.None) // belongs to nothing
	hers := s.makeToken("/account/tokens", read)
	for _, c := range []struct {
		name, path, token string
		status            int
		want              string
	}{
		{"personal", document, own, http.StatusOK, "boom"},
		{"of the project", document, ofProject, http.StatusOK, "boom"},
		{"without the scope", document, noEvents, http.StatusForbidden, `"detail":"This token may not do that. It was made without the scope event:read."`},
		{"of somebody who may not", document, hers, http.StatusNotFound, `"detail":"Page not found`},
		{"mistyped", document, own[:len(own)-1], http.StatusUnauthorized, `"detail":"This token does not work`},
		{"a page for people", "/", own, http.StatusUnauthorized, `"detail":"Sign in`},
		{"the tokens", "/account/tokens", own, http.StatusUnauthorized, `"detail":"Sign in`},
	} {
		resp := s.byToken(c.path, c.token)
		body := bodyOf(t, resp)
		if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: status %d, %s", c.name, resp.StatusCode, body)
		}
		if asks := resp.Header.Get("WWW-Authenticate"); (asks != "") != (c.status == http.StatusUnauthorized) {
			t.Errorf("%s: WWW-Authenticate %q", c.name, asks)
		}
	}
	mustStatus(t, s.get("/projects/1/tokens"), http.StatusNotFound)
	mustStatus(t, s.post("/projects/1/tokens", read.Encode()), http.StatusNotFound)

	s.session = admin
	id := func(list string) string { // of the oldest token there
		all := regexp.MustCompile(list+`/(\d+)/revoke`).FindAllStringSubmatch(s.mustGet(list), -1)
		return all[len(all)-1][1]
	}
	mustStatus(t, s.post("/projects/1/tokens/"+id("/account/tokens")+"/revoke", ""), http.StatusNotFound)
	mustStatus(t, s.post("/projects/1/tokens/"+id("/projects/1/tokens")+"/revoke", ""), http.StatusSeeOther)
	mustStatus(t, s.byToken(document, ofProject), http.StatusUnauthorized)
	now = now.Add(7 * 24 * time.Hour)
	mustStatus(t, s.byToken(document, own), http.StatusUnauthorized)
}

// A token for tools carries our address, and the page that shows it says what to do.
func TestTokenForTools(t *testing.T) {
	s := newSite(t, func(cfg *Config) { cfg.PublicURL = "https://errors.example.com/tools" })
	for _, list := range []string{"/account/tokens", "/projects/1/tokens"} {
		mustContain(t, s.mustGet(list+"?for=tools"), `name="for" value="tools"`, `value="project:releases" checked`)
		mustLack(t, s.mustGet(list), `name="for"`, `value="project:releases" checked`)
		resp := s.post(list, url.Values{"name": {"Build"}, "scope": {"project:releases"}, "for": {"tools"}}.Encode())
		mustStatus(t, resp, http.StatusOK)
		page := html.UnescapeString(bodyOf(t, resp))
		made := regexp.MustCompile(`id="new-token" class="select">(sntrys_([0-9A-Za-z+/]+)_[0-9A-Za-z+/]{43})<`).FindStringSubmatch(page)
		if made == nil {
			t.Fatalf("%s: the page shows no token", list)
		}
		claims, err := base64.StdEncoding.DecodeString(made[2])
		if err != nil || !strings.Contains(string(claims), `"url":"https://errors.example.com/tools","region_url":"https://errors.example.com/tools","org":"sundew"`) {
			t.Errorf("the token says %s, %v", claims, err)
		}
		mustContain(t, page, "export SENTRY_AUTH_TOKEN="+made[1], "sourcemaps inject", `url: "https://errors.example.com/tools"`, "sentryWebpackPlugin", `<li class="instead"><h3>Or webpack`, "<li><h3>Send the built files")
		mustLack(t, s.mustGet(list), made[1])
	}
	resp := s.post("/account/tokens", "name=&scope=org:read&for=tools")
	mustContain(t, bodyOf(t, resp), `name="for" value="tools"`, `value="org:read" checked`)
}

// A token of a project opens that project alone.
func TestProjectTokenOpensOneProject(t *testing.T) {
	s := newSite(t, nil)
	ev := s.message("boom", testNow)
	var other store.Project
	s.mustWrite(func(tx *store.Tx) (err error) { other, err = tx.CreateProject("Other"); return err })
	token := s.makeToken(fmt.Sprintf("/projects/%d/tokens", other.ID), url.Values{"name": {"x"}, "scope": {"event:read", "org:read"}})
	mustStatus(t, s.byToken(fmt.Sprintf("/issues/%d/events/1/json", ev.Issue), token), http.StatusNotFound)
	r := httptest.NewRequest(http.MethodGet, "/ledger.json", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if err := s.dash.MayOperate(r); err == nil {
		t.Error("it opens the books of all")
	}
}

// The form says what is wrong and keeps what was typed.
func TestTokenForm(t *testing.T) {
	s := newSite(t, nil)
	for form, want := range map[string]string{
		"scope=event:read":                    "1 to 80 printable characters",
		"name=CI":                             "at least one scope",
		"name=CI&scope=everything":            "at least one scope",
		"name=CI&scope=everything&expires=99": "at least one scope",
	} {
		resp := s.post("/account/tokens", form)
		mustStatus(t, resp, http.StatusUnprocessableEntity)
		mustContain(t, bodyOf(t, resp), want)
	}
}

// TestUses writes when tokens and sessions were used, and not more often than once a
// minute.
func TestUses(t *testing.T) {
	now := testNow
	s := newSite(t, func(cfg *Config) { cfg.Now = func() time.Time { return now } })
	ev := s.message("boom", testNow)
	token := s.makeToken("/account/tokens", url.Values{"name": {"x"}, "scope": {"event:read"}})
	seen := func() (session, used time.Time) {
		t.Helper()
		s.dash.writeUses(t.Context())
		s.mustWrite(func(tx *store.Tx) error {
			owner, err := tx.UserByEmail("owner@example.com")
			if err != nil {
				return err
			}
			sessions, err := tx.Sessions(owner.ID, testNow)
			if err != nil {
				return err
			}
			tokens, err := tx.UserTokens(owner.ID)
			session, used = sessions[0].SeenAt, tokens[0].UsedAt
			return err
		})
		return session, used
	}
	if _, used := seen(); !used.IsZero() {
		t.Errorf("used %v before it was", used)
	}
	ask := func() {
		s.mustGet("/")
		mustStatus(t, s.byToken(fmt.Sprintf("/issues/%d/events/1/json", ev.Issue), token), http.StatusOK)
	}
	now = now.Add(5 * time.Minute)
	ask()
	if session, used := seen(); !session.Equal(now) || !used.Equal(now) {
		t.Errorf("session %v, token %v, want %v", session, used, now)
	}
	before := now
	now = now.Add(30 * time.Second)
	ask()
	if session, used := seen(); !session.Equal(before) || !used.Equal(before) {
		t.Errorf("session %v, token %v, want still %v", session, used, before)
	}
}
