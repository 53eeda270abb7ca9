package dashboard

import (
	"io/fs"
	"regexp"
	"testing"
)

// A template that is defined twice is the one that was read last, without a word.
func TestTemplateNames(t *testing.T) {
	names, err := fs.Glob(templateFiles, "templates/_*.html")
	if err != nil || len(names) == 0 {
		t.Fatalf("%v, %v", names, err)
	}
	define := regexp.MustCompile(`{{\s*define "([^"]*)"`)
	in := make(map[string]string)
	for _, file := range names {
		text, err := fs.ReadFile(templateFiles, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range define.FindAllStringSubmatch(string(text), -1) {
			if other, twice := in[m[1]]; twice {
				t.Errorf("template %q is in %s and in %s", m[1], other, file)
			}
			in[m[1]] = file
		}
	}
}

// TestTemplates: each page's template is one.
func TestTemplates(t *testing.T) {
	files, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	all, err := loadPages(links{}, files, Config{Now: testClock})
	if err != nil {
		t.Fatal(err)
	}
	for name, load := range all {
		if _, err := load(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(all) < 50 {
		t.Errorf("there are %d pages only", len(all))
	}
}
