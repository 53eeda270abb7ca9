package keyring

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Bounds of a project's list of origins.
const (
	maxOrigins    = 100
	maxOriginSize = 255
)

// ErrOrigin is wrapped by errors that say which line of a list of origins cannot be
// understood, and why.
var ErrOrigin = errors.New("not an origin")

// origin is a place that browsers may report from. Empty fields are any.
type origin struct {
	scheme string
	host   string // lower-case; with suffix what it ends in
	suffix bool   // host and everything below it
	port   string
}

// ParseOrigins reads a list of origins, one a line, and returns those that Origins
// takes, in lower case:
//
//	example.com           that host, any scheme and port
//	*.example.com         it and every host below it
//	https://example.com   that scheme, and its own port
//	example.com:8443      that port
//	*:8443                that port of any host
//	*                     everywhere
//
// Empty lines count for nothing.
func ParseOrigins(text string) ([]string, error) {
	var all []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.ToLower(strings.TrimSpace(line))
		if line == "" {
			continue
		}
		if _, err := parseOrigin(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if all = append(all, line); len(all) > maxOrigins {
			return nil, fmt.Errorf("line %d: %w: at most %d are possible", n, ErrOrigin, maxOrigins)
		}
	}
	return all, nil
}

func parseOrigin(text string) (origin, error) {
	var o origin
	if len(text) > maxOriginSize {
		return o, fmt.Errorf("%w: it is longer than %d characters", ErrOrigin, maxOriginSize)
	}
	rest := strings.ToLower(text)
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		if scheme != "http" && scheme != "https" {
			return o, fmt.Errorf("%w: %q does not begin with http:// or https://", ErrOrigin, text)
		}
		o.scheme, rest = scheme, after
	}
	rest, o.port = splitPort(rest)
	if o.scheme != "" && o.port == "" {
		o.port = defaultPort(o.scheme)
	}
	switch below, ok := strings.CutPrefix(rest, "*."); {
	case rest == "*":
		return o, checkPort(o, text)
	case ok:
		o.host, o.suffix = below, true
	default:
		o.host = rest
	}
	if !isHost(o.host) {
		return o, fmt.Errorf("%w: %q; want something like example.com, *.example.com or https://example.com:8443, without a path", ErrOrigin, text)
	}
	return o, checkPort(o, text)
}

func checkPort(o origin, text string) error {
	if strings.Trim(o.port, "0123456789") != "" || len(o.port) > 5 {
		return fmt.Errorf("%w: %q has a port that is no number", ErrOrigin, text)
	}
	return nil
}

// splitPort takes the port off a host; brackets are of IPv6.
func splitPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// isHost accepts names, of any script, and addresses; no blanks, paths or wildcards.
func isHost(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(inner, "]")
		return s != "" && strings.Trim(s, "0123456789abcdef:.") == ""
	}
	return s != "" && !strings.ContainsAny(s, " \t/\\:*?#@[]<>\"'%,;") && !strings.HasPrefix(s, ".") && !strings.Contains(s, "..")
}

// allows reports whether the page at an address is within one of the origins.
func allows(allowed []origin, page string) bool {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" {
		return false
	}
	at := origin{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), port: u.Port()}
	if strings.Contains(at.host, ":") {
		at.host = "[" + at.host + "]"
	}
	if at.port == "" {
		at.port = defaultPort(at.scheme)
	}
	for _, o := range allowed {
		if o.matches(at) {
			return true
		}
	}
	return false
}

func (o origin) matches(at origin) bool {
	if o.scheme != "" && o.scheme != at.scheme || o.port != "" && o.port != at.port {
		return false
	}
	return o.host == "" || o.host == at.host || o.suffix && strings.HasSuffix(at.host, "."+o.host)
}
