package artifact_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sundew/digester/artifact"
	"sundew/digester/artifact/artifacttest"
)

const sysb = "SYSB\x02\x00\x00\x00"

func open(bundle string, limits artifact.Limits) (*artifact.Bundle, error) {
	return artifact.Open(strings.NewReader(bundle), int64(len(bundle)), limits)
}

const (
	rustManifest = `{"files":{
	 "files/_/_/assets/app.js":{"type":"minified_source","url":"~/assets/app.js","headers":{"debug-id":"A9AAC7B1-ba30-5e98-80c2-4bac1f9bc5ae","sourcemap":"app.js.map"}},
	 "files/_/_/assets/app.js.map":{"type":"source_map","url":"~/assets/app.js.map?v=1","headers":{"debug-id":"a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"}}},
	 "debug_id":"e5653eeb-7571-59ab-a395-dddc48fdde1f","org":"acme","project":"web","release":"web@3.2.0","dist":null}`
	jsManifest = `{"files":{"_/_/x.js":{"url":"~/x.js","type":"minified_source","headers":{"Sourcemap":"x.js.map","Debug-Id":7}}},"release":"1"}`
)

func TestOpen(t *testing.T) {
	rust := artifacttest.Packed(t, "files/_/_/assets/app.js", "x()", "files/_/_/assets/app.js.map", "{}", "manifest.json", rustManifest)
	wantRust := &artifact.Bundle{Release: "web@3.2.0", DebugID: "e5653eeb757159aba395dddc48fdde1f", Project: "web", Files: []artifact.File{
		{Path: "files/_/_/assets/app.js", URL: "~/assets/app.js", Type: "minified_source", DebugID: "a9aac7b1ba305e9880c24bac1f9bc5ae", SourceMap: "app.js.map", Size: 3},
		{Path: "files/_/_/assets/app.js.map", URL: "~/assets/app.js.map", Type: "source_map", DebugID: "a9aac7b1ba305e9880c24bac1f9bc5ae", Size: 2},
	}}
	tests := []struct {
		name, bundle string
		want         *artifact.Bundle
	}{
		{"as the rust tool makes it", sysb + rust, wantRust},
		{"a plain archive", rust, wantRust},
		{"as the JavaScript tool makes it", sysb + artifacttest.Packed(t, "manifest.json", jsManifest, "_/_/x.js", "x()"), &artifact.Bundle{Release: "1", Files: []artifact.File{
			{Path: "_/_/x.js", URL: "~/x.js", Type: "minified_source", SourceMap: "x.js.map", Size: 3}}}},
		{"what is left out", sysb + artifacttest.Packed(t, "manifest.json", `{"files":{
			"../up.js":{"type":"minified_source","url":"~/up.js"}, "/abs.js":{"type":"source"}, "a\\b.js":{"type":"source"}, "gone.js":{"type":"source"},
			"odd":{"type":"picture"}, "ok.js":{"type":"source"}, "bad\u0000.js":{"type":"source"}}}`,
			"../up.js", "x", "/abs.js", "x", `a\b.js`, "x", "odd", "x", "ok.js", "first", "ok.js", "second", "stray.js", "x", "bad\x00.js", "x", "dir/", ""),
			&artifact.Bundle{Left: 8, Files: []artifact.File{{Path: "ok.js", Type: "source", Size: 5}}, Skipped: []artifact.Skip{
				{Path: "../up.js", Reason: "its name is no plain path"},
				{Path: "/abs.js", Reason: "its name is no plain path"},
				{Path: `a\b.js`, Reason: "its name is no plain path"},
				{Path: "bad.js", Reason: "its name is no plain path"},
				{Path: "gone.js", Reason: "it is in the manifest and not in the archive"},
				{Path: "odd", Reason: "its type is not known here"},
				{Path: "ok.js", Reason: "another file of the archive has the same name"},
				{Path: "stray.js", Reason: "the manifest does not name it"},
			}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := open(test.bundle, artifact.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(artifact.File{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	b, err := open(sysb+rust, artifact.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if content, err := b.Files[0].Content(); err != nil || string(content) != "x()" {
		t.Errorf("content: %q, %v", content, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	small := artifact.Limits{Files: 3, File: 2 << 20, Total: 3 << 20, Manifest: 1000, Ratio: 200}
	named := func(names ...string) string {
		var files []string
		for _, n := range names {
			files = append(files, `"`+n+`":{"type":"source"}`)
		}
		return `{"files":{` + strings.Join(files, ",") + `}}`
	}
	whole := artifacttest.Packed(t, "manifest.json", named("a"), "a", "x")
	tests := []struct{ name, bundle, want string }{
		{"nothing", "", "it has 0 bytes"},
		{"no archive", "hello, this is none", "no zip archive"},
		{"cut off", whole[:len(whole)-30], "no zip archive"},
		{"another version", "SYSB\x09\x00\x00\x00" + whole, "version 9"},
		{"no manifest", artifacttest.Packed(t, "a", "x"), "has no manifest.json"},
		{"a manifest that is none", artifacttest.Packed(t, "manifest.json", "hello"), "not the JSON"},
		{"a large manifest", artifacttest.Packed(t, "manifest.json", named(strings.Repeat("a", 1000))), "manifest is too large"},
		{"many files", artifacttest.Packed(t, "manifest.json", named("a"), "a", "", "b", "", "c", ""), "it has 4 files, at most 3"},
		{"many names", artifacttest.Packed(t, "manifest.json", named("a", "b", "c", "d")), "names 4 files"},
		{"large together", artifacttest.Packed(t, "manifest.json", named("a", "b"), "a", noise(2<<20), "b", noise(2<<20)), "more than 3145728 bytes together"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(test.bundle, small)
			if !errors.Is(err, artifact.ErrBundle) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
	for _, test := range []struct{ name, content, want string }{
		{"large", noise(2<<20 + 1), "it has 2097153 bytes, at most 2097152 are taken"},
		{"a bomb", strings.Repeat("a", 2<<20), "it is packed more tightly than any source is"},
	} {
		b, err := open(artifacttest.Packed(t, "manifest.json", named("a"), "a", test.content), small)
		if err != nil || len(b.Files) != 0 || len(b.Skipped) != 1 || b.Skipped[0].Reason != test.want {
			t.Errorf("%s: %v, %+v", test.name, err, b)
		}
	}
}

// noise is a text that cannot be packed well.
func noise(n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

// What an archive says about a file's length and sum is found out to be wrong.
func TestContentIsNotWhatTheArchiveSays(t *testing.T) {
	whole := "hello, hello, hello, hello"
	for _, test := range []struct {
		name string
		size uint64
		crc  uint32
	}{{"longer", 5, 0}, {"shorter", 500, 0}, {"another sum", uint64(len(whole)), 7}} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		m, err := w.Create("manifest.json")
		if err == nil {
			_, err = io.WriteString(m, `{"files":{"a":{"type":"source"}}}`)
		}
		if err != nil {
			t.Fatal(err)
		}
		var flat bytes.Buffer
		fw, _ := flate.NewWriter(&flat, 6)
		io.WriteString(fw, whole)
		fw.Close()
		raw, err := w.CreateRaw(&zip.FileHeader{Name: "a", Method: zip.Deflate, UncompressedSize64: test.size, CompressedSize64: uint64(flat.Len()), CRC32: test.crc})
		if err == nil {
			_, err = raw.Write(flat.Bytes())
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		bundle, err := open(b.String(), artifact.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Files[0].Content(); !errors.Is(err, artifact.ErrBundle) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestReadComments(t *testing.T) {
	tests := []struct {
		script string
		want   artifact.Comments
	}{
		{"x()\n//# sourceMappingURL=app.js.map\n", artifact.Comments{SourceMap: "app.js.map"}},
		{"//@ sourceMappingURL=old.map", artifact.Comments{SourceMap: "old.map"}},
		{"a{}/*# sourceMappingURL=app.css.map */", artifact.Comments{SourceMap: "app.css.map"}},
		{"//# sourceMappingURL=first.map\n//# sourceMappingURL=last.map", artifact.Comments{SourceMap: "last.map"}},
		{"//# sourceMappingURL=real.map\ns='//# sourceMappingURL='+u", artifact.Comments{SourceMap: "real.map"}},
		{"sourceMappingURL=no.map", artifact.Comments{}},
		{"//# debugId=A9AAC7B1-ba30-5e98-80c2-4bac1f9bc5ae", artifact.Comments{DebugID: "a9aac7b1ba305e9880c24bac1f9bc5ae"}},
		{"//# sourceMappingURL=data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozfQ==", artifact.Comments{Inline: []byte(`{"version":3}`)}},
		{"//# sourceMappingURL=data:application/json,%7B%22version%22%3A3%7D", artifact.Comments{Inline: []byte(`{"version":3}`)}},
		{"//# sourceMappingURL=data:text/plain,hello", artifact.Comments{}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, artifact.ReadComments([]byte(test.script))); diff != "" {
			t.Errorf("%s: %s", test.script, diff)
		}
	}
	if got := artifact.MapDebugID([]byte(`{"version":3,"debug_id":"a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"}`)); got != "a9aac7b1ba305e9880c24bac1f9bc5ae" {
		t.Errorf("the map's debug id: %q", got)
	}
}

func TestURLs(t *testing.T) {
	for frame, want := range map[string][]string{
		"":                                     nil,
		"~/a.js":                               {"~/a.js"},
		"https://example.com/x/a.js?v=1#L2":    {"https://example.com/x/a.js", "~/x/a.js"},
		"https://example.com":                  {"https://example.com", "~/"},
		"app:///main%20one.js":                 {"app:///main%20one.js", "~/main%20one.js", "~/main one.js"},
		"/usr/src/app/index.js":                {"~/usr/src/app/index.js"},
		"./index.js":                           {"./index.js", "~/index.js"},
		"//cdn.example.com/a.js":               {"//cdn.example.com/a.js", "~/a.js"},
		"https://example.com/x/../../a/./b.js": {"https://example.com/x/../../a/./b.js", "~/a/b.js"},
	} {
		if diff := cmp.Diff(want, artifact.Candidates(frame)); diff != "" {
			t.Errorf("%s: %s", frame, diff)
		}
	}
	for _, test := range [][3]string{
		{"~/assets/app.js", "app.js.map", "~/assets/app.js.map"},
		{"~/assets/app.js", "../maps/app.js.map?x", "~/maps/app.js.map"},
		{"~/assets/app.js", "/maps/app.js.map", "~/maps/app.js.map"},
		{"https://example.com/a/b.js", "c.map", "https://example.com/a/c.map"},
		{"https://example.com/a/b.js", "/c.map", "https://example.com/c.map"},
		{"~/a.js", "https://example.com/a.map", "https://example.com/a.map"},
		{"~/a.js", "../../../../etc/a.map", "~/etc/a.map"},
		{"~/a.js", "data:,x", ""},
	} {
		if got := artifact.Resolve(test[0], test[1]); got != test[2] {
			t.Errorf("%s in %s: %s, want %s", test[1], test[0], got, test[2])
		}
	}
}

func TestCleanDebugID(t *testing.T) {
	for raw, want := range map[string]string{
		"A9AAC7B1-ba30-5e98-80c2-4bac1f9bc5ae":   "a9aac7b1ba305e9880c24bac1f9bc5ae",
		"{a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae}": "a9aac7b1ba305e9880c24bac1f9bc5ae",
		"a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae-1": "a9aac7b1ba305e9880c24bac1f9bc5ae",
		"a9aac7b1":                               "",
		"z9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae":   "",
		strings.Repeat("a", 60):                  "",
	} {
		if got := artifact.CleanDebugID(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

func TestReadDebugFile(t *testing.T) {
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 11) + "\x3e\x00" + strings.Repeat("\x00", 40)
	for _, test := range []struct {
		name, head string
		want       artifact.DebugFile
	}{
		{"crash", elf, artifact.DebugFile{Symbols: "elf", CPU: "x86_64"}},
		{"App", "\xcf\xfa\xed\xfe\x0c\x00\x00\x01", artifact.DebugFile{Symbols: "macho", CPU: "arm64"}},
		{"/proguard/5db7294d-87fc-5726-a5c0-4a90679657a5.txt", "com.example", artifact.DebugFile{Symbols: "proguard", CPU: "any", DebugID: "5db7294d87fc5726a5c04a90679657a5"}},
		{"x", "", artifact.DebugFile{Symbols: "unknown", CPU: "any"}},
		{"x", "\x7fELF", artifact.DebugFile{Symbols: "unknown", CPU: "any"}},
	} {
		if diff := cmp.Diff(test.want, artifact.ReadDebugFile(test.name, []byte(test.head))); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// Whatever comes, there is an answer that keeps the limits, and the same again.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(sysb + artifacttest.Packed(f, "files/_/_/assets/app.js", "x()\n//# sourceMappingURL=data:application/json,{}", "files/_/_/assets/app.js.map", "{}", "manifest.json", rustManifest)))
	f.Add([]byte(artifacttest.Packed(f, "manifest.json", jsManifest, "_/_/x.js", "x()")))
	limits := artifact.Limits{Files: 20, File: 1000, Total: 5000, Manifest: 5000, Ratio: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := open(string(data), limits)
		if err != nil {
			if !errors.Is(err, artifact.ErrBundle) {
				t.Errorf("%v does not say that the bundle is broken", err)
			}
			return
		}
		again, err := open(string(data), limits)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, again, cmpopts.IgnoreUnexported(artifact.File{})); diff != "" {
			t.Errorf("not the same again: %s", diff)
		}
		for _, file := range b.Files {
			content, err := file.Content()
			if err != nil {
				if !errors.Is(err, artifact.ErrBundle) {
					t.Errorf("%s: %v does not say that the bundle is broken", file.Path, err)
				}
				continue
			}
			if int64(len(content)) != file.Size || file.Size > limits.File {
				t.Errorf("%s: %d bytes, said to be %d", file.Path, len(content), file.Size)
			}
			artifact.ReadComments(content)
			artifact.MapDebugID(content)
			artifact.Candidates(file.URL)
			artifact.Resolve(file.URL, file.SourceMap)
			artifact.ReadDebugFile(file.Path, content)
		}
	})
}
