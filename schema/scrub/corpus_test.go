package scrub_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event/eventtest"
	"sundew/schema/scrub"
)

var update = flag.Bool("update", false, "write the golden file")

// TestCaptured scrubs every recorded event. What is taken out is in a golden file, to be
// read by people: there must be nothing in it that anybody would miss.
func TestCaptured(t *testing.T) {
	s := scrub.Default()
	found := map[string]int{}
	for _, p := range eventtest.Captured(t) {
		before, err := p.Parse()
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		out := s.Event(p.JSON)
		explained, findings := s.Explain(p.JSON)
		if string(explained) != string(out) {
			t.Errorf("%s: Explain says something else than Event", p.Name)
		}
		if again := s.Event(out); string(again) != string(out) {
			t.Errorf("%s: the second time something else was found", p.Name)
		}
		if len(findings) == 0 && &out[0] != &p.JSON[0] {
			t.Errorf("%s: copied though nothing was found", p.Name)
		}
		p.JSON = out
		after, err := p.Parse()
		if err != nil {
			t.Fatalf("%s, scrubbed: %v", p.Name, err)
		}
		// What says which issue it is must stay readable.
		if diff := cmp.Diff(functions(before), functions(after)); diff != "" {
			t.Errorf("%s: frames (-before +after):\n%s", p.Name, diff)
		}
		for _, f := range findings {
			found[strings.Trim(numbers(f.Path)+" ("+f.Why+")", " ")]++
		}
	}
	var lines []string
	for what, n := range found {
		lines = append(lines, fmt.Sprintf("%s × %d\n", what, n))
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	golden := filepath.Join("testdata", "captured.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, -update if it is better:\n%s", diff)
	}
}

// numbers writes # for the elements of lists.
func numbers(path string) string {
	parts := strings.Split(path, ".")
	for i, part := range parts {
		if strings.Trim(part, "0123456789") == "" {
			parts[i] = "#"
		}
	}
	return strings.Join(parts, ".")
}
