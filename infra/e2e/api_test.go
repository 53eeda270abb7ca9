//go:build e2e

package e2e

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// personalToken makes a token of the owner on the page of tokens.
func (p *product) personalToken(ctx context.Context, t *testing.T, scopes ...string) string {
	t.Helper()
	page := p.send(ctx, t, http.MethodPost, "/account/tokens", url.Values{"name": {"Laptop"}, "scope": scopes})
	made := regexp.MustCompile(`id="new-token" class="select">([^<]+)<`).FindStringSubmatch(page)
	if made == nil {
		t.Fatal("the page shows no token")
	}
	return html.UnescapeString(made[1])
}

// TestAPIClients has the official clients of Sentry's API find an issue and decide about
// it, and the official client of the Model Context Protocol.
func TestAPIClients(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	dsn := p.createProject(ctx, t, "Shop")
	event := nodeHandled(ctx, t, dsn)
	p.waitVisible(ctx, t, event.EventID)
	token := p.personalToken(ctx, t, "org:read", "project:read", "project:admin", "event:read", "event:write")
	tool := cli{dir: t.TempDir(), env: []string{"SENTRY_URL=" + p.url, "SENTRY_AUTH_TOKEN=" + token, "SENTRY_ORG=anything", "SENTRY_PROJECT=shop"}}

	t.Run("sentry-cli", func(t *testing.T) {
		c := tool
		c.path = absolute(t, cliPaths()["3.8.0"])
		c.run(ctx, t, []string{"sundew", "Sundew"}, "organizations", "list")
		c.run(ctx, t, []string{"shop", "Shop"}, "projects", "list")
		c.run(ctx, t, []string{"SHOP-1", "order 1001 cannot be checked out", "unresolved"}, "issues", "list")
		c.run(ctx, t, []string{"order 1001 cannot be checked out"}, "events", "list")
		for _, step := range []struct{ verb, status string }{{"resolve", "resolved"}, {"mute", "ignored"}, {"unresolve", "unresolved"}} {
			c.run(ctx, t, []string{"Updated matching issues"}, "issues", step.verb, "--id", "1")
			c.run(ctx, t, []string{"SHOP-1", step.status}, "issues", "list")
		}
		c.refused(ctx, t, []string{"is not known"}, "issues", "list", "--query", "is:nonsense")
	})
	t.Run("sentry", func(t *testing.T) {
		c := tool
		c.path = absolute(t, "node_modules/.bin/sentry")
		c.run(ctx, t, []string{"SHOP-1"}, "issue", "list", "anything/shop")
		c.run(ctx, t, []string{"order 1001 cannot be checked out", event.EventID, "checkOut"}, "issue", "view", "SHOP-1")
		c.run(ctx, t, []string{"Resolved"}, "issue", "resolve", "anything/SHOP-1")
		c.run(ctx, t, []string{"Unresolved"}, "issue", "unresolve", "anything/SHOP-1")
		c.run(ctx, t, []string{event.EventID}, "issue", "events", "anything/SHOP-1")
		c.run(ctx, t, []string{event.EventID}, "event", "view", "anything/shop", event.EventID)
		c.run(ctx, t, []string{"owner@"}, "auth", "whoami")
		c.run(ctx, t, []string{"everyone", "Everyone"}, "team", "list", "anything/")
		c.run(ctx, t, []string{"Created project", "python-django", "http://"}, "project", "create", "payments:python-django", "--team", "everyone")
		c.run(ctx, t, []string{"payments", "python-django"}, "project", "list")
		c.run(ctx, t, []string{"payments", "http://"}, "project", "view", "anything/payments")
		c.run(ctx, t, []string{"Deleted project"}, "project", "delete", "anything/payments", "--yes")
		c.refused(ctx, t, []string{"404"}, "project", "view", "anything/payments")
	})
	t.Run("sentry-mcp", func(t *testing.T) { testSentryMCP(ctx, t, p, token, event) })
	t.Run("MCP", func(t *testing.T) { testMCP(ctx, t, p, token, event) })
	p.stop(t)
	p.check(ctx, t)
}

// agent is a client of the Model Context Protocol.
type agent struct{ session *mcp.ClientSession }

func newAgent(ctx context.Context, t *testing.T, to mcp.Transport) agent {
	t.Helper()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return agent{session}
}

// call uses a tool, which has to succeed and to say every text of want.
func (a agent) call(ctx context.Context, t *testing.T, want []string, tool string, args map[string]any) {
	t.Helper()
	result, err := a.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	var said strings.Builder
	for _, content := range result.Content {
		if text, ok := content.(*mcp.TextContent); ok {
			said.WriteString(text.Text)
		}
	}
	for _, text := range want {
		if result.IsError || !strings.Contains(said.String(), text) {
			t.Errorf("%s did not say %q:\n%s", tool, text, said.String())
		}
	}
}

// testSentryMCP runs Sentry's own server for agents against the product, as against a
// Sentry of one's own.
func testSentryMCP(ctx context.Context, t *testing.T, p *product, token string, event expectation) {
	t.Helper()
	host := strings.TrimPrefix(p.url, "http://")
	path := absolute(t, filepath.Join("node_modules", ".bin", "sentry-mcp"))
	cmd := newCommand(ctx, t, nil, path, "--access-token="+token, "--host="+host, "--insecure-http", "--disable-skills=seer")
	a := newAgent(ctx, t, &mcp.CommandTransport{Command: cmd})
	org := map[string]any{"organizationSlug": "sundew"}
	a.call(ctx, t, []string{`"slug": "sundew"`}, "find_organizations", map[string]any{})
	a.call(ctx, t, []string{`"slug": "shop"`}, "find_projects", org)
	a.call(ctx, t, []string{"SHOP-1", "order 1001 cannot be checked out"}, "search_issues", map[string]any{"organizationSlug": "sundew", "query": "is:unresolved"})
	issue := map[string]any{"resourceType": "issue", "organizationSlug": "sundew", "resourceId": "SHOP-1"}
	a.call(ctx, t, []string{"Issue SHOP-1", event.EventID, "checkOut", "blue-kettle"}, "get_sentry_resource", issue)
	a.call(ctx, t, []string{"unresolved → **resolved**"}, "update_issue", map[string]any{"organizationSlug": "sundew", "issueId": "SHOP-1", "status": "resolved"})
	a.call(ctx, t, []string{"resolved → **unresolved**"}, "update_issue", map[string]any{"organizationSlug": "sundew", "issueId": "SHOP-1", "status": "unresolved"})
}

// bearing sends a token with every request.
type bearing string

// RoundTrip implements http.RoundTripper.
func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// testMCP asks the product itself.
func testMCP(ctx context.Context, t *testing.T, p *product, token string, event expectation) {
	t.Helper()
	a := newAgent(ctx, t, &mcp.StreamableClientTransport{Endpoint: p.url + "/mcp", HTTPClient: &http.Client{Transport: bearing(token)}})
	a.call(ctx, t, []string{"SHOP-1"}, "search_issues", map[string]any{"query": "is:unresolved project:shop"})
	a.call(ctx, t, []string{event.EventID, "checkOut"}, "get_issue", map[string]any{"issue": "SHOP-1"})
	a.call(ctx, t, []string{"SHOP-1 is resolved"}, "resolve_issue", map[string]any{"issue": "SHOP-1"})
}
