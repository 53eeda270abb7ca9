package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// opsGate keeps the numbers of the whole installation from the internet: they are
// for programs on this machine, and for those that know the token.
type opsGate struct {
	token string // empty: there is none
}

// guard lets requests through to a handler: those of this machine, those with the
// token, and, if person is not nil, those for which it returns nil.
func (g opsGate) guard(next http.Handler, person func(*http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fromHere(r) || g.knowsToken(r) || person != nil && person(r) == nil {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="Sundew"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{
			"detail": "this is for programs on the same machine, or with \"Authorization: Bearer\" and SUNDEW_OPS_TOKEN",
		})
	})
}

// knowsToken compares hashes, so that the time it takes says nothing.
func (g opsGate) knowsToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if g.token == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	want, got := sha256.Sum256([]byte(g.token)), sha256.Sum256([]byte(strings.TrimSpace(token)))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// fromHere reports whether a program on this machine asks, for this machine by name:
// not a proxy here that passes on what comes from elsewhere, nor a browser here to
// which a foreign name was given for our address.
func fromHere(r *http.Request) bool {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}
