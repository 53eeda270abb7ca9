//go:build sqld

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// TestPrimaryWithoutServer: with its libSQL server gone, the primary's own pages and
// forms say what is wrong in words, and all goes on when it is back.
func TestPrimaryWithoutServer(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	p := startPrimary(t, server)
	b := newBrowser(t, p.url)
	b.signIn()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/ledger", "/projects/1/issues", "/projects/1/setup", "/projects/1/quiet", "/issues/1", "/issues/1/events", "/issues/1/events/1", "/issues/1/events/1/json", "/events/" + brokeID} {
		if status, page := b.get(path); status != http.StatusServiceUnavailable || !strings.Contains(page, "The database does not answer") {
			t.Errorf("%s answered %d\n%s", path, status, page)
		}
	}
	for path, form := range map[string]url.Values{"/projects": {"name": {"Typed and kept"}}, "/issues/1/resolve": nil} {
		if status, page := b.post(path, form); status != http.StatusServiceUnavailable || !strings.Contains(page, "The database does not answer") || !strings.Contains(page, form.Get("name")) {
			t.Errorf("%s answered %d\n%s", path, status, page)
		}
	}
	if status, body := b.ready(); status != http.StatusServiceUnavailable || !strings.Contains(body, "does not answer") {
		t.Errorf("/health/ready answered %d: %s", status, body)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/issues/1"} {
		waitFor(t, "pages are back", func() bool { status, _ := b.get(path); return status == http.StatusOK })
	}
	if status, page := b.post("/issues/1/resolve", nil); status != http.StatusOK || !strings.Contains(page, "/issues/1/reopen") {
		t.Errorf("resolving answered %d\n%s", status, page)
	}
}

// TestPrimaryCorpus: the recorded corpus through the whole program, with a libSQL
// server in place of the file.
func TestPrimaryCorpus(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	testCaptured(t, map[string]string{"SUNDEW_DATA": t.TempDir(), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_DB": address(server), "SUNDEW_SPIKE": "0"})
}
