// Package passkey registers passkeys and checks what is signed with them
// (WebAuthn).
//
// It exists to keep one choice of the standard's many in one place: any kind of
// authenticator is taken, nothing is asked about who made it, and without a
// password it must have made sure of its owner (fingerprint, PIN). A ceremony has
// two halves with a browser between them; what the first remembers for the second
// is returned as text, which the caller keeps where nobody can change it, for a few
// minutes and for one use.
package passkey

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Errors of New and of ceremonies.
var (
	// ErrAddress is wrapped where browsers have no passkeys: they belong to a name,
	// and need TLS, except on localhost.
	ErrAddress = errors.New("passkeys need an https address with a host name, or localhost")

	// ErrRefused is wrapped by errors about what a browser sent.
	ErrRefused = errors.New("the passkey was not accepted")
)

// Registry knows for which site passkeys are. It is safe for concurrent use.
type Registry struct {
	web *webauthn.WebAuthn
}

// New returns a registry of the site at publicURL.
func New(publicURL string) (*Registry, error) {
	u, err := url.Parse(publicURL)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	if net.ParseIP(host) != nil || u.Scheme != "https" && host != "localhost" {
		return nil, fmt.Errorf("%s: %w", publicURL, ErrAddress)
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Sundew", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Registry{web: web}, nil
}

// Owner is whose passkeys they are.
type Owner struct {
	ID          int64
	Email       string
	Name        string
	Credentials []string // as Register and SignIn returned them
}

// account is an owner as the library wants it.
type account struct {
	Owner
	credentials []webauthn.Credential
}

func newAccount(o Owner) (account, error) {
	a := account{Owner: o}
	for _, text := range o.Credentials {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return account{}, fmt.Errorf("a stored passkey: %w", err)
		}
		a.credentials = append(a.credentials, c)
	}
	return a, nil
}

// WebAuthnID is what a passkey remembers of its owner.
func (a account) WebAuthnID() []byte { return binary.BigEndian.AppendUint64(nil, uint64(a.ID)) }

// WebAuthnName is shown by the browser.
func (a account) WebAuthnName() string { return a.Email }

// WebAuthnDisplayName likewise.
func (a account) WebAuthnDisplayName() string { return a.Name }

// WebAuthnCredentials are the owner's passkeys.
func (a account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }

// Ceremony is the first half of one.
type Ceremony struct {
	Options json.RawMessage // for the browser
	State   string          // for the second half, JSON
}

func newCeremony(options any, session *webauthn.SessionData, err error) (Ceremony, error) {
	if err != nil {
		return Ceremony{}, fmt.Errorf("passkeys: %w", err)
	}
	public, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, err
	}
	state, err := json.Marshal(session)
	return Ceremony{Options: public, State: string(state)}, err
}

// BeginRegister asks for a new passkey of an owner.
func (r *Registry) BeginRegister(o Owner) (Ceremony, error) {
	a, err := newAccount(o)
	if err != nil {
		return Ceremony{}, err
	}
	known := make([]protocol.CredentialDescriptor, len(a.credentials))
	for i, c := range a.credentials {
		known[i] = c.Descriptor()
	}
	options, session, err := r.web.BeginRegistration(a, webauthn.WithExclusions(known),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		}))
	return newCeremony(options, session, err)
}

// Register returns a new passkey's id and what is to be stored of it. The error
// wraps ErrRefused.
func (r *Registry) Register(o Owner, state, answer string) (id []byte, credential string, err error) {
	a, session, err := resume(o, state)
	if err != nil {
		return nil, "", err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, "", refuse(err)
	}
	c, err := r.web.CreateCredential(a, session, parsed)
	if err != nil {
		return nil, "", refuse(err)
	}
	text, err := json.Marshal(c)
	return c.ID, string(text), err
}

// BeginSecond asks an owner for one of their passkeys, after the password.
func (r *Registry) BeginSecond(o Owner) (Ceremony, error) {
	a, err := newAccount(o)
	if err != nil {
		return Ceremony{}, err
	}
	options, session, err := r.web.BeginLogin(a, webauthn.WithUserVerification(protocol.VerificationPreferred))
	return newCeremony(options, session, err)
}

// BeginSignIn asks for a passkey of whomever, in place of a password.
func (r *Registry) BeginSignIn() (Ceremony, error) {
	options, session, err := r.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return newCeremony(options, session, err)
}

// OwnerOf returns the id of the owner whom an answer names, and of the passkey that
// signed it. Nothing of it is proven yet. The error wraps ErrRefused.
func OwnerOf(answer string) (owner int64, credential []byte, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return 0, nil, refuse(err)
	}
	if handle := parsed.Response.UserHandle; len(handle) == 8 {
		owner = int64(binary.BigEndian.Uint64(handle))
	}
	return owner, parsed.RawID, nil
}

// SignIn checks the answer to BeginSecond or BeginSignIn. It returns the passkey as
// it is to be stored from now on, since it counts its uses. The error wraps
// ErrRefused.
func (r *Registry) SignIn(o Owner, state, answer string) (credential string, err error) {
	a, session, err := resume(o, state)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return "", refuse(err)
	}
	var c *webauthn.Credential
	if len(session.UserID) == 0 {
		_, c, err = r.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return a, nil }, session, parsed)
	} else {
		c, err = r.web.ValidateLogin(a, session, parsed)
	}
	if err != nil {
		return "", refuse(err)
	}
	if c.Authenticator.CloneWarning {
		return "", fmt.Errorf("%w: it has been copied", ErrRefused)
	}
	text, err := json.Marshal(c)
	return string(text), err
}

func resume(o Owner, state string) (account, webauthn.SessionData, error) {
	var session webauthn.SessionData
	a, err := newAccount(o)
	if err == nil {
		err = json.Unmarshal([]byte(state), &session)
	}
	return a, session, err
}

// refuse keeps the library's words, and what it says for developers.
func refuse(err error) error {
	var detail *protocol.Error
	if errors.As(err, &detail) {
		return fmt.Errorf("%w: %s %s", ErrRefused, detail.Details, detail.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}
