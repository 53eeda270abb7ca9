package lambdahttp

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// compressFrom is how large an answer must be in bytes for gzip to be worth its
// time: below, base64 takes back most of what it saves.
const compressFrom = 2 << 10

// Compress returns a handler whose answers of text are compressed where the client
// understands gzip. Lambda takes answers of up to six megabytes, so this is also
// what lets the longest pages through.
func Compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := newAnswer()
		next.ServeHTTP(whole, r)
		whole.WriteHeader(http.StatusOK)
		h := w.Header()
		for name, values := range whole.header {
			h[name] = values
		}
		body := whole.body.Bytes()
		if compressible(h, len(body)) {
			h.Add("Vary", "Accept-Encoding")
			if acceptsGzip(r.Header) {
				body = gzipped(body)
				h.Set("Content-Encoding", "gzip")
				h.Set("Content-Length", strconv.Itoa(len(body)))
			}
		}
		w.WriteHeader(whole.status)
		w.Write(body) // into memory: cannot fail
	})
}

// compressible returns whether an answer is text that nobody has compressed yet.
func compressible(h http.Header, size int) bool {
	kind := h.Get("Content-Type")
	text := strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/json") || strings.HasPrefix(kind, "image/svg+xml")
	return text && size >= compressFrom && h.Get("Content-Encoding") == ""
}

// acceptsGzip returns whether a client names gzip among the codings it takes, and
// does not do so to refuse it.
func acceptsGzip(h http.Header) bool {
	for coding := range strings.SplitSeq(h.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(coding, ";")
		quality = strings.ReplaceAll(quality, " ", "")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "" || quality == ""
		}
	}
	return false
}

func gzipped(body []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(body) // into memory: cannot fail
	w.Close()     // likewise
	return out.Bytes()
}
