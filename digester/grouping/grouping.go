// Package grouping decides which issue an event belongs to, and what that issue
// is called.
//
// It exists because this decision is the product: two events are one problem, or
// they are not. The package is pure and versioned. A Version is frozen once events
// were stored with it: a better idea is a new version, so that issues do not
// split because the server was updated.
//
// What counts, in this order:
//
//  1. A fingerprint that a rule of the project's people gives (Rules), else one that
//     the client sent. "{{ default }}" in it stands for what follows.
//  2. A browser's security report: its directive and the blocked host.
//  3. A message: its template if there is one, else its text, with what varies
//     (numbers, ids, addresses, dates, …) replaced. An exception that an SDK made
//     up to carry the stack of a message is no exception.
//  4. Exceptions: the types of the whole chain and the application's own frames
//     of the thrown one. Where those say little (anonymous or minified functions,
//     no frames at all, a type that stands for any error) the exception's message
//     counts too.
//
// What never counts: line numbers, addresses, generated names and counters, where
// a release was unpacked, content hashes of bundles, how often a function called
// itself, level, transaction, release, environment, user.
package grouping

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"sundew/schema/event"
)

// Version is the version of the rules. It is part of every key.
const Version = 1

// Result says where an event belongs and why.
type Result struct {
	Version int
	Key     [16]byte // the group: equal keys, same issue
	Rule    string   // which rule applied, in words
	Parts   []Part   // what the key was made of, in order
	Title   string   // one line, never empty
	Culprit string   // where it happened, one line, may be empty

	// Exception is the place in the event's exceptions of the one whose frames
	// contributed, -1 if none did, and Frames the places of those frames in its
	// stacktrace, outermost call first.
	Exception int
	Frames    []int

	// Match is the text of the project's rule that matched; empty: none did.
	Match string
}

// Part is one thing that contributed to a key.
type Part struct {
	Source string // what it is: "fingerprint", "exception type", "frame", "message", …
	Text   string // as it was compared, normalised
}

// Group applies the rules to an event, of which it needs no more than Skim reads.
// It does not change the event.
func Group(ev *event.Event) Result { return GroupBy(ev, Rules{}) }

// GroupBy is Group with the rules of the event's project.
func GroupBy(ev *event.Event, rules Rules) Result {
	stack := findStack(ev)
	r := byDefault(ev, stack)
	r.Version = Version
	r.Title = title(ev, stack)
	r.Culprit = culprit(ev, stack)
	if match, ok := rules.match(ev, stack); ok {
		r.Match = match.Text
		r.byFingerprint(match.Fingerprint, "the project's rule “"+match.Text+"”")
	} else if len(ev.Fingerprint) > 0 {
		r.byFingerprint(ev.Fingerprint, "the client")
	}
	r.Key = key(r.Parts)
	return r
}

// byDefault applies the rules without regard to a fingerprint.
func byDefault(ev *event.Event, stack stack) Result {
	switch {
	case ev.Security != nil:
		return bySecurity(ev)
	case isMessage(ev):
		return byMessage(ev)
	case len(ev.Exceptions) > 0 || len(stack.own) > 0:
		return byException(ev, stack)
	case ev.Template != nil:
		return Result{Rule: "template that failed", Exception: -1, Parts: []Part{{"template", cleanFile(ev.Template.Filename)}}}
	}
	return Result{Rule: "nothing to compare but the platform", Exception: -1, Parts: []Part{{"platform", ev.Platform}}}
}

// byFingerprint replaces the parts by those that somebody named.
func (r *Result) byFingerprint(fingerprint []string, of string) {
	defaults, usesDefault, usesOwn := r.Parts, false, false
	r.Parts = make([]Part, 0, len(fingerprint)+len(defaults))
	for _, text := range fingerprint {
		if isDefault(text) {
			usesDefault = true
			r.Parts = append(r.Parts, defaults...)
		} else {
			usesOwn = true
			r.Parts = append(r.Parts, Part{"fingerprint", text})
		}
	}
	if !usesDefault {
		r.Exception, r.Frames = -1, nil
	}
	if usesOwn && usesDefault {
		r.Rule = "fingerprint of " + of + ", and " + r.Rule
	} else if usesOwn {
		r.Rule = "fingerprint of " + of
	}
}

// isDefault reports whether a part of a fingerprint stands for the default parts,
// with spaces inside the braces or without.
func isDefault(part string) bool {
	inner, ok := strings.CutPrefix(strings.TrimSpace(part), "{{")
	if !ok {
		return false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	return ok && strings.TrimSpace(inner) == "default"
}

// bySecurity groups browsers' reports.
func bySecurity(ev *event.Event) Result {
	s := ev.Security
	r := Result{Rule: "directive and blocked host of a security report", Exception: -1}
	r.Parts = []Part{{"report type", s.Kind}}
	if s.Directive != "" {
		r.Parts = append(r.Parts, Part{"directive", s.Directive})
	}
	if s.Blocked != "" {
		r.Parts = append(r.Parts, Part{"blocked host", s.Blocked})
	}
	if len(r.Parts) == 1 {
		r.Rule = "message of a security report"
		r.Parts = append(r.Parts, Part{"message", parameterized(ev.Message.Text())})
	}
	return r
}

// isMessage reports whether the event is a message and no error. SDKs add an
// exception to some messages to carry the stack of the call: without a type, or
// synthetic with the message as its value.
func isMessage(ev *event.Event) bool {
	text := ev.Message.Text()
	if text == "" {
		return false
	}
	x := thrown(ev)
	return x == nil || x.Type == "" || x.Mechanism.Synthetic && x.Value == text
}

func byMessage(ev *event.Event) Result {
	if ev.Message.Template != "" {
		return Result{
			Rule: "template of the message", Exception: -1,
			Parts: []Part{{"message", parameterized(ev.Message.Template)}},
		}
	}
	return Result{
		Rule: "text of the message", Exception: -1,
		Parts: []Part{{"message", parameterized(ev.Message.Formatted)}},
	}
}

// thrown returns the exception that was thrown last, nil if there is none.
func thrown(ev *event.Event) *event.Exception {
	if len(ev.Exceptions) == 0 {
		return nil
	}
	return &ev.Exceptions[len(ev.Exceptions)-1]
}

// key hashes parts so that no two different lists of them are written alike.
func key(parts []Part) (k [16]byte) {
	buf := make([]byte, 0, 512)
	buf = append(buf, Version)
	for _, p := range parts {
		for _, s := range [...]string{p.Source, p.Text} {
			buf = binary.AppendUvarint(buf, uint64(len(s)))
			buf = append(buf, s...)
		}
	}
	sum := sha256.Sum256(buf)
	copy(k[:], sum[:])
	return k
}
