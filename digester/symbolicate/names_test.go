package symbolicate

import (
	"testing"

	"sundew/digester/sourcemap"
	"sundew/schema/event"
)

func TestNameSource(t *testing.T) {
	tests := map[string]sourceName{
		"../../src/main.tsx":                               {"../../src/main.tsx", false},
		"src/main.tsx":                                     {"src/main.tsx", false},
		"../../../node_modules/react/index.js":             {"../../../node_modules/react/index.js", true},
		"node_modules/.pnpm/react@19/index.js":             {"node_modules/.pnpm/react@19/index.js", true},
		"webpack:///./src/cart.ts":                         {"src/cart.ts", false},
		"webpack:///src/cart.ts":                           {"src/cart.ts", false},
		"webpack://shop/./src/Cart.vue?1f2e":               {"src/Cart.vue", false},
		"webpack://_N_E/(ssr)/./app/page.tsx":              {"app/page.tsx", false},
		"webpack:///../shared/money.ts":                    {"../shared/money.ts", false},
		"webpack:///./~/react/index.js":                    {"~/react/index.js", true},
		"webpack:///./node_modules/react/index.js":         {"node_modules/react/index.js", true},
		"webpack:///webpack/bootstrap 1f2e":                {"webpack/bootstrap 1f2e", true},
		"webpack://shop/external commonjs \"fs\"":          {"external commonjs \"fs\"", true},
		"webpack/rules.js":                                 {"webpack/rules.js", false},
		"turbopack:///[project]/src/app/page.tsx":          {"src/app/page.tsx", false},
		"turbopack:///[turbopack]/browser/runtime.ts":      {"[turbopack]/browser/runtime.ts", true},
		"\ufffdvite/preload-helper.js":                     {"vite/preload-helper.js", true},
		"/__parcel_source_root/src/index.js":               {"src/index.js", false},
		"file:///home/ci/shop/src/index.ts":                {"/home/ci/shop/src/index.ts", false},
		"/Users/ci/app/node_modules/react-native/index.js": {"/Users/ci/app/node_modules/react-native/index.js", true},
		"__prelude__":                                      {"__prelude__", true},
		"https://cdn.example.com/src/a.ts":                 {"https://cdn.example.com/src/a.ts", false},
	}
	for source, want := range tests {
		if got := nameSource(source); got != want {
			t.Errorf("%q: %+v, want %+v", source, got, want)
		}
	}
}

func TestFunctionName(t *testing.T) {
	tests := []struct {
		sent, around, called string
		content              bool
		want                 string
	}{
		{"k", "Cart.total", "applyCoupon", true, "Cart.total"},
		{"k", "", "applyCoupon", false, "applyCoupon"},
		{"k", "", "applyCoupon", true, "?"},
		{"?", "", "forEach", false, "?"},
		{"k", "", "", false, "?"},
		{"Object.k", "", "", true, "?"},
		{"HTMLButtonElement.onclick", "", "", true, "HTMLButtonElement.onclick"},
		{"Object.wR [as withScope]", "", "", false, "Object.wR [as withScope]"},
	}
	for _, tt := range tests {
		if got := functionName(tt.sent, sourcemap.Position{Function: tt.around}, tt.called, tt.content); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

// TestScripts asks which frames lie in scripts, by the platform of their event.
func TestScripts(t *testing.T) {
	tests := map[string][]string{ // by address: the platforms where it is one
		"https://shop.example.com/app.js":    {"javascript", "node", "python"},
		"app:///main.jsbundle":               {"javascript", "node", "python"},
		"file:///srv/dist/main.js":           {"javascript", "node", "python"},
		"/srv/dist/main.js":                  {"javascript", "node"},
		`C:\srv\dist\main.js`:                {"javascript", "node"},
		"index.android.bundle":               {"javascript", "node"},
		"/srv/node_modules/express/index.js": nil,
		"node:internal/process/task_queues":  nil,
		"internal/main.js":                   nil,
		"<anonymous>":                        nil,
		"[native code]":                      nil,
		"native":                             nil,
		"chrome-extension://abc/app.js":      nil,
		"":                                   nil,
	}
	for url, want := range tests {
		got := []string(nil)
		for _, platform := range []string{"javascript", "node", "python"} {
			if _, ok := newScripts(&event.Event{Platform: platform}).ref(&event.Frame{Filename: url}); ok {
				got = append(got, platform)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%q is a script for %v, want %v", url, got, want)
		}
	}
	// A debug image makes a script of anything, whichever way its id is written.
	ev := &event.Event{Platform: "other", Images: []event.DebugImage{
		{Type: "sourcemap", CodeFile: "bundle?x=1", DebugID: "A9AAC7B1-BA30-5E98-80C2-4BAC1F9BC5AE"},
		{Type: "macho", CodeFile: "lib", DebugID: "a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"},
	}}
	if ref, ok := newScripts(ev).ref(&event.Frame{AbsPath: "bundle"}); !ok || ref.DebugID != "a9aac7b1ba305e9880c24bac1f9bc5ae" {
		t.Errorf("%+v %t", ref, ok)
	}
	if _, ok := newScripts(ev).ref(&event.Frame{AbsPath: "lib"}); ok {
		t.Error("a native image made a script")
	}
}
