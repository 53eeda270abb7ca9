//go:build e2e

package e2e

import (
	"context"
	"path/filepath"
	"testing"
)

// mapped is how a person sees the error of the page in web when its source map is
// there.
func mapped(id string) expectation {
	return expectation{
		EventID: id, Type: "CartError", Value: "there is nothing in the cart", Handled: "unhandled",
		Function: "totalOf", Source: `throw new CartError("there is nothing in the cart");`,
	}
}

// TestSourceMaps has minified pages fail in a real browser, whose source maps come by
// plugins of a bundler and by sentry-cli, before the error and after it.
func TestSourceMaps(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	b := startBrowser(ctx, t, p)
	at := p.newProject(ctx, t, "Web", "web")
	token := p.tokenForTools(ctx, t, at, "project:releases")
	build := shopBuild{dsn: at.dsn, url: p.url, project: at.slug, token: token}
	tool, err := filepath.Abs(cliPaths()["3.8.0"])
	if err != nil {
		t.Fatal(err)
	}
	c := cli{path: tool, dir: t.TempDir(), env: []string{"SENTRY_AUTH_TOKEN=" + token, "SENTRY_PROJECT=" + at.slug}}
	fail := func(t *testing.T, dir string) string {
		t.Helper()
		id := (&browserShop{b: b, url: serveShop(t, dir)}).press(ctx, t, "checkout")
		p.waitVisible(ctx, t, id)
		return id
	}

	var first seen
	t.Run("plugin of today", func(t *testing.T) {
		build.release, build.plugin = "web@1.0.0", "11"
		first = b.readSource(ctx, t, fail(t, buildShop(ctx, t, build)), "")
	})
	if first.Issue == "" {
		t.Fatal("what follows needs this error")
	}
	same := func(t *testing.T, id string) {
		t.Helper()
		b.readSource(ctx, t, id, first.Issue)
	}
	t.Run("plugin of before, other names", func(t *testing.T) {
		build.release, build.plugin, build.padding = "web@1.1.0", "5", 100
		same(t, fail(t, buildShop(ctx, t, build)))
	})
	build.plugin, build.padding = "", 5000
	t.Run("uploaded afterwards", func(t *testing.T) {
		build.release = "web@1.2.0"
		dir := buildShop(ctx, t, build)
		c.run(ctx, t, nil, "sourcemaps", "inject", dir)
		id := fail(t, dir)
		raw := b.do(ctx, t, command{Do: "readMinified", URL: b.url, Want: &expectation{EventID: id}, Text: "but no bundle that was uploaded to this project has it"})
		if raw.Issue == first.Issue {
			t.Error("without its source map the error is the same issue already: the builds do not differ")
		}
		c.run(ctx, t, nil, "sourcemaps", "upload", "--release", build.release, dir)
		same(t, id)
	})
	t.Run("by release and address", func(t *testing.T) {
		build.release = "web@1.3.0"
		dir := buildShop(ctx, t, build)
		id := fail(t, dir)
		b.do(ctx, t, command{Do: "readMinified", URL: b.url, Want: &expectation{EventID: id}, Text: "No bundle was uploaded for release web@1.3.0"})
		c.run(ctx, t, nil, "sourcemaps", "upload", "--release", build.release, "--url-prefix", "~/", "--wait", dir)
		same(t, id)
		same(t, fail(t, dir))
	})
	p.stop(t)
	p.check(ctx, t)
}

// readSource waits until an event's page shows the source and the event is in an issue,
// unless that is empty, and reads it.
func (b *browser) readSource(ctx context.Context, t *testing.T, id, issue string) seen {
	t.Helper()
	want := mapped(id)
	return b.do(ctx, t, command{Do: "readSource", URL: b.url, Want: &want, Text: "cart.ts", Issue: issue}).seen
}
