// Package search reads what people type to find issues.
//
// It exists so that a query is understood in one place, before anything looks for
// something: Parse makes typed terms of text, or an error that says what is wrong
// and where; String is its inverse. What text of an event can be found is decided
// here too (Document, Words), so that the index and the queries agree.
//
// The package is pure. It knows neither people nor projects nor the clock: "me",
// "24 hours ago" and names are resolved by the store, which turns terms into SQL.
//
// The language, which is Sentry's where that has it:
//
//	checkout "connection reset"   words and phrases of title, message, culprit and frames
//	is:unresolved                 states; also assigned, unassigned, new, regressed
//	assigned:me  assigned:#team   also none and a mail address
//	level:error  level:[error, fatal]
//	release:shop@1.2  release:1.2  environment:production  browser:Safari  tags[any key]:value
//	has:user  !has:user           with and without a tag
//	times_seen:>100  users:>=5    counts
//	lastSeen:-24h  firstSeen:>2026-01-02  age:<7d
//	!browser:Safari  url:*cart*   negation, wildcards, case does not matter
//
// All terms have to hold. Values that have blanks are quoted; * stands for
// anything, \* for itself.
package search

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"sundew/schema/event"
)

// Bounds of a query. A longer one is refused: it could not be answered in time.
const (
	MaxLength = 1000 // bytes
	maxTerms  = 20
	maxValues = 20 // of one list
)

// Query is what to look for: issues for which all terms hold.
type Query []Term

// Term is one condition.
type Term struct {
	Not     bool
	Cond    Cond
	At, End int // where the term is in the text, in bytes
}

// Cond is one of the condition types below.
type Cond interface {
	// text returns the condition as it is typed.
	text() string
}

// Text asks for phrases, each of which is somewhere in the title, message, culprit or
// frames.
type Text struct{ Phrases []string }

// Is asks for one of some properties.
type Is struct{ Any []Property }

// Property is a value of is:.
type Property int

// The properties.
const (
	Open Property = iota
	Resolved
	Muted
	Assigned
	Unassigned
	New       // first seen in the last NewFor
	Regressed // open, and came back in the last NewFor after it had been resolved
)

// NewFor is how long an issue is new, or regressed.
const NewFor = 7 * 24 * time.Hour

// AssignedTo asks who an issue is assigned to, any of some.
type AssignedTo struct{ Any []Assignee }

// Assignee is a person, a team, or nobody. Exactly one field is set.
type Assignee struct {
	Me     bool
	Nobody bool
	Email  string
	Team   string // its slug
}

// Level asks for a level of the newest event, any of some.
type Level struct{ Any []event.Level }

// Tag asks for a value of a tag, any of some.
type Tag struct {
	Key string
	Any []Pattern
}

// User asks who events happened to, any of some.
type User struct {
	By  string // id, email, username or ip; "": any of them
	Any []Pattern
}

// Tags returns the tags, one of which says it: "user" begins with what the user is told
// by, and what it does not say has a tag of its own (event.SearchTags).
func (c User) Tags() []Tag {
	kinds := []string{c.By}
	var any []Pattern
	if c.By == "" {
		kinds = []string{"id", "email", "username", "ip"}
		any = append(any, c.Any...)
	}
	tags := []Tag{{Key: "user"}}
	for _, kind := range kinds {
		for _, p := range c.Any {
			any = append(any, append(Pattern{kind + ":" + p[0]}, p[1:]...))
		}
		tags = append(tags, Tag{"user." + kind, c.Any})
	}
	tags[0].Any = any
	return tags
}

// Has asks whether there is a tag at all.
type Has struct{ Key string }

// Release asks for a release that an event is of, any of some. One without @ stands for
// that version of any package, too: 5.3.0 for shop-web@5.3.0. The tag "release" has the
// name as it is.
type Release struct{ Any []Pattern }

// Version returns what a pattern without wildcards and @ says, which is the end of names
// of releases.
func (p Pattern) Version() (string, bool) {
	text, exact := p.Exact()
	return text, exact && text != "" && !strings.Contains(text, "@")
}

// FirstRelease asks for the release of the first event, any of some, as Release does.
type FirstRelease struct{ Any []Pattern }

// Match asks for a value of one of the issue's own columns, any of some.
type Match struct {
	Column Column
	Any    []Pattern
}

// Column is what Match looks at.
type Column int

// The columns.
const (
	Title Column = iota
	Culprit
	Platform
	Project // its slug
	ShortID // e.g. SHOP-42
)

// Count compares a number.
type Count struct {
	Of Counted
	Op Op
	N  int64
}

// Counted is what Count compares.
type Counted int

// The numbers.
const (
	Events Counted = iota
	Users
)

// When compares a time.
type When struct {
	Of Moment
	Op Op
	To Instant
}

// Moment is what When compares.
type Moment int

// The moments.
const (
	FirstSeen Moment = iota
	LastSeen
)

// Instant is a time: so long ago, or, with Ago zero, a certain one.
type Instant struct {
	Ago time.Duration
	At  time.Time // UTC
	Day bool      // At is a whole day, which matters to Equal
}

// Op is a comparison.
type Op int

// The comparisons.
const (
	Equal Op = iota
	Less
	AtMost
	More
	AtLeast
)

// Pattern is a value with wildcards: pieces of text between any text.
// One piece is the value itself.
type Pattern []string

// Exact reports whether there is no wildcard, and the value.
func (p Pattern) Exact() (string, bool) {
	if len(p) != 1 {
		return "", false
	}
	return p[0], true
}

// Error says what is wrong with a query, and where.
type Error struct {
	At, End int // offsets in the text, in bytes; what lies between them is wrong
	Column  int // of At, in characters from 1
	Says    string
}

// Error returns the column and the words.
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Says) }

// NewError returns an error about the text from at to end. It is for those who find
// out only later that a term names nothing, with the At of that term.
func NewError(text string, at, end int, format string, args ...any) *Error {
	at = min(max(at, 0), len(text))
	end = min(max(end, at), len(text))
	return &Error{At: at, End: end, Column: utf8.RuneCountInString(text[:at]) + 1, Says: fmt.Sprintf(format, args...)}
}
