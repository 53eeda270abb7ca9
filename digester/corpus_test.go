package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"sundew/schema/corpus"
	"sundew/schema/event"
)

// The whole recorded corpus, byte for byte, through the whole program: every
// request is answered as a real server would, every event is stored, and every
// page of it shows what broke.
func TestCorpusCaptured(t *testing.T) {
	t.Parallel()
	testCaptured(t, map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0"})
}

func testCaptured(t *testing.T, env map[string]string) {
	requests, err := corpus.Captured()
	if err != nil {
		t.Fatal(err)
	}
	lookUp := func(name string) string { return env[name] }
	createProjects(t, lookUp, 42, corpus.Key)
	r := startServiceWith(t, env)
	var events []reported
	var files []string
	for _, req := range requests {
		status, answer := r.replay(req)
		if want := wantStatus(req); status != want {
			t.Errorf("%s %s %s: answered %d, want %d: %s", req.Name, req.Method, req.Path, status, want, answer)
			continue
		}
		if status == http.StatusOK && req.Method == http.MethodPost {
			events = append(events, eventsOf(t, req, answer)...)
			files = append(files, asidesOf(t, req)...)
		}
	}
	if len(events) < 300 {
		t.Fatalf("only %d events were reported", len(events))
	}
	r.wantAll(events)
	r.crawl()
	unique := map[string]bool{} // two recordings of one SDK run share an id
	for _, e := range events {
		unique[e.project+" "+e.id] = true
	}
	if len(files) < 35 {
		t.Errorf("only %d attachments and feedback", len(files))
	}
	for _, f := range files {
		unique[f] = true
	}
	if b := r.books(); b.Accepted != int64(len(events)+len(files)) || b.Digested != int64(len(unique)) || b.DroppedTotal() != 0 {
		t.Errorf("%d events and %d files were sent, %d of them different; the books say %+v", len(events), len(files), len(unique), b.Balance)
	}
	r.stop()
	mustCheck(t, lookUp)
}

// wantStatus is what a real server answers.
func wantStatus(req corpus.Request) int {
	switch {
	case req.Method == http.MethodOptions:
		return http.StatusOK
	case !strings.HasSuffix(req.Path, "/envelope/") && !strings.HasSuffix(req.Path, "/store/") && !strings.HasSuffix(req.Path, "/security/"):
		return http.StatusNotFound // minidumps, the report dialog: not taken yet
	case req.Name == "node-event-huge--02" || req.Name == "php-large-nocompress":
		return http.StatusRequestEntityTooLarge // events of 1.5 MB
	}
	return http.StatusOK
}

// reported is an event that a client was told was accepted.
type reported struct {
	name    string
	project string // the number in the path
	id      string
	shows   []string // what its page has to show: exception types, or the message
}

// replay sends a request as it was recorded.
func (r *running) replay(req corpus.Request) (int, string) {
	r.t.Helper()
	target := r.url + req.Path
	if req.Query != "" {
		target += "?" + req.Query
	}
	out, err := http.NewRequest(req.Method, target, bytes.NewReader(req.Body))
	if err != nil {
		r.t.Fatalf("%s: %v", req.Name, err)
	}
	out.Header = req.Header.Clone()
	if strings.EqualFold(out.Header.Get("Transfer-Encoding"), "chunked") {
		out.ContentLength = -1
	}
	for _, h := range []string{"Host", "Content-Length", "Connection", "Transfer-Encoding"} {
		out.Header.Del(h)
	}
	answer, err := (&http.Transport{DisableCompression: true}).RoundTrip(out)
	if err != nil {
		r.t.Fatalf("%s: %v", req.Name, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatalf("%s: %v", req.Name, err)
	}
	if answer.Header.Get("Access-Control-Allow-Origin") != "*" {
		r.t.Errorf("%s: answered %d without CORS", req.Name, answer.StatusCode)
	}
	return answer.StatusCode, string(body)
}

var projectInPath = regexp.MustCompile(`/api/(\d+)/`)

// eventsOf reads a recorded request in the simplest way that works for it, not
// with the code under test.
func eventsOf(t *testing.T, req corpus.Request, answer string) []reported {
	t.Helper()
	var answered struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &answered); err != nil {
		t.Errorf("%s: answer %q: %v", req.Name, answer, err)
		return nil
	}
	name, project := req.Name, projectInPath.FindStringSubmatch(req.Path)[1]
	switch {
	case strings.HasSuffix(req.Path, "/security/"):
		var report map[string]map[string]any
		if err := json.Unmarshal(req.Body, &report); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		directive, _ := report["csp-report"]["effective-directive"].(string)
		return []reported{{name, project, answered.ID, []string{directive}}}
	case strings.HasSuffix(req.Path, "/store/"):
		return []reported{{name, project, answered.ID, shownBy(t, name, storeBody(t, req))}}
	}
	var events []reported
	for _, i := range items(t, name, decodeBody(t, req)) {
		if i.Type == "event" {
			events = append(events, reported{name, project, answered.ID, shownBy(t, name, i.payload)})
		}
	}
	return events
}

// asidesOf returns something that names each attachment and each feedback of a
// recorded request.
func asidesOf(t *testing.T, req corpus.Request) (asides []string) {
	if !strings.HasSuffix(req.Path, "/envelope/") {
		return nil
	}
	envelope := decodeBody(t, req)
	var header struct {
		ID string `json:"event_id"`
	}
	if line, _, _ := bytes.Cut(envelope, []byte("\n")); json.Unmarshal(line, &header) != nil {
		t.Fatalf("%s: envelope header %.100q", req.Name, line)
	}
	for _, i := range items(t, req.Name, envelope) {
		if slices.Contains([]string{"attachment", "feedback", "user_report"}, i.Type) {
			asides = append(asides, fmt.Sprintf("%s %s %s %x", projectInPath.FindStringSubmatch(req.Path)[1], strings.ReplaceAll(header.ID, "-", ""), i.Filename, i.payload))
		}
	}
	return asides
}

// item is an item of an envelope.
type item struct {
	Type     string
	Filename string
	Length   *int
	payload  []byte
}

// items returns an envelope's items.
func items(t *testing.T, name string, envelope []byte) (all []item) {
	_, rest, _ := bytes.Cut(envelope, []byte("\n"))
	for len(rest) > 0 {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		rest = after
		if len(line) == 0 {
			continue
		}
		var i item
		if err := json.Unmarshal(line, &i); err != nil {
			t.Fatalf("%s: item header %.100q: %v", name, line, err)
		}
		if i.Length != nil {
			i.payload, rest = rest[:*i.Length], bytes.TrimPrefix(rest[*i.Length:], []byte("\n"))
		} else {
			i.payload, rest, _ = bytes.Cut(rest, []byte("\n"))
		}
		all = append(all, i)
	}
	return all
}

func decodeBody(t *testing.T, req corpus.Request) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(req.Body)
	switch req.Header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatalf("%s: %v", req.Name, err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", req.Name, err)
	}
	return plain
}

// shownBy returns what an event's page has to show.
func shownBy(t *testing.T, name string, payload []byte) []string {
	t.Helper()
	var ev struct {
		Exception json.RawMessage `json:"exception"`
		Message   any             `json:"message"`
		Logentry  struct {
			Message   string
			Formatted string
		} `json:"logentry"`
	}
	if err := json.Unmarshal(payload, &ev); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	type exception struct{ Type, Value string }
	var list []exception
	var wrapped struct{ Values []exception }
	var single exception
	switch {
	case json.Unmarshal(ev.Exception, &list) == nil:
	case json.Unmarshal(ev.Exception, &wrapped) == nil && wrapped.Values != nil:
		list = wrapped.Values
	case json.Unmarshal(ev.Exception, &single) == nil:
		list = []exception{single}
	}
	var shows []string
	for _, x := range list {
		if x.Type != "" {
			shows = append(shows, x.Type)
		} else if x.Value != "" {
			shows = append(shows, firstLine(x.Value))
		}
	}
	if message, ok := ev.Message.(string); ok && len(shows) == 0 {
		shows = append(shows, firstLine(message))
	}
	if len(shows) == 0 && ev.Logentry.Formatted != "" {
		shows = append(shows, firstLine(ev.Logentry.Formatted))
	}
	return shows
}

// firstLine returns the beginning of a text, as far as every page shows it.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	return s[:min(len(s), 60)]
}

// wantAll waits until everything is digested and looks at each event's page.
func (r *running) wantAll(events []reported) {
	r.t.Helper()
	waitFor(r.t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	for _, e := range events {
		status, page := r.get("/events/" + e.id)
		if status != http.StatusOK {
			r.t.Errorf("%s: the page of event %s answered %d", e.name, e.id, status)
			continue
		}
		text := html.UnescapeString(page)
		for _, want := range e.shows {
			if !strings.Contains(text, want) {
				r.t.Errorf("%s: the page of event %s does not show %q", e.name, e.id, want)
			}
		}
	}
}

var (
	hrefs   = regexp.MustCompile(`href="(/[^"#]*)"`)
	numbers = regexp.MustCompile(`[0-9a-f]{32}|[0-9]+`)
	values  = regexp.MustCompile(`=[^&]*`)
)

// crawl opens pages that pages link to: some of each kind, or with
// SUNDEW_TEST_CRAWL=all hundreds of each.
func (r *running) crawl() {
	r.t.Helper()
	ofKind := 4
	if os.Getenv("SUNDEW_TEST_CRAWL") == "all" {
		ofKind = 1000
	}
	kinds := map[string]int{}
	seen := map[string]bool{"/": true}
	for todo := []string{"/"}; len(todo) > 0; {
		path := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		status, page := r.get(path)
		if status != http.StatusOK {
			r.t.Errorf("%s answered %d", path, status)
		}
		for _, link := range hrefs.FindAllStringSubmatch(page, -1) {
			next := html.UnescapeString(link[1])
			if kind := numbers.ReplaceAllString(values.ReplaceAllString(next, "="), "#"); !seen[next] && kinds[kind] < ofKind {
				seen[next] = true
				kinds[kind]++
				todo = append(todo, next)
			}
		}
	}
	r.t.Logf("%d pages", len(seen))
}

// Every hand-made case gives what CRAFTED.md says.
func TestCorpusCrafted(t *testing.T) {
	requests, err := corpus.Crafted()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	createProjects(t, envOf(dir), 9, corpus.Key)
	r := startService(t, dir)
	refused := map[string]int{
		"length-too-long": 400, "length-wrong-no-newline-after": 400, "bad-json-header": 400, "bad-json-payload": 400,
		"missing-type": 400, "empty-body": 400, "gzip-bomb-60MB": 413, "truncated-gzip": 400,
		"auth-missing": 401, "auth-wrong-key": 403,
		"deep-json": 413, // 10,000 levels; the limit is 64
	}
	ids := map[string]string{}
	events := 0
	for _, req := range requests {
		status, answer := r.replay(req)
		want := 200
		if code, ok := refused[req.Name]; ok {
			want = code
		}
		if status != want {
			t.Errorf("%s (%s): answered %d, want %d: %s", req.Name, req.Expect, status, want, answer)
		}
		var got struct{ ID, Detail string }
		if err := json.Unmarshal([]byte(answer), &got); err != nil {
			t.Errorf("%s: answer %q: %v", req.Name, answer, err)
		}
		switch {
		case status != 200 && got.Detail == "":
			t.Errorf("%s: answered %d without a detail: %s", req.Name, status, answer)
		case status == 200 && req.Name != "header-only":
			events++
			if _, err := event.ParseID(got.ID); err != nil || got.ID != strings.ToLower(got.ID) || len(got.ID) != 32 {
				t.Errorf("%s: answered the id %q", req.Name, got.ID)
			}
			ids[got.ID] = req.Name
		}
	}
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	b := r.books()
	// two-events brings the same id twice; most cases share one id. Two of them have an
	// attachment too.
	if b.Accepted != int64(events+1+2) || b.Digested != int64(len(ids)+2) || b.DroppedTotal() != 0 {
		t.Errorf("%d events with %d ids were sent, the books say %+v", events+1, len(ids), b.Balance)
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if status, _ := r.get("/events/" + id); status != 200 {
			t.Errorf("%s: the page of event %s answered %d", ids[id], id, status)
		}
	}
	r.stop()
	mustCheck(t, envOf(dir))
}

// malformed fixtures are wrong on purpose or by accident; a real server refuses
// them too.
var malformed = map[string]string{
	"sentry-java/envelope-event-attachment.txt":          "the event's JSON lacks its last brace",
	"sentry-java/envelopes/event-attachment.txt":         "the event's JSON lacks its last brace",
	"sentry-java/envelopes/session-only.txt":             "the length is shorter than the payload",
	"spotlight/continuous_profiling/profile_chunk_1.txt": "the length is longer than the payload",
	"spotlight/continuous_profiling/profile_chunk_2.txt": "the length is longer than the payload",
	"spotlight/envelope_flutter_replay.bin":              "the length is longer than the payload",
}

// Other projects' fixtures, where they are present: nothing is lost, nothing
// crashes a page.
func TestCorpusForeign(t *testing.T) {
	root, ok := corpus.Foreign()
	if !ok {
		t.Skip("other projects' fixtures are not part of the repository")
	}
	dir := t.TempDir()
	createProjects(t, envOf(dir), 2, corpus.Key)
	r := startService(t, dir)
	sent := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		switch ext := filepath.Ext(path); {
		case strings.Contains(rel, "security_report") && strings.HasSuffix(rel, ".input.json"):
			r.post("/api/2/security/?sentry_key="+corpus.Key, string(body), 200)
			sent++
		case strings.HasPrefix(rel, filepath.Join("relay-2021", "payloads")), strings.HasSuffix(rel, "macos-event.json"), strings.HasSuffix(rel, "sentry_event.json"):
			r.post("/api/2/store/?sentry_key="+corpus.Key, string(body), 200)
			sent++
		case (ext == ".txt" || ext == ".bin") && bytes.HasPrefix(body, []byte("{")):
			req := corpus.Request{Name: rel, Method: "POST", Path: "/api/2/envelope/", Query: "sentry_key=" + corpus.Key, Header: http.Header{}, Body: body}
			status, answer := r.replay(req)
			want := 200
			if malformed[filepath.ToSlash(rel)] != "" {
				want = 400
			}
			if status != want {
				t.Errorf("%s: answered %d, want %d: %s", rel, status, want, answer)
			}
			sent++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the queue is empty", func() bool { return r.books().InFlight == 0 })
	b := r.books()
	t.Logf("%d files, books %+v", sent, b.Balance)
	if sent < 60 || b.DroppedTotal() != 0 || b.DeadLetters != 0 {
		t.Errorf("%d files were sent, the books say %+v", sent, b)
	}
	r.crawl()
	r.stop()
	mustCheck(t, envOf(dir))
}

// storeBody returns the JSON of a request to /store/: plain, compressed, or
// base64 of zlib.
func storeBody(t *testing.T, req corpus.Request) []byte {
	t.Helper()
	plain := decodeBody(t, req)
	if bytes.HasPrefix(plain, []byte("{")) {
		return plain
	}
	z, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(plain)))
	if err != nil {
		t.Fatalf("%s: %v", req.Name, err)
	}
	inflated, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("%s: %v", req.Name, fmt.Errorf("inflating: %w", err))
	}
	return inflated
}
