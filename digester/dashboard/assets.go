package dashboard

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// assets are the static files by the name under which they are served. The name
// has a hash of the content in it, so that browsers may keep the file for ever.
type assets map[string]asset

type asset struct {
	name        string // as in the folder, e.g. "sundew.css"
	contentType string
	body        []byte
}

func loadAssets() (assets, error) {
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("reading static files: %w", err)
	}
	all := make(assets)
	for _, e := range entries {
		body, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading static files: %w", err)
		}
		a := asset{name: e.Name(), body: body}
		switch ext := path.Ext(a.name); ext {
		case ".css":
			a.contentType = "text/css; charset=utf-8"
		case ".js":
			a.contentType = "text/javascript; charset=utf-8"
		case ".svg":
			a.contentType = "image/svg+xml"
		default:
			return nil, fmt.Errorf("static file %s: no content type for %q", a.name, ext)
		}
		all[hashedName(a.name, body)] = a
	}
	return all, nil
}

func hashedName(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
}

// served returns the name under which a file is served.
func (a assets) served(name string) (string, error) {
	for served, file := range a {
		if file.name == name {
			return served, nil
		}
	}
	return "", fmt.Errorf("no static file %q", name)
}

// ServeHTTP sends the file that the pattern's {file} names.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	send(w, http.StatusOK, file.body)
}
