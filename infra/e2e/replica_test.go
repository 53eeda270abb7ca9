//go:build e2e

package e2e

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// copyLine is what serve prints once there are pages of a copy.
var copyLine = regexp.MustCompile(`^Sundew is ready\. Dashboard of a copy: (http://127\.0\.0\.1:\d+)/$`)

// TestReadYourWrites: a person resolves an issue on the dashboard of a libSQL replica
// that lags by seconds. The next pages of that browser show it resolved; others see
// it so when the replica does.
func TestReadYourWrites(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	address := func(s *sqld.Server) string { return s.URL() + "?namespace=" + sqld.Namespace }
	p := startProduct(ctx, t, "SUNDEW_DB="+address(server))
	shop := newGoShop(t, p.createProject(ctx, t, "Shop backend"))
	want := shop.handled(t)
	p.waitVisible(ctx, t, want.EventID)

	network := sqldtest.Proxy(t, server.GRPC, 0)
	replica := sqldtest.Start(t, sqld.Config{Primary: network.Addr})
	b := startBrowser(ctx, t, p)
	b.url = startCopy(ctx, t, p, address(replica))
	issue := b.readEvent(ctx, t, want)
	if !strings.HasPrefix(issue.Issue, b.url) {
		t.Fatalf("the issue is at %s, not on the copy", issue.Issue)
	}
	others := func() string { return pageOf(ctx, t, p.owner, issue.Issue) } // without the cookie of who changed something
	mustLag := func(state string) {
		t.Helper()
		if page := others(); !strings.Contains(page, "A copy, as of") || !strings.Contains(page, `class="state state-`+state+`"`) {
			t.Errorf("others do not see what the replica has, an issue that is %s:\n%s", state, page)
		}
	}
	mustLag("open")
	network.Cut() // and each page waits for a second, then comes from the primary
	b.press(ctx, t, issue, "Resolve", "resolved")
	mustLag("open")
	network.Restore()
	waitFor(ctx, t, time.Minute, "the replica has it", func() bool {
		return strings.Contains(others(), `class="state state-resolved"`)
	})
	mustLag("resolved")
	b.readState(ctx, t, issue, "resolved", "Resolved")
}

// startCopy runs a dashboard that reads a replica and returns its address.
func startCopy(ctx context.Context, t *testing.T, p *product, replica string) string {
	t.Helper()
	env := []string{"SUNDEW_REPLICA=" + replica, "SUNDEW_PRIMARY_URL=" + p.url, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_DATA=" + t.TempDir()}
	proc := startProcess(t, "digester serve --role dashboard", newCommand(ctx, t, env, p.binary, "serve", "--role", "dashboard"))
	line := proc.line(ctx, t)
	match := copyLine.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("serve printed %q, want %v", line, copyLine)
	}
	return match[1]
}

// pageOf returns a page as a client sees it.
func pageOf(ctx context.Context, t *testing.T, client *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
