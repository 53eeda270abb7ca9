package sourcemap_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/sourcemap"
	"sundew/schema/corpus"
)

// webApp returns the recorded application and its maps by debug id.
func webApp(t testing.TB) (corpus.WebApp, map[string]*sourcemap.Map) {
	t.Helper()
	app, err := corpus.LoadWebApp()
	if err != nil {
		t.Fatal(err)
	}
	maps := map[string]*sourcemap.Map{}
	for name, content := range app.Files {
		if !strings.HasSuffix(name, ".map") {
			continue
		}
		m, err := sourcemap.Parse(content)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		maps[m.DebugID()] = m
	}
	return app, maps
}

// TestWebApp looks up every frame that was recorded in a minified application.
func TestWebApp(t *testing.T) {
	app, maps := webApp(t)
	looked := 0
	for name, c := range app.Cases {
		for i, f := range c.Frames {
			m := maps[sourcemap.DebugID(f.DebugID)]
			if m == nil {
				if f.Original != nil {
					t.Errorf("%s, frame %d: no map has debug id %q", name, i, f.DebugID)
				}
				continue
			}
			var got *corpus.WebAppOrigin
			if p, ok := m.Lookup(f.Line, f.Column-1); ok {
				_, at, _, _ := m.Context(p.Source, p.Line, 0)
				got = &corpus.WebAppOrigin{Source: p.Source, Line: p.Line, Column: p.Column + 1, TokenName: p.Name, ContextLine: at[:min(len(at), 200)]}
				t.Logf("%s:%d:%d %q was %q", p.Source, p.Line, p.Column+1, p.Function, f.Function)
			}
			if diff := cmp.Diff(f.Original, got); diff != "" {
				t.Errorf("%s, frame %d at %d:%d (-want +got):\n%s", name, i, f.Line, f.Column, diff)
			}
			looked++
		}
	}
	if looked < 100 {
		t.Errorf("only %d frames were looked up", looked)
	}
}
