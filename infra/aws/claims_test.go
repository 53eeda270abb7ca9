//go:build aws

package aws

import (
	"math/rand/v2"
	"net/http"
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

// noise returns text that hardly compresses and that JSON does not escape.
func noise(size int) string {
	const symbols = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !#$%'()*+,-./:;=?@[]^_`{|}~"
	text := make([]byte, size)
	for i := range text {
		text[i] = symbols[rand.IntN(len(symbols))]
	}
	return string(text)
}
