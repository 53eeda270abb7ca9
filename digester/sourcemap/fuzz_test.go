package sourcemap_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sundew/digester/sourcemap"
)

// seeds are maps of all forms, sound and damaged.
var seeds = []string{
	`{` + small + `,"sources":["a.js"],"sourcesContent":["function one() {\n  go();\n}\n"]}`,
	")]}'\n" + `{"sourceRoot":"x",` + small + `,"sources":["a.tsx"],"sourcesContent":["const a = () => <b c={() => 1}>don't</b>\n"],"ignoreList":[0]}`,
	`{"version":3,"sections":[{"offset":{"line":1,"column":2},"map":{` + small + `,"sources":["a.ts"],"sourcesContent":["class A<T> { f(): void { ` + "`${x}`" + ` } }"]}}]}`,
	`{"version":3,"sources":["a.js"],"names":["\ud800"],"mappings":"KAAAA,LAACA;;gggggC"}`,
	`{"version":3,"sources":[null,"\u0000"],"sourcesContent":["\u0000\"`,
	`{"version":3,"mappings":"+/////D,C"}`,
	`{"version":3,"sources":["a.js","b.js"],"names":["go"],"mappings":"AAAA,ICCA","scopes":",BAAA,BFAAA,DAC,CBC,CCA,EAA,F"}`,
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := sourcemap.Parse(data)
		if (m == nil) == (err == nil) {
			t.Fatalf("map %v, error %v", m, err)
		}
		if m != nil && m.Size() > 64*len(data)+64 {
			t.Errorf("%d bytes take %d", len(data), m.Size())
		}
	})
}

// FuzzLookup asks for a place in the first map, and for another in a map of one
// source of the given text.
func FuzzLookup(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), 1, 4)
	}
	f.Fuzz(func(t *testing.T, data []byte, line, column int) {
		m, err := sourcemap.Parse(data)
		if err != nil {
			return
		}
		p, ok := m.Lookup(line, column)
		if !ok {
			return
		}
		for _, s := range []string{p.Source, p.Name, p.Function} {
			if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
				t.Errorf("%q cannot be stored", s)
			}
		}
		if p.Line < 1 || p.Column < 0 {
			t.Errorf("%d:%d is no place", p.Line, p.Column)
		}
		pre, at, post, ok := m.Context(p.Source, p.Line, 2)
		if len(pre) > 2 || len(post) > 2 || !ok && (at != "" || pre != nil || post != nil) {
			t.Errorf("context %q %q %q %t", pre, at, post, ok)
		}
	})
}
