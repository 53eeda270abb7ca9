//go:build aws

package aws

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sundew/schema/corpus"
)

// projects is how many the corpus reports to.
const projects = 42

// TestCorpus sends all recorded requests to the function and to a digester's own
// intake. Both answer alike, and both end up with the same books.
func TestCorpus(t *testing.T) {
	dir, c := t.TempDir(), startCloud(t, home)
	for range projects {
		mustRun(t, command(dir, nil, "project", "create", "Recorded", "--key", corpus.Key))
	}
	embeddedDir := t.TempDir()
	if err := os.CopyFS(embeddedDir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	p, embedded := startDigester(t, dir, c, home), start(t, command(embeddedDir, nil, "serve"))
	f := startFront(t, c.Region(home), 1)

	made := map[string]bool{} // ids that the edge made, each its own
	for _, req := range requests(t) {
		got, want := replay(t, f.url, req), replay(t, embedded.URL, req)
		if diff := cmp.Diff(want.shape(), got.shape()); diff != "" {
			t.Errorf("%s: %s %s: the function answers otherwise than the embedded intake (-embedded +function):\n%s", req.Name, req.Method, req.Path, diff)
		}
		if got.body != want.body {
			made[got.id()], made[want.id()] = true, true
		}
	}
	f.Recycle() // sends the last counts
	want := embedded.settle(t, 300)
	got := p.settle(t, int(want.Accepted))
	eventually(t, "the counts have arrived", func() bool {
		got, want = p.books(t), embedded.books(t)
		return cmp.Equal(want.Edge, got.Edge)
	})
	got.Redelivered = want.Redelivered // SQS may deliver twice
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the books (-embedded +function):\n%s", diff)
	}
	t.Logf("%d accepted, %d of them duplicates; counted beside them: %v", got.Accepted, got.Duplicate, got.Edge)
	p.Terminate(t)
	embedded.Terminate(t)
	sent := cmpopts.IgnoreMapEntries(func(id string, _ int) bool { return made[id] })
	if diff := cmp.Diff(storedEvents(t, embeddedDir), storedEvents(t, dir), sent); diff != "" {
		t.Errorf("the events that came with an id (-embedded +function):\n%s", diff)
	}
	mustRun(t, command(dir, c, "check"))
	if claims := objects(t, c.Region(home), "claims/"); len(claims) != 0 {
		t.Errorf("left in the bucket: %v", claims)
	}
}

// requests returns everything that is recorded or crafted.
func requests(t *testing.T) []corpus.Request {
	t.Helper()
	captured, err := corpus.Captured()
	if err != nil {
		t.Fatal(err)
	}
	crafted, err := corpus.Crafted()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(captured, crafted)
}

// answer is what a client sees.
type answer struct {
	status int
	header http.Header
	body   string
}

// replay sends a request as it was recorded.
func replay(t *testing.T, url string, req corpus.Request) answer {
	t.Helper()
	target := url + req.Path
	if req.Query != "" {
		target += "?" + req.Query
	}
	out, err := http.NewRequestWithContext(t.Context(), req.Method, target, bytes.NewReader(req.Body))
	if err != nil {
		t.Fatalf("%s: %v", req.Name, err)
	}
	out.Header = req.Header.Clone()
	if strings.EqualFold(out.Header.Get("Transfer-Encoding"), "chunked") {
		out.ContentLength = -1
	}
	for _, h := range []string{"Host", "Content-Length", "Connection", "Transfer-Encoding"} {
		out.Header.Del(h)
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	got, err := transport.RoundTrip(out)
	if err != nil {
		t.Fatalf("%s: %v", req.Name, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("%s: %v", req.Name, err)
	}
	return answer{got.StatusCode, got.Header, string(body)}
}

var anyID = regexp.MustCompile(`"id":"([0-9a-f]{32})"`)

// id returns the event's id in the answer, empty if there is none.
func (a answer) id() string {
	if found := anyID.FindStringSubmatch(a.body); found != nil {
		return found[1]
	}
	return ""
}

// shape is what has to be the same of two answers to one request. Ids that the edge
// makes are as good as any; a Function URL gives every answer a type.
func (a answer) shape() any {
	header := a.header.Clone()
	for _, name := range []string{"Date", "Content-Length", "Connection"} {
		header.Del(name)
	}
	if a.body == "" {
		header.Del("Content-Type")
	}
	return struct {
		Status int
		Header http.Header
		Body   string
	}{a.status, header, anyID.ReplaceAllString(a.body, `"id":"…"`)}
}
