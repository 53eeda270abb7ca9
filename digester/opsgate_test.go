package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOpsGate asks as programs, proxies and strangers do.
func TestOpsGate(t *testing.T) {
	const token = "a token of operators"
	admin := func(r *http.Request) error {
		if r.Header.Get("Cookie") == "admin" {
			return nil
		}
		return errors.New("nobody")
	}
	for _, c := range []struct {
		name   string
		peer   string
		host   string
		header [2]string
		gate   opsGate
		want   int
	}{
		{"a program here", "127.0.0.1:5000", "127.0.0.1:8000", [2]string{}, opsGate{}, 200},
		{"a program here, by name", "[::1]:5000", "localhost:8000", [2]string{}, opsGate{}, 200},
		{"a program here, over IPv6", "[::1]:5000", "[::1]:8000", [2]string{}, opsGate{}, 200},
		{"a program elsewhere", "192.0.2.7:5000", "127.0.0.1:8000", [2]string{}, opsGate{}, 401},
		{"a proxy here", "127.0.0.1:5000", "127.0.0.1:8000", [2]string{"X-Forwarded-For", "192.0.2.7"}, opsGate{}, 401},
		{"another proxy here", "127.0.0.1:5000", "127.0.0.1:8000", [2]string{"Forwarded", "for=192.0.2.7"}, opsGate{}, 401},
		{"a browser here, led by a foreign name", "127.0.0.1:5000", "rebound.example:8000", [2]string{}, opsGate{}, 401},
		{"with the token", "192.0.2.7:5000", "errors.example.com", [2]string{"Authorization", "Bearer " + token}, opsGate{token: token}, 200},
		{"with another", "192.0.2.7:5000", "errors.example.com", [2]string{"Authorization", "Bearer another"}, opsGate{token: token}, 401},
		{"with none where there is none", "192.0.2.7:5000", "errors.example.com", [2]string{"Authorization", "Bearer "}, opsGate{}, 401},
		{"as a password", "192.0.2.7:5000", "errors.example.com", [2]string{"Authorization", "Basic " + token}, opsGate{token: token}, 401},
		{"an admin", "192.0.2.7:5000", "errors.example.com", [2]string{"Cookie", "admin"}, opsGate{}, 200},
		{"a stranger's peer", "nonsense", "localhost", [2]string{}, opsGate{}, 401},
	} {
		r := httptest.NewRequest(http.MethodGet, "/ledger.json", nil)
		r.RemoteAddr, r.Host = c.peer, c.host
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		w := httptest.NewRecorder()
		c.gate.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), admin).ServeHTTP(w, r)
		if w.Code != c.want || (w.Header().Get("WWW-Authenticate") != "") != (c.want == 401) {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
	}
}

// Secrets are not quoted, and half a provider is none.
func TestProviderConfig(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string // in the error; empty: none
	}{
		"none":             {map[string]string{}, ""},
		"whole":            {map[string]string{"SUNDEW_OIDC_ISSUER": "https://id.example.com", "SUNDEW_OIDC_CLIENT_ID": "x", "SUNDEW_OIDC_DOMAINS": "example.com, example.org"}, ""},
		"no client":        {map[string]string{"SUNDEW_OIDC_ISSUER": "https://id.example.com"}, "each needs the other"},
		"no issuer":        {map[string]string{"SUNDEW_OIDC_CLIENT_ID": "x"}, "each needs the other"},
		"a secret alone":   {map[string]string{"SUNDEW_OIDC_CLIENT_SECRET": "hidden"}, "each needs the other"},
		"not an address":   {map[string]string{"SUNDEW_OIDC_ISSUER": "example", "SUNDEW_OIDC_CLIENT_ID": "x"}, "want an http or https address"},
		"not a domain":     {map[string]string{"SUNDEW_OIDC_ISSUER": "https://id.example.com", "SUNDEW_OIDC_CLIENT_ID": "x", "SUNDEW_OIDC_DOMAINS": "@example.com"}, "want domains"},
		"a short password": {map[string]string{"SUNDEW_OPS_TOKEN": "hidden"}, "at least 16 characters"},
		"networks":         {map[string]string{"SUNDEW_ALLOW_NETWORKS": "10.0.0.0/8, 192.168.1.7"}, ""},
		"not a network":    {map[string]string{"SUNDEW_ALLOW_NETWORKS": "chat.example.com"}, "neither a network like 10.0.0.0/8 nor an address"},
	} {
		_, err := configFromEnv(func(key string) string { return c.env[key] })
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case err != nil && strings.Contains(err.Error(), "hidden"):
			t.Errorf("%s: the error has the secret: %v", name, err)
		}
	}
}
