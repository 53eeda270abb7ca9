package symbolicate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/grouping"
	"sundew/digester/sourcemap"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// source is what both builds are made of.
const source = `import { load } from './load';
export function applyCoupon(cart: Cart): number {
  return cart.coupon.percent;
}
export const checkout = async () => {
  const cart = await load();
  return applyCoupon(cart);
};
`

// build is one build of source: what its minifier called things, and where it
// put the two places of the stack.
type build struct {
	url, id            string
	inner, outer       string // names of the functions
	innerCol, outerCol int    // columns in the script's only line, from 1
	name               string // what the source is called in the map
	content            bool
}

// vlq writes numbers as mappings have them.
func vlq(numbers ...int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var b strings.Builder
	for _, n := range numbers {
		n <<= 1
		if n < 0 {
			n = -n | 1
		}
		for ; n > 31; n >>= 5 {
			b.WriteByte(digits[n&31|32])
		}
		b.WriteByte(digits[n])
	}
	return b.String()
}

func (b build) sourceMap(t *testing.T) *sourcemap.Map {
	t.Helper()
	doc := map[string]any{
		"version": 3, "sources": []string{b.name}, "names": []string{"applyCoupon"},
		// Line 7, column 9 is the call; line 3, column 21 what fails.
		"mappings": vlq(b.innerCol-1, 0, 2, 21) + "," + vlq(5) + "," + vlq(b.outerCol-b.innerCol-5, 0, 4, -12, 0),
	}
	if b.content {
		doc["sourcesContent"] = []string{source}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sourcemap.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b build) event(t *testing.T) *event.Event {
	t.Helper()
	ev, err := event.Parse([]byte(fmt.Sprintf(`{"platform":"javascript","release":"shop@1",
		"exception":{"values":[{"type":"TypeError","value":"Cannot read properties of undefined","stacktrace":{"frames":[
			{"filename":%[1]q,"abs_path":%[1]q,"function":%[2]q,"lineno":1,"colno":%[3]d,"in_app":true},
			{"filename":%[1]q,"abs_path":%[1]q,"function":%[4]q,"lineno":1,"colno":%[5]d,"in_app":true}]}}]},
		"debug_meta":{"images":[{"type":"sourcemap","code_file":%[1]q,"debug_id":%[6]q}]}}`,
		b.url, b.outer, b.outerCol, b.inner, b.innerCol, b.id)))
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// symbolicated returns the event of a build with its source frames.
func (b build) symbolicated(t *testing.T) *event.Event {
	t.Helper()
	ev := b.event(t)
	refs := symbolicate.Refs(ev)
	if want := []symbolicate.Ref{{DebugID: sourcemap.DebugID(b.id), Release: "shop@1", URL: b.url}}; !cmp.Equal(refs, want) {
		t.Fatalf("refs %v, want %v", refs, want)
	}
	symbolicate.Symbolicate(ev, map[symbolicate.Ref]symbolicate.Script{refs[0]: {Map: b.sourceMap(t)}}).Apply(ev)
	return ev
}

// TestBuildsGroup groups the same error of two builds, whose minifiers called
// everything otherwise: apart as sent, together as source.
func TestBuildsGroup(t *testing.T) {
	first := build{
		url: "https://shop.example.com/assets/app-2Y6DPYNI.js", id: "A9AAC7B1-BA30-5E98-80C2-4BAC1F9BC5AE", content: true,
		inner: "applyC", innerCol: 100, outer: "outerA", outerCol: 2000, name: "../../src/cart.ts",
	}
	second := build{
		url: "https://shop.example.com/static/js/cart.3f2a1b9c.chunk.js", id: "4535b7810c54529c969a07c2a9eade6a", content: true,
		inner: "applyB", innerCol: 7, outer: "outerB", outerCol: 99, name: "webpack://shop/./src/cart.ts",
	}
	if a, b := grouping.Group(first.event(t)), grouping.Group(second.event(t)); a.Key == b.Key {
		t.Errorf("minified, both builds are one issue: %v", a.Parts)
	}
	a, b := grouping.Group(first.symbolicated(t)), grouping.Group(second.symbolicated(t))
	if diff := cmp.Diff(a.Parts, b.Parts); diff != "" || a.Key != b.Key {
		t.Errorf("the builds are two issues:\n%s", diff)
	}
	if a.Culprit != "src/cart.ts in applyCoupon" {
		t.Errorf("culprit %q", a.Culprit)
	}
}

// TestFrames looks at what becomes of one stack.
func TestFrames(t *testing.T) {
	b := build{url: "app:///main.js", id: "4535b781-0c54-529c-969a-07c2a9eade6a", inner: "k", innerCol: 100, outer: "Ab", outerCol: 2000, name: "webpack:///./src/cart.ts?1f2e"}
	want := []event.Frame{
		{Filename: "src/cart.ts", AbsPath: "webpack:///./src/cart.ts?1f2e", Function: "?", Line: 7, Column: 10},
		// Without the source the caller tells the name.
		{Filename: "src/cart.ts", AbsPath: "webpack:///./src/cart.ts?1f2e", Function: "applyCoupon", Line: 3, Column: 22},
	}
	check := func(name string) {
		t.Helper()
		got := frames(b.symbolicated(t))
		for i := range got {
			got[i].InApp = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	check("without text")
	b.content = true
	want[0].Function = "checkout"
	lines := strings.Split(source, "\n")
	want[0].PreContext, want[0].ContextLine, want[0].PostContext = lines[1:6], lines[6], lines[7:9]
	want[1].PreContext, want[1].ContextLine, want[1].PostContext = lines[0:2], lines[2], lines[3:8]
	check("with text")
}
