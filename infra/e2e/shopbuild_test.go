//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// shopBuild is how the page in web is built.
type shopBuild struct {
	release string
	dsn     string
	padding int // how many names more there are, so that minified ones differ from another build's

	// The plugin that uploads the source map; none: nothing does.
	plugin  string // 5 or 11, which came after it
	url     string
	project string
	token   string
}

// buildShop builds the page into a directory of its own.
func buildShop(ctx context.Context, t *testing.T, b shopBuild) string {
	t.Helper()
	dir := t.TempDir()
	settings, err := json.Marshal(map[string]any{
		"outdir": dir, "dsn": b.dsn, "release": b.release, "padding": b.padding, "plugin": b.plugin,
		"url": b.url, "org": "sundew", "project": b.project, "authToken": b.token,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := newCommand(ctx, t, nil, "node", "web/build.mjs", string(settings))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the page: %v\n%s", err, out)
	}
	html, err := os.ReadFile("web/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), html, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serveShop serves a built page, as everywhere without its source map.
func serveShop(t *testing.T, dir string) string {
	t.Helper()
	files := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Ext(r.URL.Path) == ".map" {
			http.NotFound(w, r)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
