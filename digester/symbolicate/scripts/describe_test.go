package scripts

import (
	"testing"

	"sundew/digester/store"
)

// What there is in place of what was looked for is said in a sentence.
func TestDescribeNear(t *testing.T) {
	for want, found := range map[string]store.Script{
		"it has ~/a/app.js, ~/b/app.js": {Trouble: store.ScriptNoURL, Near: []string{"~/a/app.js", "~/b/app.js"}},
		`there is "de", ""`:             {Trouble: store.ScriptNoDist, Dists: []string{"de", ""}},
		"release shop@9.9.9 has ~/main.js: does the SDK send the release that was uploaded?": {
			Trouble: store.ScriptNoRelease, Elsewhere: store.Elsewhere{Release: "shop@9.9.9", URL: "~/main.js"}},
		"": {Trouble: store.ScriptNoURL},
	} {
		if got := describe(found).Detail; got != want {
			t.Errorf("the detail is %q, want %q", got, want)
		}
	}
}
