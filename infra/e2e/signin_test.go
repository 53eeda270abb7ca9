//go:build e2e

package e2e

import (
	"net"
	"net/url"
	"testing"

	"sundew/infra/visitor"
)

// TestSignIn signs people in by every way but the password alone: the product at a
// name, since passkeys belong to one, and a provider that is certified for OpenID
// Connect.
func TestSignIn(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	home := "http://localhost:" + port
	cmd := newCommand(ctx, t, nil, "node", "provider/provider.mjs", home+"/sign-in/provider/callback")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	provider := startProcess(t, "provider/provider.mjs", cmd)
	t.Cleanup(func() { stdin.Close() })
	issuer := provider.line(ctx, t)
	if _, err := url.ParseRequestURI(issuer); err != nil {
		t.Fatalf("the provider printed %q: %v", issuer, err)
	}

	p := startProduct(ctx, t, "SUNDEW_LISTEN="+address, "SUNDEW_URL="+home, "SUNDEW_OIDC_ISSUER="+issuer,
		"SUNDEW_OIDC_CLIENT_ID=sundew", "SUNDEW_OIDC_CLIENT_SECRET=of the client", "SUNDEW_OIDC_NAME=Example", "SUNDEW_OIDC_DOMAINS=example.com")
	b := openBrowser(ctx, t, p)
	t.Run("second factor and passkey", func(t *testing.T) {
		b.do(ctx, t, command{Do: "useFactors", URL: p.url, Email: visitor.Email, Password: visitor.Password})
	})
	t.Run("provider", func(t *testing.T) {
		b.do(ctx, t, command{Do: "useProvider", URL: p.url, Name: "ada"})
		b.do(ctx, t, command{Do: "useProvider", URL: p.url, Name: "mallory", Refusal: "Example does not vouch for a mail address of yours"})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}

// freeAddress returns one on loopback at which nothing listens. Only a product whose
// address has to be known beforehand needs it.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
