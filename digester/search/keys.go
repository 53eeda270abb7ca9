package search

import (
	"strings"

	"sundew/schema/event"
)

// key is a word before a colon that is not simply the name of a tag.
type key struct {
	name    string
	allowed string // values, in words; "": anything
	tag     bool   // it is the name of a tag nevertheless
	plain   bool   // and its values are that tag's, as typed
	parse   func(*parser) (Cond, error)
	by      string // what it says of a user, if that is not all
}

const (
	isAllowed       = "unresolved, resolved, muted, assigned, unassigned, new or regressed"
	assignedAllowed = "me, none, a mail address, or a team as in #backend"
	levelAllowed    = "debug, info, warning, error or fatal"
	timeAllowed     = "a span as in -24h (younger) or +7d (older), or a date as in >2026-01-31"
)

// keyOf returns what a word before a colon means. Spellings differ in case,
// hyphens and underscores: firstSeen, first_seen, first-seen.
func keyOf(word string) (key, bool) {
	switch simple(word) {
	case "is":
		return key{name: "is", allowed: isAllowed, parse: parseIs}, true
	case "assigned", "assignee", "assignedto":
		return key{name: "assigned", allowed: assignedAllowed, parse: parseAssigned}, true
	case "has":
		return key{name: "has", allowed: "the name of a tag", parse: parseHas}, true
	case "level":
		return key{name: "level", allowed: levelAllowed, tag: true, parse: parseLevel}, true
	case "timesseen", "events", "count":
		return key{name: "times_seen", allowed: "a number, as in >100", parse: parseCount(Events)}, true
	case "users", "usercount", "usersaffected", "uniqueusers":
		return key{name: "users", allowed: "a number, as in >100", parse: parseCount(Users)}, true
	case "firstseen":
		return key{name: "firstSeen", allowed: timeAllowed, parse: parseWhen(FirstSeen)}, true
	case "lastseen":
		return key{name: "lastSeen", allowed: timeAllowed, parse: parseWhen(LastSeen)}, true
	case "age":
		return key{name: "age", allowed: "a span, as in <7d or >24h", parse: parseAge}, true
	case "firstrelease":
		return key{name: "firstRelease", parse: func(p *parser) (Cond, error) { return FirstRelease{p.patterns()}, nil }}, true
	case "title":
		return match("title", Title), true
	case "culprit":
		return match("culprit", Culprit), true
	case "platform":
		return match("platform", Platform), true
	case "project", "project.name":
		return match("project", Project), true
	case "issue", "shortid":
		return match("issue", ShortID), true
	case "message", "text":
		return key{name: "message", parse: parseMessage}, true
	case "environment", "env":
		return tag("environment"), true
	case "release":
		return key{name: "release", tag: true, parse: func(p *parser) (Cond, error) { return Release{p.patterns()}, nil }}, true
	}
	return tagOf(word)
}

// tagOf returns what Sentry has names for and is a tag here.
func tagOf(word string) (key, bool) {
	switch simple(word) {
	case "browser", "browser.name":
		return named("browser"), true
	case "os", "os.name":
		return named("os"), true
	case "runtime", "runtime.name":
		return named("runtime"), true
	case "device", "device.family":
		return named("device"), true
	case "http.url", "url":
		return tag("url"), true
	case "error.handled":
		return tag("handled"), true
	case "error.mechanism":
		return tag("mechanism"), true
	case "user":
		return user(""), true
	case "user.id":
		return user("id"), true
	case "user.email":
		return user("email"), true
	case "user.username", "user.name":
		return user("username"), true
	case "user.ip":
		return user("ip"), true
	}
	return key{}, false
}

// simple is a key without what spellings differ in.
func simple(word string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(word))
}

func match(name string, c Column) key {
	return key{name: name, parse: func(p *parser) (Cond, error) { return Match{c, p.patterns()}, nil }}
}

// tag is a key for which a tag has another name.
func tag(name string) key {
	return key{name: name, tag: true, plain: true, parse: func(p *parser) (Cond, error) { return Tag{name, p.patterns()}, nil }}
}

// named is a tag whose value is a name with a version, which may be left out:
// browser:Safari finds "Safari 17".
func named(name string) key {
	return key{name: name, tag: true, parse: func(p *parser) (Cond, error) {
		var any []Pattern
		for _, pattern := range p.patterns() {
			any = append(any, pattern)
			if value, exact := pattern.Exact(); exact && !strings.ContainsAny(value, "0123456789") {
				any = append(any, Pattern{value + " ", ""})
			}
		}
		return Tag{name, any}, nil
	}}
}

// user asks for users by what they are told by, "" for anything.
func user(by string) key {
	return key{name: "user", tag: true, by: by, parse: func(p *parser) (Cond, error) { return User{by, p.patterns()}, nil }}
}

// parseMessage is free text with a key, as in Sentry.
func parseMessage(p *parser) (Cond, error) {
	v, err := p.single()
	if err != nil {
		return nil, err
	}
	v.quoted = true
	return p.freeText(v)
}

func propertyOf(name string) (Property, bool) {
	switch name {
	case "unresolved", "open":
		return Open, true
	case "resolved":
		return Resolved, true
	case "muted", "ignored", "archived":
		return Muted, true
	case "assigned":
		return Assigned, true
	case "unassigned":
		return Unassigned, true
	case "new":
		return New, true
	case "regressed":
		return Regressed, true
	}
	return 0, false
}

// String returns the property as it is typed.
func (p Property) String() string {
	return [...]string{"unresolved", "resolved", "muted", "assigned", "unassigned", "new", "regressed"}[p]
}

func isNames() []string {
	return []string{"unresolved", "open", "resolved", "muted", "ignored", "archived", "assigned", "unassigned", "new", "regressed"}
}

func levelNames() []string {
	var names []string
	for l := event.LevelDebug; l <= event.LevelFatal; l++ {
		names = append(names, l.String())
	}
	return names
}

// suggestion is the end of an error about a word that is nearly one of those that
// are known.
func suggestion(word string, known []string) string {
	if near, ok := nearest(strings.ToLower(word), known); ok {
		return ". Did you mean " + near + "?"
	}
	return ""
}

// guessKey returns the key that a word is most likely meant to be. Short keys are
// left out: too many tags are one letter away from them.
func guessKey(word string) (string, bool) {
	long := []string{"assigned", "timesSeen", "firstSeen", "lastSeen", "firstRelease", "release", "environment", "culprit", "platform", "message"}
	plain := make([]string, len(long))
	for i, k := range long {
		plain[i] = simple(k)
	}
	near, ok := nearest(simple(word), plain)
	if !ok {
		return "", false
	}
	for i, k := range plain {
		if k == near {
			return long[i], true
		}
	}
	return "", false
}

// nearest returns the known word that differs from another in at most two letters, of
// six or more, or in one.
func nearest(word string, known []string) (string, bool) {
	best, bound := "", 2
	if len(word) < 6 {
		bound = 1
	}
	for _, k := range known {
		if d := distance(word, k); d > 0 && d <= bound {
			best, bound = k, d-1
		}
	}
	return best, best != ""
}

// distance is how many letters have to be changed, added, left out or swapped with
// their neighbour to make one word of another.
func distance(a, b string) int {
	if len(a) > 32 {
		return len(a)
	}
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}

func levelText(l event.Level) string { return l.String() }
