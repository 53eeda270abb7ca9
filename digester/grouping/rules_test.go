package grouping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
)

const ruled = `{
	"platform": "python", "level": "warning", "logger": "shop.db", "release": "shop@1.2.3", "environment": "production",
	"transaction": "/checkout", "tags": {"server": "web-7"}, "fingerprint": ["of the client"],
	"logentry": {"formatted": "Payment failed: Timeout after 30 s"},
	"exception": {"values": [
		{"type": "ConnectionError", "value": "connection reset"},
		{"type": "DatabaseUnavailable", "value": "no \"primary\" found", "stacktrace": {"frames": [
			{"function": "handle", "module": "django.core", "abs_path": "/lib/django/core.py", "in_app": false},
			{"function": "pay", "module": "shop.payment", "abs_path": "C:\\shop\\payment.py", "filename": "payment.py", "in_app": true}]}}]}}`

func skim(t testing.TB, payload string) *event.Event {
	t.Helper()
	ev, err := event.Skim([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestRules(t *testing.T) {
	ev := skim(t, ruled)
	for _, tt := range []struct {
		rules string
		want  []string // nil: no rule matches
	}{
		{`type:DatabaseUnavailable -> system-down`, []string{"system-down"}},
		{`type:ConnectionError -> a cause matches too`, []string{"a", "cause", "matches", "too"}},
		{`error.type:database* -> x`, []string{"x"}},
		{`type:Database -> x`, nil},
		{`message:"*timeout*" -> {{ default }}, timeout`, []string{"{{ default }}", "timeout"}},
		{`message:"no \"primary\" found" -> {{value}}`, []string{`no "primary" found`}},
		{`value:"connection ?eset" -> x`, []string{"x"}},
		{`logger:shop.* level:warning platform:python release:shop@1.* environment:production -> x`, []string{"x"}},
		{`!level:error tags.server:web-? -> {{ tags.server }} {{ level }}`, []string{"web-7", "warning"}},
		{`tags.absent:* -> x`, nil},
		{`!tags.absent:* -> {{ tags.absent }}`, []string{"<no tags.absent>"}},
		{`transaction:/check* -> {{ transaction }} {{ type }} {{ function }} {{ path }}`, []string{"/checkout", "DatabaseUnavailable", "pay", "payment.py"}},
		{`path:c:/shop/** -> x`, []string{"x"}},
		{`function:pay app:yes -> x`, []string{"x"}},
		{`function:pay app:no -> x`, nil},
		{`stack.module:django.* stack.function:pay -> x`, nil},
		{`!module:django.* function:p* -> x`, []string{"x"}},
		{"# first\ntype:Nothing -> a\n\n  type:* -> b  \ntype:* -> c", []string{"b"}},
		{`logger:"" -> x`, nil},
		{`type:* -> "two words",third`, []string{"two words", "third"}},
	} {
		rules, problems := ParseRules(tt.rules)
		if problems != nil {
			t.Errorf("%s: %v", tt.rules, problems)
			continue
		}
		match, ok := rules.Match(ev)
		if diff := cmp.Diff(tt.want, match.Fingerprint); diff != "" || ok != (tt.want != nil) {
			t.Errorf("%s (-want +got):\n%s", tt.rules, diff)
		}
		if ok { // as is stored with an event, for its page
			again, problems := ParseRules(match.Text)
			if same := GroupBy(ev, again).Key == GroupBy(ev, rules).Key; problems != nil || !same {
				t.Errorf("%s: its text alone does not group alike", tt.rules)
			}
		}
	}
}

func TestRuleErrors(t *testing.T) {
	for line, want := range map[string]string{
		`type:A`:                                `no "->"`,
		`-> x`:                                  "no matcher",
		`type:A ->`:                             "no fingerprint",
		`type:A -> ,`:                           "no fingerprint",
		`color:red -> x`:                        "“color” is not a key",
		`type -> x`:                             "“type -> x” is no matcher",
		`type: -> x`:                            `has no pattern`,
		`message:"never ends -> x`:              "does not end",
		`message:"a"b -> x`:                     "a blank is missing",
		`type:A -> {{ default`:                  "}}",
		`type:A -> {{ color }}`:                 "“color” is not a variable",
		`type:A -> {{ app }}`:                   "“app” is not a variable",
		`type:A -> a{{ type }}`:                 "by itself",
		`app:maybe -> x`:                        "yes or no",
		`tags.:x -> y`:                          "not a key",
		`type:A -> ` + strings.Repeat("x", 500): "longer than 500",
	} {
		rules, problems := ParseRules("# a comment\ntype:Good -> good\n" + line)
		if len(problems) != 1 || problems[0].Line != 3 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v, want %s", line, problems, want)
		}
		if rules.Len() != 1 {
			t.Errorf("%s: %d rules are left, want the good one", line, rules.Len())
		}
	}
	if _, problems := ParseRules(strings.Repeat("type:A -> x\n", maxRules+1)); len(problems) != 1 {
		t.Errorf("too many rules: %v", problems)
	}
}

// A rule that matches comes before the client's fingerprint, and says so.
func TestGroupBy(t *testing.T) {
	ev := skim(t, ruled)
	plain := Group(ev)
	if plain.Rule != "fingerprint of the client" || plain.Match != "" {
		t.Fatalf("without rules: %+v", plain)
	}
	rules, _ := ParseRules("type:DatabaseUnavailable -> system-down")
	got := GroupBy(ev, rules)
	if diff := cmp.Diff([]Part{{"fingerprint", "system-down"}}, got.Parts); diff != "" {
		t.Error(diff)
	}
	if got.Rule != "fingerprint of the project's rule “"+got.Match+"”" || got.Match != "type:DatabaseUnavailable -> system-down" || got.Title != plain.Title {
		t.Errorf("with a rule: %+v", got)
	}
	with, _ := ParseRules("type:* -> {{ default }} shop")
	ev.Fingerprint = nil
	if got, plain := GroupBy(ev, with), Group(ev); len(got.Parts) != len(plain.Parts)+1 || got.Key == plain.Key || cmp.Diff(got.Frames, plain.Frames) != "" {
		t.Errorf("with {{ default }}: %+v", got)
	}
	none, _ := ParseRules("type:Other -> x")
	if GroupBy(ev, none).Key != Group(ev).Key {
		t.Error("a rule that does not match changes the group")
	}
}

// Rules that are made to take long end, and match nothing.
func TestRulesEnd(t *testing.T) {
	line := `message:"*` + strings.Repeat("a", 400) + `b*" -> x`
	rules, problems := ParseRules(strings.Repeat(line+"\n", 190) + "!type:Never -> last")
	if problems != nil {
		t.Fatal(problems)
	}
	long := &event.Event{Message: event.Message{Formatted: strings.Repeat("a", 5000)}}
	left := maxSteps
	for _, r := range rules.rules {
		if r.matches(long, stack{}, &left) {
			t.Fatalf("matches after %d steps", maxSteps-left)
		}
	}
	if left > 0 || left < -maxRules {
		t.Errorf("%d steps are left", left)
	}
	if match, ok := rules.Match(&event.Event{}); !ok || match.Fingerprint[0] != "last" {
		t.Errorf("a usual event: %+v", match)
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"**", "abc", true}, {"a*c", "ABC", true}, {"a*c", "abcd", false},
		{"*a*b*", "xxaxxbxx", true}, {"*aab", "aaaab", true}, {"?", "é", true}, {"??", "é", false}, {"a?", "a", false},
		{"*é", "caf\u00e9", true}, {"a?c", "a\xff\xfec", false},
	} {
		if got, _ := globFold(tt.pattern, tt.text, 100); got != tt.want {
			t.Errorf("%q on %q: %v", tt.pattern, tt.text, got)
		}
	}
}

// Whatever people write, it is read or explained; what is read groups.
func FuzzRules(f *testing.F) {
	f.Add("type:A -> x\n!message:\"*\\\"*\" path:**/a -> {{ default }}, {{ tags.a }}")
	f.Add("# x\n-> \"")
	ev := skim(f, ruled)
	f.Fuzz(func(t *testing.T, text string) {
		rules, problems := ParseRules(text)
		for _, p := range problems {
			if p.Line < 1 || p.Why == "" {
				t.Fatalf("%+v", p)
			}
		}
		if match, ok := rules.Match(ev); ok {
			again, problems := ParseRules(match.Text)
			if _, same := again.Match(ev); len(problems) > 0 || !same {
				t.Fatalf("%q matches as one of many but not alone: %v", match.Text, problems)
			}
		}
		GroupBy(ev, rules)
	})
}
