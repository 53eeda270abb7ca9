package edge

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// compress returns plain in the named coding.
func compress(t testing.TB, name string, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch name {
	case "plain":
		return plain
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	case "deflate":
		w, err = flate.NewWriter(&out, flate.DefaultCompression)
	case "br":
		w = brotli.NewWriterLevel(&out, 4)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "base64":
		return []byte(base64.StdEncoding.EncodeToString(compress(t, "zlib", plain)))
	default:
		t.Fatalf("no coding %q", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decompress undoes what recorded clients do to a body.
func decompress(t testing.TB, data []byte) []byte {
	t.Helper()
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("{")):
		return data
	case bytes.HasPrefix(data, []byte("\x1f\x8b")):
		r, err = gzip.NewReader(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("e")):
		r, err = zlib.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(data)))
	default:
		r = brotli.NewReader(bytes.NewReader(data))
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// noise is text that does not compress away, so that a large body stays large and its
// compressed form has the header that large ones have.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, n)
	for i := range text {
		text[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[random.IntN(36)]
	}
	return string(text)
}

// TestEncodings sends bodies in every coding under every header that the coding can be
// told from.
func TestEncodings(t *testing.T) {
	all := []string{"gzip", "GZIP", "x-gzip", "deflate", "zstd", "identity", "", " ", "snappy"}
	headers := map[string][]string{
		"plain":   append(all, "br"),
		"gzip":    append(all, "br"),
		"zstd":    append(all, "br"),
		"zlib":    all,
		"deflate": {"deflate", "Deflate"},
		"br":      {"br", "BR"},
	}
	b := newRig(t, nil)
	for coding, names := range headers {
		for _, name := range names {
			checkEncoding(t, b, coding, name, eventJSON(testID))
		}
	}
}

// TestEncodingsLarge sends bodies whose compressed form begins as that of large ones
// does, which for brotli can be the "[" of a JSON list.
func TestEncodingsLarge(t *testing.T) {
	b := newRig(t, nil)
	for _, n := range []int{60_000, 70_000, 200_000} {
		payload := `{"event_id":"` + testID + `","message":"` + noise(n) + `"}`
		for coding, name := range map[string]string{"plain": "", "gzip": "gzip", "zlib": "deflate", "deflate": "deflate", "br": "br", "zstd": "zstd"} {
			checkEncoding(t, b, coding, name, payload)
		}
	}
	if got := compress(t, "br", []byte(noise(70_000)))[0]; got != '[' {
		t.Errorf("brotli begins with %q: this test lost its point", got)
	}
}

// checkEncoding sends one event in a coding under a header, in an envelope and alone.
func checkEncoding(t *testing.T, b *rig, coding, name, payload string) {
	t.Helper()
	for path, plain := range map[string]string{
		"/api/9/envelope/": "{}\n{\"type\":\"event\"}\n" + payload,
		"/api/9/store/":    payload,
	} {
		b.queue.got = nil
		w := b.post(path, string(compress(t, coding, []byte(plain))), "Content-Encoding", name)
		if w.Code != http.StatusOK || len(b.queue.got) != 1 || b.plain(b.queue.got[0]) != payload {
			t.Errorf("%d bytes in %s under %q to %s: status %d with %d events: %s", len(plain), coding, name, path, w.Code, len(b.queue.got), w.Body)
		}
	}
}

func TestEncodingsOfStore(t *testing.T) {
	b := newRig(t, nil)
	payload := eventJSON(testID)
	for _, body := range []string{
		string(compress(t, "base64", []byte(payload))),
		base64.StdEncoding.EncodeToString([]byte(payload)),
		base64.StdEncoding.EncodeToString(compress(t, "gzip", []byte(payload))),
		string(compress(t, "zlib", []byte(payload))),
		" \n" + payload,
		"\ufeff" + payload,
	} {
		b.queue.got = nil
		w := b.post("/api/9/store/", body, "Content-Type", "application/octet-stream")
		if w.Code != http.StatusOK || answeredID(t, w) != testID || len(b.queue.got) != 1 {
			t.Errorf("%.30q: status %d: %s", body, w.Code, w.Body)
		}
	}
	for _, body := range []string{"", "null", "[]", "hello", "!!!!", "eJw=", `"eJw="`, payload + payload} {
		b.queue.got = nil
		w := b.post("/api/9/store/", body)
		if w.Code != http.StatusBadRequest || len(b.queue.got) != 0 {
			t.Errorf("%.30q: status %d: %s", body, w.Code, w.Body)
		}
	}
}

// TestTruncated cuts bodies short in every coding: a clear 400, nothing queued.
func TestTruncated(t *testing.T) {
	b := newRig(t, nil)
	plain := []byte(envelopeOf(`{"type":"event"}`, eventJSON(testID)))
	for coding, name := range map[string]string{"gzip": "gzip", "zlib": "deflate", "deflate": "deflate", "br": "br", "zstd": "zstd"} {
		body := compress(t, coding, plain)
		for _, keep := range []int{3, 8, len(body) / 2} {
			w := b.post("/api/9/envelope/", string(body[:keep]), "Content-Encoding", name)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s cut to %d bytes: status %d: %s", coding, keep, w.Code, w.Body)
			}
			if !strings.Contains(w.Body.String(), "decompressed") {
				t.Errorf("%s cut to %d bytes: %s", coding, keep, w.Body)
			}
		}
	}
	if len(b.queue.got) != 0 {
		t.Errorf("%d events queued", len(b.queue.got))
	}
	if got := b.flushed()["error/refused/bad_encoding"]; got != 15 {
		t.Errorf("counted %d of 15", got)
	}
}

// TestTruncatedBehindEvent loses the end of a body, but not the event before it.
func TestTruncatedBehindEvent(t *testing.T) {
	b := newRig(t, nil)
	body := compress(t, "gzip", []byte(envelopeOf(`{"type":"event"}`, eventJSON(testID), `{"type":"attachment","length":100000}`, noise(100_000))))
	w := b.post("/api/9/envelope/", string(body[:len(body)/2]), "Content-Encoding", "gzip")
	if w.Code != http.StatusOK || len(b.queue.got) != 1 {
		t.Errorf("status %d with %d events", w.Code, len(b.queue.got))
	}
	if got := b.flushed()["error/refused/bad_encoding"]; got != 1 {
		t.Errorf("the loss was not counted")
	}
}

// TestZstdWindow refuses a stream that would make its decoder hold a window larger
// than any ordinary encoder's.
func TestZstdWindow(t *testing.T) {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := w.Write(bytes.Repeat([]byte("{} "), 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer := newRig(t, nil).post("/api/9/envelope/", out.String(), "Content-Encoding", "zstd")
	if answer.Code != http.StatusRequestEntityTooLarge || !strings.Contains(answer.Body.String(), "window") {
		t.Errorf("status %d: %s", answer.Code, answer.Body)
	}
}
