//go:build aws

package aws

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// TestLargeEvent: an event that does not fit into the queue even when it is
// compressed goes by the bucket, and leaves nothing there.
func TestLargeEvent(t *testing.T) {
	dir, c := t.TempDir(), startCloud(t, home)
	region := c.Region(home)
	p := startDigester(t, dir, c, home)
	p.Terminate(t)
	f := startFront(t, region, 1)
	id := newID()
	if status := f.report(t.Context(), p.Key, id, noise(1_000_000)); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	if claims := objects(t, region, "claims/"); len(claims) != 1 {
		t.Fatalf("the bucket has the claims %v, want one", claims)
	}
	p = startDigester(t, dir, c, home)
	eventually(t, "the event has a page", func() bool {
		status, _ := p.get(t, "/events/"+id)
		return status == http.StatusOK
	})
	eventually(t, "the object is deleted", func() bool { return len(objects(t, region, "claims/")) == 0 })
	if b := p.settle(t, 1); b.Digested != 1 || b.Lost != 0 {
		t.Errorf("the books: %+v", b)
	}
	p.Terminate(t)
	mustRun(t, command(dir, c, "check"))
}

// TestLargeAttachment: a file that is too large for the queue goes the same way, and is
// downloaded as it was sent.
func TestLargeAttachment(t *testing.T) {
	dir, c := t.TempDir(), startCloud(t, home)
	region := c.Region(home)
	p := startDigester(t, dir, c, home)
	p.Terminate(t)
	f := startFront(t, region, 1)
	id, content := newID(), make([]byte, 3_000_000)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	envelope := fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":"it broke"}`+"\n"+`{"type":"attachment","length":%d,"filename":"core.bin"}`+"\n%s",
		id, len(content), content)
	if status := f.post(t.Context(), 1, p.Key, envelope); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	if claims := objects(t, region, "claims/"); len(claims) != 1 {
		t.Fatalf("the bucket has the claims %v, want one", claims)
	}
	p = startDigester(t, dir, c, home)
	if b := p.settle(t, 2); b.Digested != 2 || b.Lost != 0 {
		t.Errorf("the books: %+v", b)
	}
	if _, page := p.get(t, "/events/"+id); !strings.Contains(page, `<a href="/projects/1/attachments/1" download>core.bin</a>`) {
		t.Error("the event's page has no link to the attachment")
	}
	if status, got := p.get(t, "/projects/1/attachments/1"); status != http.StatusOK || got != string(content) {
		t.Errorf("downloaded %d bytes with status %d, not those that were sent", len(got), status)
	}
	eventually(t, "the object is deleted", func() bool { return len(objects(t, region, "claims/")) == 0 })
	p.Terminate(t)
	mustRun(t, command(dir, c, "check"))
}

// noise returns text that hardly compresses and that JSON does not escape.
func noise(size int) string {
	const symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%'()*+,-./:;=?@[]^_`{|}~"
	text := make([]byte, size)
	for i := range text {
		text[i] = symbols[mathrand.IntN(len(symbols))]
	}
	return string(text)
}
