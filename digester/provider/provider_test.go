package provider

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

var testNow = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// issuer is a provider in which everything can be wrong. A real one is in
// infra/e2e.
type issuer struct {
	t      *testing.T
	url    string
	key    *rsa.PrivateKey
	signer *rsa.PrivateKey // whose signature the tokens bear
	claims map[string]any  // of the next ID token
	info   map[string]any  // what it says of a person when asked
	fail   string          // an error code that it answers a code with
	asked  url.Values      // with what the code was exchanged
	down   bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{t: t, key: key, signer: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.send(w, map[string]any{
			"issuer": i.url, "authorization_endpoint": i.url + "/auth", "token_endpoint": i.url + "/token",
			"jwks_uri": i.url + "/keys", "userinfo_endpoint": i.url + "/me", "id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		i.send(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.key.PublicKey, KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		i.asked = r.PostForm
		if i.fail != "" {
			w.WriteHeader(http.StatusBadRequest)
			i.send(w, map[string]any{"error": i.fail, "error_description": "not today"})
			return
		}
		i.send(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.sign()})
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, _ *http.Request) { i.send(w, i.info) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if i.down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.url = server.URL
	return i
}

func (i *issuer) send(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		i.t.Error(err)
	}
}

func (i *issuer) sign() string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.signer}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		i.t.Error(err)
		return ""
	}
	raw, err := json.Marshal(i.claims)
	if err != nil {
		i.t.Error(err)
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		i.t.Error(err)
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		i.t.Error(err)
	}
	return text
}

// begun is a provider and a browser that was sent there.
func begun(t *testing.T) (*issuer, *Provider, Errand) {
	t.Helper()
	i := newIssuer(t)
	p := New(Config{
		Issuer: i.url, ClientID: "sundew", Secret: "s3cret", Name: "Example", Domains: []string{"example.com"},
		Redirect: "https://errors.example.com/back", Now: func() time.Time { return testNow },
	})
	address, e, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"state": e.State, "nonce": e.Nonce, "code_challenge_method": "S256", "response_type": "code",
		"redirect_uri": "https://errors.example.com/back", "scope": "openid email profile", "client_id": "sundew",
	} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if q.Get("code_challenge") == "" || strings.Contains(address, e.Verifier) {
		t.Errorf("address %s", address)
	}
	i.claims = map[string]any{
		"iss": i.url, "aud": "sundew", "sub": "17", "nonce": e.Nonce, "exp": testNow.Add(time.Minute).Unix(), "iat": testNow.Unix(),
		"email": "ada@example.com", "email_verified": true, "name": "Ada",
	}
	return i, p, e
}

func TestFinish(t *testing.T) {
	i, p, e := begun(t)
	got, err := p.Finish(t.Context(), e, url.Values{"state": {e.State}, "code": {"c"}, "iss": {i.url}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Person{Subject: "17", Email: "ada@example.com", Verified: true, Name: "Ada"}, got); diff != "" {
		t.Errorf("person (-want +got):\n%s", diff)
	}
	if i.asked.Get("code_verifier") != e.Verifier || i.asked.Get("code") != "c" {
		t.Errorf("asked with %v", i.asked)
	}
}

// What an ID token leaves out is asked for, and must be about the same person.
func TestFinishAsksMore(t *testing.T) {
	i, p, e := begun(t)
	delete(i.claims, "email")
	delete(i.claims, "email_verified")
	i.info = map[string]any{"sub": "17", "email": "ada@example.com", "email_verified": "true"} // as text, as some do
	got, err := p.Finish(t.Context(), e, url.Values{"state": {e.State}})
	if err != nil || got.Email != "ada@example.com" || !got.Verified {
		t.Errorf("%+v, %v", got, err)
	}
	i.info["sub"] = "18"
	if _, err := p.Finish(t.Context(), e, url.Values{"state": {e.State}}); !errors.Is(err, ErrToken) {
		t.Errorf("somebody else: %v", err)
	}
}

func TestFinishRefuses(t *testing.T) {
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		edit  func(*issuer)
		query url.Values // besides the right state; a state takes its place
		want  error
	}{
		{"wrong nonce", func(i *issuer) { i.claims["nonce"] = "another" }, nil, ErrToken},
		{"no nonce", func(i *issuer) { delete(i.claims, "nonce") }, nil, ErrToken},
		{"expired", func(i *issuer) { i.claims["exp"] = testNow.Add(-time.Minute).Unix() }, nil, ErrToken},
		{"for somebody else", func(i *issuer) { i.claims["aud"] = "another" }, nil, ErrToken},
		{"of somebody else", func(i *issuer) { i.claims["iss"] = "https://elsewhere.example" }, nil, ErrToken},
		{"signed by somebody else", func(i *issuer) { i.signer = stranger }, nil, ErrToken},
		{"wrong state", nil, url.Values{"state": {"another"}}, ErrState},
		{"no state", nil, url.Values{"state": {""}}, ErrState},
		{"answer of somebody else", nil, url.Values{"iss": {"https://elsewhere.example"}}, ErrState},
		{"the provider's no", nil, url.Values{"error": {"access_denied"}}, &Refusal{Code: "access_denied"}},
		{"a no to the code", func(i *issuer) { i.fail = "invalid_grant" }, nil, &Refusal{Code: "invalid_grant", Description: "not today"}},
		{"away meanwhile", func(i *issuer) { i.down = true }, nil, ErrAway},
	} {
		t.Run(c.name, func(t *testing.T) {
			i, p, e := begun(t)
			if c.edit != nil {
				c.edit(i)
			}
			query := url.Values{"state": {e.State}, "code": {"c"}}
			for name, values := range c.query {
				query[name] = values
			}
			got, err := p.Finish(t.Context(), e, query)
			var no, wanted *Refusal
			if errors.As(c.want, &wanted) {
				if !errors.As(err, &no) || *no != *wanted {
					t.Errorf("%v, want %v", err, wanted)
				}
			} else if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if got != (Person{}) {
				t.Errorf("person %+v", got)
			}
		})
	}
	if p := New(Config{}); p == nil {
		t.Fatal("nothing")
	} else if _, err := p.Finish(t.Context(), Errand{}, url.Values{}); !errors.Is(err, ErrState) {
		t.Errorf("an errand that nobody was sent on: %v", err)
	}
}

// A mail address that is not said to be verified is not.
func TestUnverified(t *testing.T) {
	for _, said := range []any{false, "false", "yes", nil, 1} {
		t.Run(fmt.Sprint(said), func(t *testing.T) {
			i, p, e := begun(t)
			i.claims["email_verified"] = said
			got, err := p.Finish(t.Context(), e, url.Values{"state": {e.State}})
			if err != nil || got.Verified {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// A provider that was down is asked again.
func TestBeginAgain(t *testing.T) {
	i := newIssuer(t)
	p := New(Config{Issuer: i.url})
	i.down = true
	if _, _, err := p.Begin(t.Context()); !errors.Is(err, ErrAway) {
		t.Errorf("while it is down: %v", err)
	}
	i.down = false
	if _, _, err := p.Begin(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMayJoin(t *testing.T) {
	p := New(Config{Domains: []string{"example.com"}})
	for email, want := range map[string]bool{
		"ada@example.com": true, "ada@EXAMPLE.com": true, "ada@sub.example.com": false, "ada@notexample.com": false,
		"ada@example.com@elsewhere.example": false, "example.com": false, "": false,
	} {
		if got := p.MayJoin(email); got != want {
			t.Errorf("%s: %v", email, got)
		}
	}
}
