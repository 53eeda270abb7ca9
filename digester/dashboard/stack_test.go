package dashboard

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/highlight"
	"sundew/schema/event"
)

// TestFrameOrder shows where it happened first, unless asked otherwise, and
// unfolds what matters.
func TestFrameOrder(t *testing.T) {
	yes := true
	stack := &event.Stacktrace{Frames: []event.Frame{
		{Function: "main", InApp: &yes, ContextLine: "main()"}, {Function: "lib", ContextLine: "lib()"}, {Function: "crash", ContextLine: "crash()"},
	}}
	describe := func(order frameOrder) (text []string) {
		for _, f := range newBudget().stack(stack, order, nil).Frames {
			text = append(text, fmt.Sprintf("%s open=%v crash=%v", f.Function, f.Open, f.Crash))
		}
		return text
	}
	newest := []string{"crash open=true crash=true", "lib open=false crash=false", "main open=true crash=false"}
	if diff := cmp.Diff(newest, describe(newestFirst)); diff != "" {
		t.Error(diff)
	}
	oldest := []string{newest[2], newest[1], newest[0]}
	if diff := cmp.Diff(oldest, describe(oldestFirst)); diff != "" {
		t.Error(diff)
	}
}

// TestRuns folds calls of libraries that follow each other, but not where it
// happened, not what makes the issue, and not everything.
func TestRuns(t *testing.T) {
	yes := true
	frame := func(module string) event.Frame {
		return event.Frame{Function: "f", Module: module, AbsPath: "/app/" + module}
	}
	own := event.Frame{Function: "own", InApp: &yes}
	libs := []event.Frame{frame("django.a"), frame("gunicorn.b"), frame("django.c"), frame("d.e"), frame("f.g")}
	describe := func(frames []event.Frame, grouped ...int) (text []string) {
		for _, p := range newBudget().stack(&event.Stacktrace{Frames: frames}, newestFirst, grouped).Parts() {
			if p.Run {
				text = append(text, p.Count()+": "+p.Text())
			} else {
				text = append(text, p.Frames[0].Function)
			}
		}
		return text
	}
	for name, test := range map[string]struct{ got, want []string }{
		"a run":              {describe(append(slices.Clone(libs), own)), []string{"own", "5 library calls: f, d, django, …"}},
		"where it crashed":   {describe(append([]event.Frame{own}, libs...)), []string{"f", "4 library calls: d, django, gunicorn", "own"}},
		"two are no run":     {describe(append(slices.Clone(libs[:2]), own)), []string{"own", "f", "f"}},
		"what groups":        {describe(append(slices.Clone(libs), own), 1), []string{"own", "3 library calls: f, d, django", "f", "f"}},
		"nothing of its own": {describe(libs), []string{"f", "f", "f", "f", "f"}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestOrigin names libraries by where package managers put them.
func TestOrigin(t *testing.T) {
	for want, frame := range map[string]event.Frame{
		"django":       {AbsPath: "/venv/lib/python3.12/site-packages/django/core/handlers.py", Module: "django.core.handlers"},
		"six":          {AbsPath: "/venv/site-packages/six.py"},
		"@sentry/node": {Filename: "node_modules/@sentry/node/build/index.js"},
		"express":      {AbsPath: `C:\app\node_modules\a\node_modules\express\lib\router.js`},
		"symfony/http": {AbsPath: "/app/vendor/symfony/http/Kernel.php"},
		"rack-3.0.8":   {AbsPath: "/usr/gems/rack-3.0.8/lib/rack.rb"},
		"node":         {AbsPath: "node:internal/timers", Module: "timers"},
		"net/http":     {AbsPath: "/usr/go/src/net/http/server.go", Module: "net/http"},
		"java.util":    {Filename: "Optional.java", Module: "java.util.Optional"},
		"json":         {AbsPath: "/usr/lib/python3.12/json/decoder.py", Module: "json.decoder"},
		"libc.so.6":    {Package: "/lib/libc.so.6"},
		"":             {},
	} {
		if got := origin(&frame); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSource numbers the lines around a call.
func TestSource(t *testing.T) {
	got := newBudget().source(&event.Frame{Line: 2, PreContext: []string{"one\n"}, ContextLine: "two\r\n", PostContext: []string{"three"}})
	want := []sourceLine{
		{Number: "1", Tokens: []sourceToken{{Text: "one"}}},
		{Number: "2", Tokens: []sourceToken{{Text: "two"}}, Current: true},
		{Number: "3", Tokens: []sourceToken{{Text: "three"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestColours paints what the language is known of, as long as there is something
// left to pay with.
func TestColours(t *testing.T) {
	b := newBudget()
	b.painter = painter{languages: highlight.NewLanguages(), platform: "python", left: 3}
	frame := &event.Frame{Filename: "pay.py", ContextLine: "if x:", PostContext: []string{"return 1", "return 2", "return 3"}}
	want := []sourceLine{
		{Tokens: []sourceToken{{"t-k", "if"}, {"", " x:"}}, Current: true},
		{Tokens: []sourceToken{{Text: "return 1"}}},
		{Tokens: []sourceToken{{Text: "return 2"}}},
		{Tokens: []sourceToken{{Text: "return 3"}}},
	}
	if diff := cmp.Diff(want, b.source(frame)); diff != "" {
		t.Error(diff)
	}
	b.painter.left = 100
	if got := b.source(&event.Frame{Filename: "a.html", ContextLine: "if x:"})[0].Tokens; len(got) != 1 || got[0].Class != "" {
		t.Errorf("HTML: %v", got)
	}
	if got := b.source(&event.Frame{Filename: "<stdin>", ContextLine: "# x"})[0].Tokens; len(got) != 1 || got[0].Class != "t-c" {
		t.Errorf("by its platform: %v", got)
	}
}
