// Package provider has people signed in by somebody who knows them: an OpenID
// Connect provider such as Google, GitLab or Keycloak.
//
// It exists to say in one place what is believed: a code that answers a request of
// ours (state), fetched with the verifier that began it (PKCE), an ID token that
// the provider signed, for us, not expired, and with our nonce. The provider may be
// down when the program starts, or at any time; it is asked when somebody wants to
// sign in, and again the next time.
package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// patience bounds each request to the provider.
const patience = 10 * time.Second

// Errors of Begin and Finish. ErrAway: the provider does not answer. ErrState: what
// came back answers no request of ours. ErrToken: what the provider says of a
// person cannot be believed.
var (
	ErrAway  = errors.New("the provider does not answer")
	ErrState = errors.New("this answers no request of ours")
	ErrToken = errors.New("the provider's answer is not valid")
)

// Refusal is the provider's own no.
type Refusal struct {
	Code        string // of RFC 6749 or OpenID Connect, e.g. access_denied
	Description string // in the provider's words; may be empty
}

// Error returns both.
func (r *Refusal) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the provider says: %s: %s", r.Code, r.Description), ": ")
}

// Config is how a provider is reached.
type Config struct {
	Issuer   string   // its address, without /.well-known/…
	ClientID string   // what we are called there
	Secret   string   // our password there
	Name     string   // what people call it
	Domains  []string // of mail addresses that may make accounts; empty: none
	Redirect string   // our address to which the provider sends browsers back
	Now      func() time.Time
}

// Provider is one. It is safe for concurrent use.
type Provider struct {
	cfg    Config
	client *http.Client

	mu    sync.Mutex     // guards found
	found *oidc.Provider // nil until it was asked with success
}

// New returns a provider, without asking it for anything.
func New(cfg Config) *Provider {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Provider{cfg: cfg, client: &http.Client{Timeout: patience}}
}

// Name is what people call it.
func (p *Provider) Name() string { return p.cfg.Name }

// Issuer is under which name it vouches for people.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

// MayJoin reports whether somebody with a mail address may make an account.
func (p *Provider) MayJoin(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	for _, d := range p.cfg.Domains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

// Errand is what a browser was sent for. It is remembered until it comes back, where
// nobody else can read or change it.
type Errand struct {
	State    string
	Nonce    string
	Verifier string
}

// Begin returns where to send a browser. The error wraps ErrAway.
func (p *Provider) Begin(ctx context.Context) (address string, e Errand, err error) {
	found, err := p.discover(ctx)
	if err != nil {
		return "", Errand{}, err
	}
	e = Errand{State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier()}
	return p.oauth(found).AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier)), e, nil
}

// Person is whom the provider vouches for.
type Person struct {
	Subject  string // by which it knows them for ever
	Email    string
	Verified bool // that the mail address is theirs
	Name     string
}

// Finish returns who came back, with the query that they came with. The error is a
// *Refusal, or wraps ErrAway, ErrState or ErrToken.
func (p *Provider) Finish(ctx context.Context, e Errand, query url.Values) (Person, error) {
	if e.State == "" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(e.State)) != 1 {
		return Person{}, ErrState
	}
	// RFC 9207: an answer of another provider is not ours.
	if iss := query.Get("iss"); iss != "" && iss != p.cfg.Issuer {
		return Person{}, fmt.Errorf("%w: it comes from %q", ErrState, iss)
	}
	if code := query.Get("error"); code != "" {
		return Person{}, &Refusal{Code: code, Description: query.Get("error_description")}
	}
	found, err := p.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(found).Exchange(ctx, query.Get("code"), oauth2.VerifierOption(e.Verifier))
	if err != nil {
		return Person{}, exchangeError(err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := found.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.cfg.Now}).Verify(ctx, raw)
	if err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(e.Nonce)) != 1 {
		return Person{}, fmt.Errorf("%w: it answers another request", ErrToken)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if c.Email == "" {
		if c, err = p.askMore(ctx, found, token, verified.Subject); err != nil {
			return Person{}, err
		}
	}
	return Person{Subject: verified.Subject, Email: c.Email, Verified: bool(c.Verified), Name: c.Name}, nil
}

// claims are what a provider says of a person.
type claims struct {
	Email    string `json:"email"`
	Verified truth  `json:"email_verified"`
	Name     string `json:"name"`
}

// truth is a boolean that some providers send as text. Everything but a clear yes is
// no.
type truth bool

// UnmarshalJSON reads it.
func (t *truth) UnmarshalJSON(raw []byte) error {
	*t = string(raw) == "true" || string(raw) == `"true"`
	return nil
}

// askMore asks for claims that are not in the ID token; many providers leave all
// but the subject out of it.
func (p *Provider) askMore(ctx context.Context, found *oidc.Provider, token *oauth2.Token, subject string) (claims, error) {
	if found.UserInfoEndpoint() == "" {
		return claims{}, nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return claims{}, fmt.Errorf("%w: asking who it is: %w", ErrAway, err)
	}
	if info.Subject != subject {
		return claims{}, fmt.Errorf("%w: it is about somebody else", ErrToken)
	}
	var c claims
	if err := info.Claims(&c); err != nil {
		return claims{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return c, nil
}

// discover asks the provider for its addresses and keys, until it has answered once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	found := p.found
	p.mu.Unlock()
	if found != nil {
		return found, nil
	}
	// It keeps the context, to fetch new keys with.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	p.mu.Lock()
	p.found = found
	p.mu.Unlock()
	return found, nil
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.Secret, Endpoint: found.Endpoint(), RedirectURL: p.cfg.Redirect,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// exchangeError tells the provider's no from its silence.
func exchangeError(err error) error {
	var no *oauth2.RetrieveError
	if errors.As(err, &no) && no.ErrorCode != "" {
		return &Refusal{Code: no.ErrorCode, Description: no.ErrorDescription}
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}
