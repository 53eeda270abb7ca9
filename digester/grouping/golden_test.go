package grouping_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/grouping"
	"sundew/schema/event/eventtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// recorded returns the captured events but one, whose message names a path of the
// machine it was recorded on.
func recorded(t *testing.T) []eventtest.Payload {
	t.Helper()
	return slices.DeleteFunc(eventtest.Captured(t), func(p eventtest.Payload) bool { return p.Name == "php-typeerror" })
}

// TestGolden groups every captured event. The file is meant to be read: what it
// says about an event must make sense to whoever had the error, and a change of
// it in a frozen version splits issues.
func TestGolden(t *testing.T) {
	var out strings.Builder
	for _, p := range recorded(t) {
		e, err := p.Parse()
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		r := grouping.Group(e)
		fmt.Fprintf(&out, "%s (%s)\n\ttitle:   %s\n\tculprit: %s\n\trule:    %s\n", p.Name, p.SDK, r.Title, r.Culprit, r.Rule)
		for _, part := range r.Parts {
			fmt.Fprintf(&out, "\t\t%s: %q\n", part.Source, part.Text)
		}
		if len(r.Frames) > 0 {
			fmt.Fprintf(&out, "\tframes:  %d of exception %d\n", r.Frames, r.Exception)
		}
		fmt.Fprintf(&out, "\tkey:     %x\n\n", r.Key)
	}
	golden(t, "captured.golden", out.String())
}

// TestGoldenIssues lists the captured events by issue: the same decisions, seen
// from the other side.
func TestGoldenIssues(t *testing.T) {
	issues := map[[16]byte][]string{}
	titles := map[[16]byte]string{}
	for _, p := range recorded(t) {
		e, err := p.Skim()
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		r := grouping.Group(e)
		issues[r.Key] = append(issues[r.Key], p.Name)
		titles[r.Key] = r.Title
	}
	var lines []string
	for key, events := range issues {
		lines = append(lines, titles[key]+"\n\t"+strings.Join(events, "\n\t")+"\n")
	}
	slices.Sort(lines)
	golden(t, "issues.golden", strings.Join(lines, ""))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got); a stored version must not change\n%s", path, diff)
	}
}
