package edge

import (
	"net/http"
	"strings"
)

// corsHeaders go on every answer, errors too: a browser hides an answer without
// them from the SDK, which then takes an event that arrived for lost, and a rate
// limit it cannot read for one of everything.
var corsHeaders = [...]struct{ name, value string }{
	{"Access-Control-Allow-Origin", "*"},
	{"Access-Control-Allow-Methods", allowedMethods},
	{"Access-Control-Expose-Headers", "x-sentry-error, x-sentry-rate-limits, retry-after"},
	{"Access-Control-Max-Age", "3600"},
	{"Cross-Origin-Resource-Policy", "cross-origin"},
	{"X-Content-Type-Options", "nosniff"},
}

const (
	allowedMethods = "POST, OPTIONS"
	allowedHeaders = "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, " +
		"authentication, authorization, content-encoding, transfer-encoding, sentry-trace, baggage"

	// What a preflight may ask for beyond that.
	maxExtraHeaders    = 32
	maxExtraHeaderName = 64
)

// setCORS sets the headers that every answer to r carries. Their values share one
// piece of memory, since there are many of them and many answers.
func setCORS(header http.Header, r *http.Request) {
	values := make([]string, len(corsHeaders)+1)
	for i, h := range corsHeaders {
		values[i] = h.value
		header[h.name] = values[i : i+1 : i+1]
	}
	last := len(corsHeaders)
	values[last] = allowHeaders(r.Header.Get("Access-Control-Request-Headers"))
	header["Access-Control-Allow-Headers"] = values[last:]
}

// allowHeaders returns the usual headers and those that a preflight asks for: one
// that is not in the answer and the browser sends nothing. There is nothing to
// protect, the key is public and no cookie counts here.
func allowHeaders(requested string) string {
	if requested == "" {
		return allowedHeaders
	}
	var list strings.Builder
	list.WriteString(allowedHeaders)
	extra := 0
	for name := range strings.SplitSeq(requested, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if len(name) > maxExtraHeaderName || !isToken(name) || strings.Contains(", "+list.String()+",", ", "+name+",") {
			continue
		}
		if extra++; extra > maxExtraHeaders {
			break
		}
		list.WriteString(", ")
		list.WriteString(name)
	}
	return list.String()
}

// isToken reports whether s is a header's name and nothing that could end one.
func isToken(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}
