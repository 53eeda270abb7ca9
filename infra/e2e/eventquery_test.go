//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestEventQueries has the official clients of Sentry's API ask about events: as a table,
// over time, of an issue, and of the books.
func TestEventQueries(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	dsn := p.createProject(ctx, t, "Shop")
	event := nodeHandled(ctx, t, dsn)
	p.waitVisible(ctx, t, event.EventID)
	token := p.personalToken(ctx, t, "org:read", "project:read", "event:read")
	const title = "order 1001 cannot be checked out"

	t.Run("sentry", func(t *testing.T) {
		c := cli{dir: t.TempDir(), path: absolute(t, "node_modules/.bin/sentry"), env: []string{"SENTRY_URL=" + p.url, "SENTRY_AUTH_TOKEN=" + token}}
		c.run(ctx, t, []string{`"count()": 1`, title}, "explore", "anything/shop", "-F", "title", "-F", "count()", "--json")
		c.run(ctx, t, []string{`"error.type"`, "StockError", event.EventID}, "explore", "anything/", "-F", "title", "-F", "error.type", "-q", "error.type:StockError level:error", "--json")
		c.run(ctx, t, []string{`"value": 1`}, "explore", "anything/shop", "--time-series", "1h", "--period", "2h", "--json")
		c.run(ctx, t, []string{event.EventID}, "event", "list", "anything/SHOP-1", "--query", "level:error")
		c.run(ctx, t, []string{"Accepted: 1 (100.00%)"}, "event", "analytics", "anything/shop")
		c.refused(ctx, t, []string{"Sundew keeps errors only"}, "explore", "anything/shop", "--dataset", "spans", "-F", "count()")
		c.refused(ctx, t, []string{"Sundew keeps errors only"}, "log", "list", "anything/shop")
	})
	t.Run("sentry-mcp", func(t *testing.T) {
		path := absolute(t, filepath.Join("node_modules", ".bin", "sentry-mcp"))
		cmd := newCommand(ctx, t, nil, path, "--access-token="+token, "--host="+strings.TrimPrefix(p.url, "http://"), "--insecure-http", "--disable-skills=seer")
		a := newAgent(ctx, t, &mcp.CommandTransport{Command: cmd})
		a.call(ctx, t, []string{title, "SHOP-1", "StockError"}, "search_events", map[string]any{"organizationSlug": "sundew", "dataset": "errors", "query": "level:error"})
		a.call(ctx, t, []string{title, `"count()": 1`}, "search_events", map[string]any{
			"organizationSlug": "sundew", "dataset": "errors", "query": "", "fields": []string{"title", "count()"}, "sort": "-count()"})
		for tool, want := range map[string]string{"search_issue_events": event.EventID, "get_issue_tag_values": `"value": "error"`} {
			a.call(ctx, t, []string{want}, "execute_sentry_tool", map[string]any{
				"name": tool, "arguments": map[string]any{"organizationSlug": "sundew", "issueId": "SHOP-1", "query": "level:error", "tagKey": "level"}})
		}
	})
	p.stop(t)
	p.check(ctx, t)
}
