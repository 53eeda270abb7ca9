package symbolicate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/sourcemap"
	"sundew/digester/symbolicate"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// shop is the recorded web application: its events, and its maps by debug id.
type shop struct {
	corpus.WebApp
	events map[string]*event.Event
	maps   map[string]*sourcemap.Map
}

func loadShop(t testing.TB) shop {
	t.Helper()
	app, err := corpus.LoadWebApp()
	if err != nil {
		t.Fatal(err)
	}
	s := shop{app, map[string]*event.Event{}, map[string]*sourcemap.Map{}}
	for _, p := range eventtest.Captured(t) {
		if _, ok := app.Cases[p.Name]; ok {
			if s.events[p.Name], err = p.Parse(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, content := range app.Files {
		if !strings.HasSuffix(name, ".map") {
			continue
		}
		m, err := sourcemap.Parse(content)
		if err != nil {
			t.Fatal(err)
		}
		s.maps[m.DebugID()] = m
	}
	return s
}

// scripts finds the scripts of an event, as the bundle has them.
func (s shop) scripts(ev *event.Event) map[symbolicate.Ref]symbolicate.Script {
	found := map[symbolicate.Ref]symbolicate.Script{}
	bundle := symbolicate.Bundle{ID: 7, Release: "web@3.2.0", Uploaded: time.Date(2026, 11, 21, 20, 14, 0, 0, time.UTC)}
	for _, ref := range symbolicate.Refs(ev) {
		file := "~" + strings.TrimPrefix(ref.URL, "http://127.0.0.1:9200")
		switch m := s.maps[ref.DebugID]; {
		case m != nil:
			found[ref] = symbolicate.Script{Map: m, Bundle: bundle, File: file, MapFile: file + ".map"}
		case strings.HasSuffix(file, "/worker.js"):
			found[ref] = symbolicate.Script{Trouble: symbolicate.NoMapNamed, Bundle: bundle, File: file}
		default:
			found[ref] = symbolicate.Script{Trouble: symbolicate.NoFile}
		}
	}
	return found
}

// frames returns all frames of an event in the order of its exceptions and threads.
func frames(ev *event.Event) []event.Frame {
	var all []event.Frame
	for _, x := range ev.Exceptions {
		if x.Stacktrace != nil {
			all = append(all, x.Stacktrace.Frames...)
		}
	}
	for _, th := range ev.Threads {
		if th.Stacktrace != nil {
			all = append(all, th.Stacktrace.Frames...)
		}
	}
	return all
}

// TestWebApp lays the overlay over every recorded event of the application and
// compares each frame with what is expected, after a trip through its encoding.
func TestWebApp(t *testing.T) {
	s := loadShop(t)
	if len(s.events) != len(s.Cases) {
		t.Fatalf("%d of %d events found", len(s.events), len(s.Cases))
	}
	for name, want := range s.Cases {
		ev := s.events[name]
		sent := frames(ev)
		o := symbolicate.Symbolicate(ev, s.scripts(ev))
		if diff := cmp.Diff(sent, frames(ev)); diff != "" {
			t.Fatalf("%s: Symbolicate changed the event:\n%s", name, diff)
		}
		decoded, err := symbolicate.Decode(o.Encode())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(o, decoded); diff != "" {
			t.Errorf("%s: decoded differs (-encoded +decoded):\n%s", name, diff)
		}
		raw := decoded.Apply(ev)
		if raw.IsZero() != o.IsZero() {
			t.Errorf("%s: raw.IsZero() is %t", name, raw.IsZero())
		}
		got := frames(ev)
		if len(got) != len(want.Frames) {
			t.Fatalf("%s: %d frames, want %d", name, len(got), len(want.Frames))
		}
		for i, w := range want.Frames {
			if w.Original == nil {
				sent[i].InApp = got[i].InApp
				if diff := cmp.Diff(sent[i], got[i]); diff != "" {
					t.Errorf("%s: frame %d without origin changed:\n%s", name, i, diff)
				}
				continue
			}
			checkFrame(t, fmt.Sprintf("%s: frame %d", name, i), got[i], *w.Original)
		}
	}
}

func checkFrame(t *testing.T, name string, got event.Frame, want corpus.WebAppOrigin) {
	t.Helper()
	if got.Filename != want.Source || got.Line != want.Line || got.Column != want.Column {
		t.Errorf("%s: %s:%d:%d, want %s:%d:%d", name, got.Filename, got.Line, got.Column, want.Source, want.Line, want.Column)
	}
	if line := got.ContextLine; line[:min(len(line), 200)] != want.ContextLine {
		t.Errorf("%s: line %q, want %q", name, line, want.ContextLine)
	}
	if library := strings.Contains(want.Source, "/node_modules/"); got.IsInApp() == library {
		t.Errorf("%s: in app is %t in %s", name, got.IsInApp(), got.Filename)
	}
	if len(got.PreContext) != min(5, want.Line-1) {
		t.Errorf("%s: %d lines before line %d", name, len(got.PreContext), want.Line)
	}
}

// TestGolden writes what people see: each stack as it was and as it is, and what
// the doctor says of the frames that stayed minified.
func TestGolden(t *testing.T) {
	s := loadShop(t)
	var out strings.Builder
	for _, name := range []string{"browser-render-throw--03", "browser-lazy-chunk--02", "browser-worker--05", "browser-eval--02", "browser-dom-exception--05", "browser-script-error--03", "browser-message--02"} {
		ev := s.events[name]
		sent, scripts := frames(ev), s.scripts(ev)
		diagnoses := symbolicate.Explain(ev, scripts)
		symbolicate.Symbolicate(ev, scripts).Apply(ev)
		fmt.Fprintf(&out, "%s\n", name)
		for i, f := range frames(ev) {
			inApp := " "
			if f.IsInApp() {
				inApp = "*"
			}
			fmt.Fprintf(&out, "%s %s:%d:%d %s\n    -> %s:%d:%d %s\n", inApp, sent[i].Filename, sent[i].Line, sent[i].Column, sent[i].Function, f.Filename, f.Line, f.Column, f.Function)
		}
		for _, d := range diagnoses {
			if d.Mapped() && d.Advice == "" {
				continue
			}
			fmt.Fprintf(&out, "  doctor, frame %d:\n%s", d.Frame, written(d))
		}
		out.WriteString("\n")
	}
	golden(t, "web-app.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, diff)
	}
}
