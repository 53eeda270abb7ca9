package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"sundew/digester/access"
	"sundew/digester/provider"
	"sundew/digester/store"
)

// vouching is a provider that says what the test wants. Real ones are asked in
// package provider's tests and in infra/e2e.
type vouching struct {
	person provider.Person
	err    error
}

func (*vouching) Name() string   { return "Example <Inc>" }
func (*vouching) Issuer() string { return "https://id.example.com" }
func (*vouching) MayJoin(email string) bool {
	return provider.New(provider.Config{Domains: []string{"example.com"}}).MayJoin(email)
}
func (*vouching) Begin(context.Context) (string, provider.Errand, error) {
	return "https://id.example.com/auth?state=s", provider.Errand{State: "s"}, nil
}

func (v *vouching) Finish(_ context.Context, e provider.Errand, query url.Values) (provider.Person, error) {
	if query.Get("state") != e.State {
		return provider.Person{}, provider.ErrState
	}
	return v.person, v.err
}

// comeBack goes to the provider and back, as nobody.
func (s *site) comeBack() *http.Response {
	s.t.Helper()
	s.signOut()
	gone := s.get("/sign-in/provider?next=/projects/1/issues")
	mustStatus(s.t, gone, http.StatusSeeOther)
	r := httptest.NewRequest(http.MethodGet, "/sign-in/provider/callback?state=s&code=c", nil)
	for _, c := range gone.Cookies() {
		if c.Name == providerCookie && c.SameSite == http.SameSiteLaxMode && c.HttpOnly && c.Path == "/sign-in/provider" {
			r.AddCookie(c)
		}
	}
	return s.follow(s.do(r))
}

func newProviderSite(t *testing.T) (*site, *vouching) {
	v := &vouching{person: provider.Person{Subject: "17", Email: "Ada@example.com", Verified: true, Name: "Ada"}}
	return newSite(t, func(cfg *Config) { cfg.Provider = v }), v
}

// TestProviderMakesAnAccount signs somebody in who was never here, twice.
func TestProviderMakesAnAccount(t *testing.T) {
	s, v := newProviderSite(t)
	s.signOut()
	mustContain(t, s.mustGet("/sign-in?next=/projects/1/issues"), `href="/sign-in/provider?next=%2Fprojects%2F1%2Fissues"`, "Sign in with Example &lt;Inc&gt;")
	back := s.comeBack()
	mustStatus(t, back, http.StatusOK)
	mustContain(t, bodyOf(t, back), `content="0; url=/projects/1/issues"`)
	mustContain(t, s.mustGet("/"), "Ada", "ada@example.com", "You belong to no project yet")
	mustContain(t, s.mustGet("/account/security"), "https://id.example.com")

	v.person.Email, v.person.Verified = "other@elsewhere.example", false // the subject counts
	mustStatus(t, s.comeBack(), http.StatusOK)
	mustContain(t, s.mustGet("/"), "ada@example.com")
}

// TestProviderLinks signs in who has an account, or an invitation.
func TestProviderLinks(t *testing.T) {
	s, v := newProviderSite(t)
	ada := s.signInAs("ada@example.com", access.Member)
	mustStatus(t, s.comeBack(), http.StatusOK)
	mustContain(t, s.mustGet("/account/security"), "https://id.example.com")
	s.mustWrite(func(tx *store.Tx) error {
		if u, err := tx.UserByIdentity("https://id.example.com", "17"); err != nil || u.ID != ada.ID {
			t.Errorf("linked to %+v, %v", u, err)
		}
		team, err := tx.CreateTeam("Shop")
		if err == nil {
			_, err = tx.CreateLink(store.Link{Kind: store.LinkInvitation, Email: "bob@elsewhere.example", TeamID: team.ID, TeamRole: access.Member})
		}
		return err
	})
	v.person = provider.Person{Subject: "18", Email: "bob@elsewhere.example", Verified: true, Name: "Bob\nby"}
	mustStatus(t, s.comeBack(), http.StatusOK)
	s.mustWrite(func(tx *store.Tx) error {
		bob, err := tx.UserByIdentity("https://id.example.com", "18")
		if err != nil {
			return err
		}
		person, err := tx.Person(bob.ID)
		if len(person.Teams) != 1 || bob.Name != "bob@elsewhere.example" {
			t.Errorf("invited: %+v", person)
		}
		left, _ := tx.Invitations(testNow)
		if len(left) != 0 {
			t.Errorf("invitations left: %+v", left)
		}
		return err
	})
}

// The second factor is asked for whatever the first was.
func TestProviderAndSecondFactor(t *testing.T) {
	s, _ := newProviderSite(t)
	s.signInAs("ada@example.com", access.Member)
	s.enrol()
	mustContain(t, bodyOf(t, s.comeBack()), "/sign-in/second?next=%2Fprojects%2F1%2Fissues")
	mustStatus(t, s.get("/"), http.StatusUnauthorized)
}

func TestProviderRefuses(t *testing.T) {
	s, v := newProviderSite(t)
	s.signInAs("ada@example.com", access.Member)
	good := v.person
	for _, c := range []struct {
		name   string
		person provider.Person
		err    error
		status int
		want   string
	}{
		{"unverified", provider.Person{Subject: "1", Email: "ada@example.com"}, nil, http.StatusForbidden, "does not vouch for a mail address"},
		{"no mail address", provider.Person{Subject: "1", Verified: true}, nil, http.StatusForbidden, "does not vouch for a mail address"},
		{"another domain", provider.Person{Subject: "1", Email: "eve@elsewhere.example", Verified: true}, nil, http.StatusForbidden, "There is no account for eve@elsewhere.example"},
		{"cancelled", good, &provider.Refusal{Code: "access_denied"}, http.StatusForbidden, "did not let you in"},
		{"the provider's words", good, &provider.Refusal{Code: "server_error", Description: "<b>no</b>"}, http.StatusBadGateway, "says: server_error &lt;b&gt;no"},
		{"away", good, fmt.Errorf("x: %w", provider.ErrAway), http.StatusBadGateway, "does not answer at the moment"},
		{"not to be believed", good, provider.ErrToken, http.StatusBadGateway, "cannot be verified"},
	} {
		v.person, v.err = c.person, c.err
		resp := s.comeBack()
		if body := bodyOf(t, resp); resp.StatusCode != c.status {
			t.Errorf("%s: status %d", c.name, resp.StatusCode)
		} else {
			mustContain(t, body, c.want)
		}
		if s.session != "" {
			t.Errorf("%s: signed in", c.name)
		}
	}
	mustStatus(t, s.get("/sign-in/provider/callback?state=s&code=c"), http.StatusBadRequest) // without the cookie
}
