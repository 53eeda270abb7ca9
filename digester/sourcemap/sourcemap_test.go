package sourcemap_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/sourcemap"
)

func parse(t testing.TB, text string) *sourcemap.Map {
	t.Helper()
	m, err := sourcemap.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// small is a map of one source: AAAA is 1:0 of it at 1:0, IACAA is 2:0 named "go"
// at 1:4, then two columns of nothing from 1:6.
const small = `"version":3,"names":["go"],"mappings":"AAAA,IACAA,E;AAAA"`

// TestLookup asks maps of all forms for places, written as "line:column".
func TestLookup(t *testing.T) {
	at := func(source string, line, column int, name string) sourcemap.Position {
		return sourcemap.Position{Source: source, Line: line, Column: column, Name: name}
	}
	ignored := at("b.js", 1, 0, "")
	ignored.Ignored = true
	tests := map[string]struct {
		text string
		want map[string]sourcemap.Position // the zero position where there is none
	}{
		"one source": {`{` + small + `,"sources":["a.js"]}`, map[string]sourcemap.Position{
			"1:0": at("a.js", 1, 0, ""), "1:3": at("a.js", 1, 0, ""), "1:4": at("a.js", 2, 0, "go"), "1:5": at("a.js", 2, 0, "go"),
			"1:6": {}, "1:999": {}, "2:0": at("a.js", 2, 0, ""), "2:7": at("a.js", 2, 0, ""), "3:0": {}, "0:0": {}, "-1:-1": {}, "1:-1": {},
		}},
		"root and guard":          {")]}'\n" + `{"sourceRoot":"/src/",` + small + `,"sources":["a.js"]}`, map[string]sourcemap.Position{"1:0": at("/src/a.js", 1, 0, "")}},
		"root of an address":      {"\ufeff" + `{` + small + `,"sourceRoot":"/src","sources":["webpack:///./a.js"]}`, map[string]sourcemap.Position{"1:0": at("webpack:///./a.js", 1, 0, "")}},
		"nulls":                   {`{"file":null,"sourceRoot":null,"sourcesContent":[null],"version":3,"names":[null,1],"mappings":"AAAAC","sources":[null]}`, map[string]sourcemap.Position{"1:0": at("", 1, 0, "")}},
		"ignored":                 {`{"version":3,"sources":["a.js","b.js"],"x_google_ignoreList":[1,-1,7,"x"],"mappings":"AAAA,CCAA"}`, map[string]sourcemap.Position{"1:0": at("a.js", 1, 0, ""), "1:1": ignored}},
		"ignored by its new name": {`{"version":3,"sources":["a.js","b.js"],"ignoreList":[1],"mappings":"AAAA,CCAA"}`, map[string]sourcemap.Position{"1:1": ignored}},
		"sections": {`{"version":3,"sections":[
			{"offset":{"line":0,"column":10},"map":{` + small + `,"sources":["a.js"]}},
			{"offset":{"line":2,"column":5},"map":{"version":3,"sections":[{"offset":{"line":0,"column":1},"map":{` + small + `,"sources":["b.js"]}}]}}]}`, map[string]sourcemap.Position{
			"1:0": {}, "1:10": at("a.js", 1, 0, ""), "1:14": at("a.js", 2, 0, "go"), "2:0": at("a.js", 2, 0, ""),
			"3:5": {}, "3:6": at("b.js", 1, 0, ""), "3:10": at("b.js", 2, 0, "go"), "4:0": at("b.js", 2, 0, ""),
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := parse(t, tt.text)
			for place, want := range tt.want {
				var line, column int
				if _, err := fmt.Sscanf(place, "%d:%d", &line, &column); err != nil {
					t.Fatal(err)
				}
				got, ok := m.Lookup(line, column)
				if diff := cmp.Diff(want, got); diff != "" || ok != (want != sourcemap.Position{}) {
					t.Errorf("%s, found %t (-want +got):\n%s", place, ok, diff)
				}
			}
		})
	}
}

// TestUnusualMappings reads what the specification allows and few tools write.
func TestUnusualMappings(t *testing.T) {
	// The second segment goes back to column 0, so that they have to be sorted.
	m := parse(t, `{"version":3,"sources":["a.js","b.js"],"mappings":"KAAA,LCCA"}`)
	if p, _ := m.Lookup(1, 0); p.Source != "b.js" {
		t.Errorf("out of order: %+v", p)
	}
	// "\/" is a digit too: -15 and more of it, added to what is far enough.
	m = parse(t, `{"version":3,"sources":["a.js"],"mappings":"gCAAA,\/BAAA"}`)
	if p, ok := m.Lookup(1, 1); !ok || p.Source != "a.js" {
		t.Errorf("escaped slash: %+v", p)
	}
}

func TestContext(t *testing.T) {
	m := parse(t, `{`+small+`,"sources":["a.js","none.js","null.js","a.js"],
		"sourcesContent":["function one() {\r\n  \u00e9\ud83d\ude00\ud800 \u0000\t\"x\\\n\n}\nlast",null]}`)
	pre, at, post, ok := m.Context("a.js", 2, 5)
	if !ok || at != "  é😀\ufffd \ufffd\t\"x\\" {
		t.Errorf("%q %t", at, ok)
	}
	if diff := cmp.Diff([][]string{{"function one() {"}, {"", "}", "last"}}, [][]string{pre, post}); diff != "" {
		t.Errorf("around:\n%s", diff)
	}
	if p, _ := m.Lookup(1, 4); p.Function != "one" {
		t.Errorf("function %q", p.Function)
	}
	for _, line := range []int{-1, 0, 6, 1 << 40} {
		if _, _, _, ok := m.Context("a.js", line, 5); ok {
			t.Errorf("there is a line %d", line)
		}
	}
	for _, name := range []string{"none.js", "null.js", "unknown.js", ""} {
		if _, _, _, ok := m.Context(name, 1, 1); ok || m.HasContent(name) {
			t.Errorf("%q has a text", name)
		}
	}
	long := parse(t, `{`+small+`,"sources":["a.js"],"sourcesContent":["`+strings.Repeat("é", 3000)+`"]}`)
	if _, at, _, _ := long.Context("a.js", 1, 1<<62); at != strings.Repeat("é", 512) {
		t.Errorf("a long line is cut to %d bytes", len(at))
	}
}

// TestFunctionInUTF16 looks for a function behind characters of several bytes.
func TestFunctionInUTF16(t *testing.T) {
	// Column 10 is the digit.
	m := parse(t, `{"version":3,"sources":["a.js"],"mappings":"AAAU","sourcesContent":["/*é😀*/a=>{1}; function b() {}"]}`)
	if p, _ := m.Lookup(1, 0); p.Column != 10 {
		t.Fatalf("column %d", p.Column)
	}
	m = parse(t, `{"version":3,"sources":["a.js"],"mappings":"AAAU,CAAC","sourcesContent":["/*é😀é*/ f=a=>{};"]}`)
	if p, _ := m.Lookup(1, 0); p.Function != "" {
		t.Errorf("before it: %q", p.Function)
	}
	if p, _ := m.Lookup(1, 1); p.Function != "f" {
		t.Errorf("in it: %q", p.Function)
	}
}

func TestParseErrors(t *testing.T) {
	mappings := func(m string) string {
		return `{"version":3,"sources":["a.js"],"names":["n"],"mappings":"` + m + `"}`
	}
	tests := map[string]struct {
		text string
		want error
	}{
		"nothing":             {``, sourcemap.ErrNotMap},
		"no JSON":             {`<!doctype html>`, sourcemap.ErrNotMap},
		"a list":              {`[]`, sourcemap.ErrNotMap},
		"an empty object":     {`{}`, sourcemap.ErrVersion},
		"only a version":      {`{"version":3}`, sourcemap.ErrNotMap},
		"no mappings":         {`{"version":3,"mappings":null}`, sourcemap.ErrNotMap},
		"truncated":           {`{` + small, sourcemap.ErrNotMap},
		"truncated string":    {`{"version":3,"mappings":"AA\"`, sourcemap.ErrNotMap},
		"something after":     {`{` + small + `,"sources":["a"]} {}`, sourcemap.ErrNotMap},
		"sources no list":     {`{` + small + `,"sources":{}}`, sourcemap.ErrNotMap},
		"deep":                {`{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,` + small + `}`, sourcemap.ErrNotMap},
		"version 2":           {`{"version":2,"mappings":""}`, sourcemap.ErrVersion},
		"no digit":            {mappings("AAAA,*"), sourcemap.ErrMappings},
		"ends in a number":    {mappings("AAAg"), sourcemap.ErrMappings},
		"two numbers":         {mappings("AA"), sourcemap.ErrMappings},
		"three numbers":       {mappings("AAA"), sourcemap.ErrMappings},
		"six numbers":         {mappings("AAAAAA"), sourcemap.ErrMappings},
		"source beyond":       {mappings("ACAA"), sourcemap.ErrMappings},
		"source before":       {mappings("ADAA"), sourcemap.ErrMappings},
		"name beyond":         {mappings("AAAAC"), sourcemap.ErrMappings},
		"negative column":     {mappings("D"), sourcemap.ErrMappings},
		"negative line":       {mappings("AADA"), sourcemap.ErrMappings},
		"large number":        {mappings("ggggggggggggC"), sourcemap.ErrMappings},
		"column beyond":       {mappings("+/////D,C"), sourcemap.ErrMappings},
		"section without map": {`{"version":3,"sections":[{"offset":{"line":0,"column":0},"url":"x"}]}`, sourcemap.ErrSections},
		"section before":      {`{"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":{` + small + `}}]}`, sourcemap.ErrSections},
		"section nowhere":     {`{"version":3,"sections":[{"offset":{"line":"x"},"map":{` + small + `}}]}`, sourcemap.ErrSections},
		"section beyond":      {`{"version":3,"sections":[{"offset":{"line":2147483647},"map":{"version":3,"mappings":";A"}}]}`, sourcemap.ErrMappings},
		"sections deep":       {strings.Repeat(`{"version":3,"sections":[{"map":`, 9), sourcemap.ErrSections},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := sourcemap.Parse([]byte(tt.text))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("an error of %d bytes: %.100s…", len(err.Error()), err)
			}
		})
	}
}

// TestMemory reads maps that are made to take much: what they take stays in
// proportion to their size.
func TestMemory(t *testing.T) {
	const size = 1 << 18
	many := func(item string) string { return strings.TrimSuffix(strings.Repeat(item, size/len(item)), ",") }
	tests := map[string]string{
		"mappings": `{"version":3,"mappings":"` + many("A,") + `"}`,
		"lines":    `{"version":3,"mappings":"` + many(";") + `"}`,
		"sources":  `{"version":3,"mappings":"","sources":[` + many(`"",`) + `]}`,
		"names":    `{"version":3,"mappings":"","names":[` + many(`1,`) + `]}`,
		"contents": `{"version":3,"mappings":"","sourcesContent":[` + many(`"",`) + `]}`,
		"ignored":  `{"version":3,"mappings":"","ignoreList":[` + many(`1,`) + `]}`,
		"sections": `{"version":3,"sections":[` + many(`{"map":{"version":3,"mappings":""}},`) + `]}`,
		"brackets": `{"version":3,"mappings":"AAAA","sources":["a"],"sourcesContent":["` + many(`(`) + `"]}`,
		"arrows":   `{"version":3,"mappings":"AAAA","sources":["a"],"sourcesContent":["x=` + many(`a=>`) + `"]}`,
		"slashes":  `{"version":3,"mappings":"AAAA","sources":["a"],"sourcesContent":["` + many(`\n`) + `"]}`,
		"quotes":   `{"version":3,"mappings":"AAAA","sources":["a"],"sourcesContent":["` + many(`\"`) + `"]}`,
		"elements": `{"version":3,"mappings":"AAAA","sources":["a"],"sourcesContent":["` + many(`=<a `) + `"]}`,
		"generics": `{"version":3,"mappings":"AAAA","sources":["a.ts"],"sourcesContent":["` + many(`=<`) + `"]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			data := []byte(text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			m, err := sourcemap.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			m.Lookup(1, 0)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 64*size {
				t.Errorf("took %d times its size", took/size)
			}
		})
	}
}

func TestSize(t *testing.T) {
	_, maps := webApp(t)
	m := maps["a9aac7b1ba305e9880c24bac1f9bc5ae"]
	if got := m.Size(); got < 6<<20 || got > 16<<20 {
		t.Errorf("the map of 5.4 MB takes %d bytes", got)
	}
}

func TestFromComment(t *testing.T) {
	const id = "a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"
	tests := map[string]sourcemap.Comment{
		"": {},
		"a()\n//# sourceMappingURL=app.js.map\n\n//# debugId=" + id + "\n":               {URL: "app.js.map", DebugID: "a9aac7b1ba305e9880c24bac1f9bc5ae"},
		"a()\r\n//# debugId=" + strings.ToUpper(id) + "\r\n//@ sourceMappingURL=old.map": {URL: "old.map", DebugID: "a9aac7b1ba305e9880c24bac1f9bc5ae"},
		"a();//# sourceMappingURL=x.map":                                                 {URL: "x.map"},
		"a{}/*# sourceMappingURL=x.css.map */":                                           {URL: "x.css.map"},
		"//# sourceMappingURL=first.map\nb()\n//# sourceMappingURL=last.map":             {URL: "last.map"},
		"//# sourceMappingURL=real.map\nf('//# sourceMappingURL=' + name)":               {URL: "real.map"},
		"var s = \"sourceMappingURL=none.map\"; debugId=1":                               {},
		"//# sourceMappingURL=data:application/json;base64,e30=":                         {URL: "data:application/json;base64,e30="},
		"//# debugId=nonsense":                                                           {},
	}
	for script, want := range tests {
		if diff := cmp.Diff(want, sourcemap.FromComment([]byte(script))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", script, diff)
		}
	}
}

func TestInline(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(`{"version":3}`))
	for _, address := range []string{
		"data:application/json;base64," + encoded, "data:application/json;charset=utf-8;base64," + strings.TrimRight(encoded, "="),
		"data:application/json,%7B%22version%22%3A3%7D",
	} {
		if got, err := sourcemap.Inline(address); err != nil || string(got) != `{"version":3}` {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	for _, address := range []string{"", "app.js.map", "data:", "data:application/json;base64,***", "data:x,%zz"} {
		if _, err := sourcemap.Inline(address); !errors.Is(err, sourcemap.ErrNotInline) {
			t.Errorf("%s: error %v", address, err)
		}
	}
}

func TestDebugID(t *testing.T) {
	for text, want := range map[string]string{
		"A9AAC7B1-BA30-5E98-80C2-4BAC1F9BC5AE": "a9aac7b1ba305e9880c24bac1f9bc5ae", " a9aac7b1ba305e9880c24bac1f9bc5ae": "a9aac7b1ba305e9880c24bac1f9bc5ae",
		"": "", "x": "", "00000000-0000-0000-0000-000000000000": "", "a9aac7b1ba305e9880c24bac1f9bc5": "",
	} {
		if got := sourcemap.DebugID(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestHostileSources looks at sources and scripts that are made to take long: a
// scanner that looked at them again and again would not end in a test's time.
func TestHostileSources(t *testing.T) {
	for _, item := range []string{`=/[\\]`, `=<a`, `=<a(`, `]`, `(]`, `a=>`, "//# sourceMappingURL=x '", `<a b="`, "`${", `){`, `class a{b(`} {
		source := strings.Repeat(item, 1<<19/len(item))
		text := `{"version":3,"mappings":"AAAA","sources":["a.tsx"],"sourcesContent":["` + strings.ReplaceAll(strings.ReplaceAll(source, `\`, `\\`), `"`, `\"`) + `"]}`
		parse(t, text).Lookup(1, 0)
		sourcemap.FromComment([]byte(source))
	}
	m := parse(t, `{"version":3,"sources":["a","b"],"mappings":"`+strings.Repeat("AAAA,", 50_000)+`ACAA"}`)
	for range 1000 {
		if p, _ := m.Lookup(1, 0); p.Source != "b" {
			t.Fatalf("of many mappings of one place: %+v", p)
		}
	}
}

// What a map takes in memory is bounded, whatever is written to take more.
func TestParseTooMany(t *testing.T) {
	for name, text := range map[string]string{
		"mappings":    `{"version":3,"mappings":"` + strings.Repeat("A,", 9<<20) + `"}`,
		"names":       `{"version":3,"mappings":"","names":["` + strings.Repeat(`","`, 5<<20) + `"]}`,
		"sources":     `{"version":3,"mappings":"","sources":["` + strings.Repeat(`","`, 2<<20) + `"]}`,
		"source root": `{"version":3,"mappings":"","sourceRoot":"` + strings.Repeat("r", 70_000) + `","sources":["` + strings.Repeat(`","`, 1000) + `"]}`,
	} {
		if _, err := sourcemap.Parse([]byte(text)); !errors.Is(err, sourcemap.ErrTooMany) {
			t.Errorf("too many %s: %v", name, err)
		}
	}
}
