package symbolicate_test

import (
	"fmt"
	"strings"
	"testing"

	"sundew/digester/sourcemap"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// TestBounds symbolicates the largest event there may be, of long lines of source:
// its overlay has to fit into one value of a database.
func TestBounds(t *testing.T) {
	const lines = 4000
	var mappings, content strings.Builder
	for i := range lines {
		fmt.Fprintf(&mappings, "%s;", vlq(0, 0, min(i, 1), 0))
		fmt.Fprintf(&content, "%d%s\\n", i, strings.Repeat("x", 600))
	}
	m, err := sourcemap.Parse([]byte(`{"version":3,"sources":["a.js"],"mappings":"` + mappings.String() + `","sourcesContent":["` + content.String() + `"]}`))
	if err != nil {
		t.Fatal(err)
	}
	ev := &event.Event{Platform: "javascript", Release: "shop@1"}
	for i := range 32 + 128 {
		trace := &event.Stacktrace{}
		for j := range 200 {
			at := 1 + (i*200+j)*11%lines
			trace.Frames = append(trace.Frames, event.Frame{AbsPath: fmt.Sprintf("https://shop.example.com/%d.js", i), Line: at, Column: 1})
		}
		if i < 32 {
			ev.Exceptions = append(ev.Exceptions, event.Exception{Stacktrace: trace})
		} else {
			ev.Threads = append(ev.Threads, event.Thread{Stacktrace: trace})
		}
	}
	refs := symbolicate.Refs(ev)
	if len(refs) != 64 || refs[0].URL != "https://shop.example.com/31.js" {
		t.Errorf("%d scripts, the first %+v", len(refs), refs[0])
	}
	scripts := map[symbolicate.Ref]symbolicate.Script{}
	for _, ref := range refs {
		scripts[ref] = symbolicate.Script{Map: m}
	}
	o := symbolicate.Symbolicate(ev, scripts)
	data := o.Encode()
	if len(data) > 1<<20 {
		t.Errorf("encoded it takes %d bytes", len(data))
	}
	last := o.Stacks[len(o.Stacks)-1]
	if last.Place != (symbolicate.Place{Kind: symbolicate.OfException, Index: 31}) || len(last.Frames) != 200 || last.Frames[199].Context == "" {
		t.Errorf("the thrown exception was not served first: %+v has %d frames", last.Place, len(last.Frames))
	}
	if _, err := symbolicate.Decode(data); err != nil {
		t.Error(err)
	}
	if n := len(symbolicate.Explain(ev, scripts)); n > 4000 {
		t.Errorf("%d diagnoses", n)
	}
}
