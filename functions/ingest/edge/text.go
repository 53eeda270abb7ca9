package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clip returns a text from a request fit to be kept: valid UTF-8, printable, at
// most limit bytes, and its own memory instead of the request's.
func clip(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s[:min(len(s), 4*limit)])
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return strings.Clone(s)
}

// ClientAddress returns the address a request came from: of the connection, or with
// hops trusted proxies in front the one that the outermost of them saw. Entries
// further left in X-Forwarded-For were written by the client and prove nothing. It
// is "" when there is no valid address.
func ClientAddress(r *http.Request, hops int) string {
	address := r.RemoteAddr
	if forwarded := r.Header.Values("X-Forwarded-For"); hops > 0 && len(forwarded) > 0 {
		entries := strings.Split(strings.Join(forwarded, ","), ",")
		address = strings.TrimSpace(entries[max(len(entries)-hops, 0)])
	}
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	ip, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}
