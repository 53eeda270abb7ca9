// Package eventtest hands the events of the recorded traffic to tests.
//
// It exists because parsing, grouping and pages are all tested on the same
// events, and none of them should know how a request wraps them. It opens
// envelopes in the simplest way that works for this corpus; the real reader is
// the edge's.
package eventtest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"sundew/schema/corpus"
	"sundew/schema/event"
)

// Payload is one event as a client sent it.
type Payload struct {
	Name     string // the case, with ".2" and so on for further events of one request
	SDK      string
	Security bool // a browser's security report, for event.ParseSecurity
	JSON     []byte
}

// Parse returns the whole event.
func (p Payload) Parse() (*event.Event, error) { return p.read(event.Parse) }

// Skim returns the event as the digester reads it.
func (p Payload) Skim() (*event.Event, error) { return p.read(event.Skim) }

func (p Payload) read(read func([]byte) (*event.Event, error)) (*event.Event, error) {
	if p.Security {
		return event.ParseSecurity(p.JSON, "production", "web@3.2.0")
	}
	return read(p.JSON)
}

// Captured returns the error events of the recorded requests in the order of
// their names.
func Captured(t testing.TB) []Payload {
	t.Helper()
	payloads, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return payloads
}

// Load is Captured for programs that are not tests.
func Load() ([]Payload, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	var payloads []Payload
	for _, r := range requests {
		bodies, err := open(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		for i, body := range bodies {
			p := Payload{Name: r.Name, SDK: r.SDK, Security: strings.Contains(r.Path, "/security/"), JSON: body}
			if i > 0 {
				p.Name = fmt.Sprintf("%s.%d", r.Name, i+1)
			}
			payloads = append(payloads, p)
		}
	}
	if len(payloads) < 250 {
		return nil, fmt.Errorf("only %d events in the corpus", len(payloads))
	}
	return payloads, nil
}

// MustParse returns the captured event of that name, whole.
func MustParse(t testing.TB, payloads []Payload, name string) *event.Event {
	t.Helper()
	for _, p := range payloads {
		if p.Name == name {
			e, err := p.Parse()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return e
		}
	}
	t.Fatalf("no event %q in the corpus", name)
	return nil
}

// Foreign returns the JSON objects among other projects' fixtures; none where
// they are absent.
func Foreign(t testing.TB) []Payload {
	t.Helper()
	dir, ok := corpus.Foreign()
	if !ok {
		return nil
	}
	var payloads []Payload
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if body = bytes.TrimSpace(body); bytes.HasPrefix(body, []byte("{")) && json.Valid(body) {
			name, _ := filepath.Rel(dir, path)
			payloads = append(payloads, Payload{Name: name, JSON: body})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return payloads
}

// open returns the events in a request.
func open(r corpus.Request) ([][]byte, error) {
	body, err := decompress(r)
	if err != nil || r.Method != "POST" {
		return nil, err
	}
	switch {
	case strings.Contains(r.Path, "/envelope/"):
		return items(body)
	case strings.Contains(r.Path, "/store/"), strings.Contains(r.Path, "/security/"):
		return [][]byte{body}, nil
	}
	return nil, nil
}

func decompress(r corpus.Request) ([]byte, error) {
	var from io.Reader = bytes.NewReader(r.Body)
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		from, err = gzip.NewReader(from)
	case "br":
		from = brotli.NewReader(from)
	default:
		if strings.Contains(r.Path, "/store/") && !bytes.HasPrefix(r.Body, []byte("{")) {
			from, err = zlib.NewReader(base64.NewDecoder(base64.StdEncoding, from))
		}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(from)
}

// items returns the payloads of the items of type "event".
func items(envelope []byte) ([][]byte, error) {
	var events [][]byte
	_, rest, _ := bytes.Cut(envelope, []byte("\n"))
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if rest = after; len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var header struct {
			Type   string `json:"type"`
			Length *int   `json:"length"`
		}
		if err := json.Unmarshal(line, &header); err != nil {
			return nil, err
		}
		payload, after, _ := bytes.Cut(rest, []byte("\n"))
		if header.Length != nil {
			payload, after = rest[:*header.Length], bytes.TrimPrefix(rest[*header.Length:], []byte("\n"))
		}
		if rest = after; header.Type == "event" {
			events = append(events, payload)
		}
	}
	return events, nil
}
