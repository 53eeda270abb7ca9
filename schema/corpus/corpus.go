// Package corpus hands recorded traffic of real Sentry SDKs to tests.
//
// It exists so that every test of intake, parsing and grouping speaks of the
// same requests. Only tests, benchmarks and the demo import it: its data, some ten
// megabytes, is embedded. Captured requests are byte for byte what an SDK sent;
// crafted ones are hand-made edge cases of the framing, each with what is
// expected of it (testdata/crafted/CRAFTED.md).
package corpus

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Key is the public key that every recorded request uses, whatever its project.
const Key = "0123456789abcdef0123456789abcdef"

//go:embed testdata
var data embed.FS

// Request is one recorded HTTP request.
type Request struct {
	Name   string // the case, e.g. "go-error" or "node-handled--01"
	SDK    string
	Method string
	Path   string // without the query
	Query  string // raw
	Header http.Header
	Body   []byte // as it was sent, still compressed
	Expect string // crafted cases only: what should happen, in words
}

// Captured returns the recorded requests in the order of their names.
func Captured() ([]Request, error) { return load("testdata/captured") }

// Crafted returns the hand-made cases in the order of their names.
func Crafted() ([]Request, error) { return load("testdata/crafted") }

// Uploads returns the recorded requests of sentry-cli that upload something, in the order
// of their names. Of the largest, cli-sourcemaps-upload, the content is WebBundle.
func Uploads() ([]Request, error) { return load("testdata/uploads") }

// WebBundle returns the artifact bundle of a web application as sentry-cli uploaded it.
func WebBundle() ([]byte, error) { return data.ReadFile("testdata/web-app/artifact-bundle.sysb.zip") }

func load(dir string) ([]Request, error) {
	entries, err := fs.ReadDir(data, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the corpus: %w", err)
	}
	var requests []Request
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		r, err := loadCase(path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("corpus case %s: %w", e.Name(), err)
		}
		requests = append(requests, r)
	}
	return requests, nil
}

func loadCase(dir string) (Request, error) {
	text, err := data.ReadFile(path.Join(dir, "request.json"))
	if err != nil {
		return Request{}, err
	}
	var meta struct {
		Method     string            `json:"method"`
		Path       string            `json:"path"`
		Query      string            `json:"query"`
		Headers    map[string]string `json:"headers"`
		RawHeaders [][2]string       `json:"raw_headers"`
		SDK        string            `json:"sdk"`
		Expect     string            `json:"expect"`
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return Request{}, err
	}
	body, err := data.ReadFile(path.Join(dir, "body.bin"))
	if err != nil {
		return Request{}, err
	}
	r := Request{
		Name: path.Base(dir), SDK: meta.SDK, Method: meta.Method, Path: meta.Path,
		Query: strings.TrimPrefix(meta.Query, "?"), Header: http.Header{}, Body: body, Expect: meta.Expect,
	}
	for _, h := range meta.RawHeaders {
		r.Header.Add(h[0], h[1])
	}
	if len(meta.RawHeaders) == 0 {
		for k, v := range meta.Headers {
			r.Header.Set(k, v)
		}
	}
	return r, nil
}

// Foreign returns the folder with other projects' fixtures, which lies beside
// the repository where it is present at all, and whether it is.
func Foreign() (dir string, ok bool) {
	_, file, _, _ := runtime.Caller(0)
	dir = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpus", "foreign")
	_, err := os.Stat(dir)
	return dir, err == nil
}
