package grouping

import (
	"fmt"
	"strings"

	"sundew/schema/event"
)

// Bounds of a project's rules.
const (
	maxRules    = 200
	maxRuleSize = 500 // of a line, in bytes
	maxProblems = 20
)

// Rules are what the people of a project know better than any algorithm: which
// events belong together. They are lines of the form
//
//	matcher … -> fingerprint …
//
// as in Sentry. The first rule all of whose matchers match an event decides; its
// fingerprint takes the place of the one that the client sent, if it sent any.
// Lines that begin with # are comments.
//
// A matcher is key:pattern, with ! in front if it must not match. In a pattern *
// stands for any characters and ? for one; it has to match the whole value, and
// does not care about the case of A to Z. With blanks in it it stands in "quotes",
// where \" is a quote and \\ a backslash. The keys:
//
//	type, value        of any exception of the chain (also error.type, error.value)
//	message            the message, or the value of an exception
//	logger, level, platform, release, environment, transaction
//	tags.NAME          a tag
//	path, function, module, package, app
//	                   of a frame (also stack.abs_path, stack.function, …); app is
//	                   yes or no. All of a rule's must match the same frame
//
// The fingerprint is a list of words, "quoted" texts and variables, with blanks or
// commas between. Variables: {{ default }}, what would decide without the rule;
// {{ type }}, {{ value }}, {{ message }}, {{ logger }}, {{ level }}, {{ platform }},
// {{ release }}, {{ environment }}, {{ transaction }}, {{ tags.NAME }}; {{ path }},
// {{ function }}, {{ module }}, {{ package }} of the innermost frame of the
// application.
//
// The zero value has no rules. Rules do not change: any number of goroutines may
// use them.
type Rules struct{ rules []rule }

// rule is one line.
type rule struct {
	line        int
	text        string
	matchers    []matcher
	fingerprint []string // variables as {{ name }}
}

// matcher is one condition of a rule.
type matcher struct {
	key     string
	pattern string // lower-case
	not     bool
}

// RuleError says what is wrong with a line.
type RuleError struct {
	Line int    // from 1
	Text string // the line
	Why  string // for people
}

// Error implements error.
func (e RuleError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// ParseRules reads rules. Where lines cannot be understood it says of each why; the
// rules are those of the others.
func ParseRules(text string) (Rules, []RuleError) {
	var all Rules
	var problems []RuleError
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, why := parseRule(line)
		if why == "" && len(all.rules) == maxRules {
			why = fmt.Sprintf("there are more than %d rules", maxRules)
		}
		if why != "" {
			if problems = append(problems, RuleError{Line: n, Text: line, Why: why}); len(problems) == maxProblems {
				return all, problems
			}
			continue
		}
		r.line = n
		all.rules = append(all.rules, r)
	}
	return all, problems
}

// Len returns how many rules there are.
func (r Rules) Len() int { return len(r.rules) }

// Match is what the first rule that matches an event makes of it.
type Match struct {
	Line        int    // of the rule, from 1
	Text        string // the rule; as rules of its own it matches the event too
	Fingerprint []string
}

// Match returns the first rule that matches an event; false if none does.
func (r Rules) Match(ev *event.Event) (Match, bool) { return r.match(ev, findStack(ev)) }

func (r Rules) match(ev *event.Event, st stack) (Match, bool) {
	left := maxSteps
	for _, rule := range r.rules {
		if rule.matches(ev, st, &left) {
			return Match{Line: rule.line, Text: rule.text, Fingerprint: rule.expand(ev, st)}, true
		}
	}
	return Match{}, false
}

func (r rule) matches(ev *event.Event, st stack, left *int) bool {
	ofFrame := false
	for _, m := range r.matchers {
		if isFrameKey(m.key) {
			ofFrame = true
			continue
		}
		if m.fitsAny(valuesOf(m.key, ev), left) == m.not {
			return false
		}
	}
	if !ofFrame {
		return *left > 0
	}
	for i := range st.frames {
		if r.matchesFrame(&st.frames[i], left) {
			return true
		}
	}
	return false
}

func (r rule) matchesFrame(f *event.Frame, left *int) bool {
	for _, m := range r.matchers {
		if isFrameKey(m.key) && m.fitsAny(frameValues(m.key, f), left) == m.not {
			return false
		}
	}
	return *left > 0
}

const (
	// maxMatched bounds what is looked at of a value, in bytes.
	maxMatched = 2048

	// maxSteps bounds the characters compared for one event: rules that are made
	// for it must not hold up other people's events. What is not decided by then
	// does not match. Usual rules take a thousandth of it.
	maxSteps = 5_000_000
)

func (m matcher) fitsAny(values []string, left *int) bool {
	for _, value := range values {
		fits, steps := globFold(m.pattern, value[:min(len(value), maxMatched)], *left)
		if *left -= steps; fits {
			return true
		}
	}
	return false
}

// expand fills in the variables of the fingerprint but the default one.
func (r rule) expand(ev *event.Event, st stack) []string {
	parts := make([]string, len(r.fingerprint))
	for i, part := range r.fingerprint {
		parts[i] = part
		name, ok := variable(part)
		if !ok || name == "default" {
			continue
		}
		var values []string
		if !isFrameKey(name) {
			values = valuesOf(name, ev)
		} else if len(st.own) > 0 {
			values = frameValues(name, &st.frames[st.own[len(st.own)-1]])
		}
		parts[i] = "<no " + name + ">"
		if n := len(values); n > 0 && values[n-1] != "" {
			parts[i] = values[n-1] // of several exceptions that of the thrown one
		}
	}
	return parts
}

// valuesOf returns what an event has under the key of a matcher or variable.
func valuesOf(key string, ev *event.Event) []string {
	if name, ok := strings.CutPrefix(key, "tags."); ok {
		for _, tag := range ev.AllTags() {
			if tag.Key == name {
				return []string{tag.Value}
			}
		}
		return nil
	}
	var values []string
	switch key {
	case "type":
		for i := range ev.Exceptions {
			values = append(values, ev.Exceptions[i].Type)
		}
	case "value":
		for i := range ev.Exceptions {
			values = append(values, ev.Exceptions[i].Value)
		}
	case "message":
		values = valuesOf("value", ev)
		if text := ev.Message.Text(); text != "" {
			values = append(values, text)
		}
	case "logger":
		values = []string{ev.Logger}
	case "level":
		values = []string{levelOf(ev).String()}
	case "platform":
		values = []string{ev.Platform}
	case "release":
		values = []string{ev.Release}
	case "environment":
		values = []string{ev.Environment}
	case "transaction":
		values = []string{ev.Transaction}
	}
	return values
}

// levelOf returns the level that an event is stored with.
func levelOf(ev *event.Event) event.Level {
	if ev.Level == event.LevelUnset {
		return event.LevelError
	}
	return ev.Level
}

func isFrameKey(key string) bool {
	switch key {
	case "path", "function", "module", "package", "app":
		return true
	}
	return false
}

// frameValues is valuesOf for keys of a frame.
func frameValues(key string, f *event.Frame) []string {
	switch key {
	case "path":
		return []string{slashed(f.AbsPath), slashed(f.Filename)}
	case "function":
		return []string{f.Function}
	case "module":
		return []string{f.Module}
	case "package":
		return []string{slashed(f.Package)}
	}
	if f.IsInApp() {
		return []string{"yes"}
	}
	return []string{"no"}
}

func slashed(path string) string { return strings.ReplaceAll(path, `\`, "/") }
