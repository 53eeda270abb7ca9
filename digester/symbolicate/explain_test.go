package symbolicate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sundew/digester/sourcemap"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// TestExplain writes the doctor's words for every way in which a chain breaks.
func TestExplain(t *testing.T) {
	parse := func(text string) *sourcemap.Map {
		m, err := sourcemap.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	bare := parse(`{"version":3,"sources":["webpack:///./src/a.js"],"mappings":"AAAA"}`)
	other := parse(`{"version":3,"sources":["a.js"],"mappings":";AAAA","sourcesContent":["a()"],"debugId":"ffffffff-ffff-ffff-ffff-ffffffffffff"}`)
	short := parse(`{"version":3,"sources":["a.js"],"mappings":"AASA","sourcesContent":["a()"]}`)
	bundle := symbolicate.Bundle{ID: 3, Release: "shop@1", Dist: "de", Uploaded: time.Date(2026, 11, 5, 6, 7, 8, 0, time.UTC)}
	const id = "a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"
	tests := []struct {
		name              string
		id, release, dist string
		script            *symbolicate.Script
		line              int
	}{
		{"nothing leads anywhere", "", "", "", nil, 1},
		{"no position", id, "", "", nil, 0},
		{"unknown debug id", id, "shop@1", "", nil, 1},
		{"unknown release", "", "shop@1 beta", "", &symbolicate.Script{Trouble: symbolicate.NoBundle}, 1},
		{"file of another release", "", "shop@1", "", &symbolicate.Script{Trouble: symbolicate.NoBundle, Detail: "release shop@2 has ~/static/app.js: does the SDK send the release that was uploaded?"}, 1},
		{"other distribution", "", "shop@1", "de", &symbolicate.Script{Trouble: symbolicate.OtherDist, Detail: "there are at, ch"}, 1},
		{"distribution not named", "", "shop@1", "", &symbolicate.Script{Trouble: symbolicate.OtherDist}, 1},
		{"no such file", "", "shop@1", "", &symbolicate.Script{Trouble: symbolicate.NoFile}, 1},
		{"no map named", id, "", "", &symbolicate.Script{Trouble: symbolicate.NoMapNamed, Bundle: bundle, File: "~/static/app.js"}, 1},
		{"no map", id, "", "", &symbolicate.Script{Trouble: symbolicate.NoMap, Bundle: bundle, MapFile: "app.js.map"}, 1},
		{"damaged map", id, "", "", &symbolicate.Script{Trouble: symbolicate.UnreadableMap, Detail: "not a source map: it ends too early", Bundle: bundle, MapFile: "app.js.map"}, 1},
		{"large map", id, "", "", &symbolicate.Script{Trouble: symbolicate.TooLargeMap, Detail: "it has 900 MB", MapFile: "app.js.map"}, 1},
		{"beyond the map", id, "", "", &symbolicate.Script{Map: bare, Bundle: bundle}, 2},
		{"map of another build", id, "", "", &symbolicate.Script{Map: other, MapFile: "app.js.map"}, 1},
		{"no text", id, "", "", &symbolicate.Script{Map: bare, MapFile: "app.js.map"}, 1},
		{"text too short", id, "", "", &symbolicate.Script{Map: short, MapFile: "app.js.map"}, 1},
	}
	var out strings.Builder
	for _, tt := range tests {
		ev := &event.Event{
			Platform: "javascript", Release: tt.release, Dist: tt.dist,
			Stacktrace: &event.Stacktrace{Frames: []event.Frame{{AbsPath: "https://shop.example.com/static/app.js?v=1", Line: tt.line, Column: 1}}},
		}
		if tt.id != "" {
			ev.Images = []event.DebugImage{{Type: "sourcemap", CodeFile: "https://shop.example.com/static/app.js", DebugID: tt.id}}
		}
		scripts := map[symbolicate.Ref]symbolicate.Script{}
		for _, ref := range symbolicate.Refs(ev) {
			if tt.script != nil {
				scripts[ref] = *tt.script
			}
		}
		all := symbolicate.Explain(ev, scripts)
		if len(all) != 1 {
			t.Fatalf("%s: %d diagnoses", tt.name, len(all))
		}
		fmt.Fprintf(&out, "%s\n%s\n", tt.name, written(all[0]))
		if o := symbolicate.Symbolicate(ev, scripts); o.IsZero() == all[0].Mapped() {
			t.Errorf("%s: mapped is %t, and the overlay %+v", tt.name, all[0].Mapped(), o)
		}
	}
	golden(t, "explain.golden", out.String())
}

// written returns a diagnosis as text.
func written(d symbolicate.Diagnosis) string {
	var b strings.Builder
	for _, l := range d.Links {
		if l.State != symbolicate.Unreached {
			fmt.Fprintf(&b, "    %s %s: %s\n", [...]string{"", "ok", "weak", "BROKEN"}[l.State], l.Step, l.Text)
		}
	}
	if d.Advice != "" {
		fmt.Fprintf(&b, "    do: %s\n", d.Advice)
	}
	return b.String()
}
