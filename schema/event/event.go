// Package event holds the nouns of an error report and reads them from JSON.
//
// It exists because two programs have to agree on what an event is: the edge
// looks at one just far enough to accept it (Scan), the digester reads it for
// grouping and counting (Skim) and the dashboard reads all of it (Parse). The
// package is pure: no I/O, no clock, no logger.
//
// Rules: every shape in use by real SDKs is accepted (develop.sentry.dev, event
// payloads, and the recordings of schema/corpus, which win where the two differ);
// what cannot be understood is dropped field by field, never
// event by event; every string and list is bounded; NUL bytes and lone
// surrogates never get past the parser.
package event

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// ProjectID is the number in a DSN's path. Zero means "no project".
type ProjectID int64

// ID identifies an event within its project: 16 bytes, written as 32 lower-case
// hex digits without dashes.
type ID [16]byte

// ErrID is returned by ParseID for anything that is not a non-nil UUID.
var ErrID = errors.New("event id is not 32 hex digits")

// ParseID accepts 32 hex digits in any case, with or without a UUID's dashes.
// The nil id (all zeros) is refused, as the protocol demands.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		s = strings.ReplaceAll(s, "-", "")
	}
	if len(s) != 32 {
		return ID{}, ErrID
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil || id.IsZero() {
		return ID{}, ErrID
	}
	return id, nil
}

// String returns the 32 hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether the id is missing.
func (id ID) IsZero() bool { return id == ID{} }

// Level is an event's severity, ordered: a higher one is worse.
type Level uint8

// The levels of the protocol. LevelUnset is what Parse leaves when an event
// names none; store and pages treat it as LevelError.
const (
	LevelUnset Level = iota
	LevelDebug
	LevelInfo
	LevelWarning
	LevelError
	LevelFatal
)

var levelNames = [...]string{"", "debug", "info", "warning", "error", "fatal"}

// String returns the protocol's name, "error" for LevelUnset.
func (l Level) String() string {
	if l == LevelUnset || int(l) >= len(levelNames) {
		return "error"
	}
	return levelNames[l]
}

// ParseLevel accepts the protocol's names in any case and the aliases seen in
// the field ("log", "warn", "critical"); anything else is LevelUnset.
func ParseLevel(s string) Level {
	switch strings.ToLower(s) {
	case "debug", "trace":
		return LevelDebug
	case "info", "log":
		return LevelInfo
	case "warning", "warn":
		return LevelWarning
	case "error":
		return LevelError
	case "fatal", "critical":
		return LevelFatal
	}
	return LevelUnset
}

// Event is one error report. Fields that an SDK left out are zero. Order is kept
// wherever the protocol gives it a meaning.
type Event struct {
	ID          ID        // from the payload; the envelope header's id, if any, wins over it
	Timestamp   time.Time // when it happened, by the client's clock; zero if absent or unreadable
	Platform    string    // lower-case, e.g. "python"; "other" when missing
	Level       Level
	Logger      string
	Transaction string
	ServerName  string
	Release     string
	Dist        string
	Environment string
	Culprit     string // sent by very old SDKs only

	Message    Message
	Exceptions []Exception // oldest cause first, the thrown one last
	Threads    []Thread
	Stacktrace *Stacktrace // top-level, sent by very old SDKs only
	Template   *Frame      // "template" interface: the template line that failed

	Fingerprint []string // nil when the client left grouping to the server
	Tags        []Pair   // in the order sent, keys unique
	User        User
	Request     Request
	Contexts    []Context // Skim keeps those that tags are made of
	SDK         SDK
	Security    *Security // set when the event was made from a browser's security report

	// What only pages show: left nil by Skim.
	Breadcrumbs []Breadcrumb // oldest first
	Extra       []Field
	Modules     []Pair

	Images []DebugImage // Skim keeps those of scripts with source maps
}

// Message is a log entry: the template, its parameters, and the text with the
// parameters filled in. Either text may be empty.
type Message struct {
	Template  string
	Formatted string
	Params    []string
}

// Text returns what to show: the formatted text, else the template.
func (m Message) Text() string {
	if m.Formatted != "" {
		return m.Formatted
	}
	return m.Template
}

// Exception is one link of a chain of causes.
type Exception struct {
	Type       string
	Value      string
	Module     string
	ThreadID   string
	Mechanism  Mechanism
	Stacktrace *Stacktrace
}

// Mechanism says how an exception was caught.
type Mechanism struct {
	Type        string
	Description string
	HelpLink    string
	Handled     *bool // nil when the SDK did not say
	Synthetic   bool  // made by the SDK to carry a stack; its type means nothing
	ExceptionID *int
	ParentID    *int
	IsGroup     bool
	Source      string
	Data        RawJSON // only pages show it
}

// Thread is one thread of the process at the time of the event.
type Thread struct {
	ID         string
	Name       string
	State      string // as the runtime calls it, e.g. "WAITING"
	Crashed    bool
	Current    bool
	Stacktrace *Stacktrace
}

// Stacktrace lists frames oldest call first; the last one is where it happened.
type Stacktrace struct {
	Frames  []Frame
	Omitted int // frames cut from the middle because there were too many
}

// Frame is one call. Line and Column are 1-based, 0 when unknown.
type Frame struct {
	Function    string
	RawFunction string
	Module      string
	Package     string
	Filename    string
	AbsPath     string
	Line        int
	Column      int
	InApp       *bool  // nil when the SDK did not say
	Address     string // instruction address of native frames, as sent

	// What only pages show: left empty by Skim.
	PreContext  []string
	ContextLine string
	PostContext []string
	Vars        []Field
}

// IsInApp reports whether the SDK marked the frame as the application's own.
func (f *Frame) IsInApp() bool { return f.InApp != nil && *f.InApp }

// Breadcrumb is something that happened before the event.
type Breadcrumb struct {
	Timestamp time.Time
	Type      string
	Category  string
	Level     Level
	Message   string
	Data      []Field
}

// User is who was affected. Data holds what the protocol has no name for.
type User struct {
	ID       string
	Email    string
	Username string
	Name     string
	IP       string // as sent: may be "{{auto}}"
	Data     []Field
}

// IsZero reports whether the event names no user.
func (u User) IsZero() bool {
	return u.ID == "" && u.Email == "" && u.Username == "" && u.Name == "" && u.IP == "" && len(u.Data) == 0
}

// Request is the HTTP request that was being served. Skim keeps its URL, method
// and user agent.
type Request struct {
	URL      string
	Method   string
	Fragment string
	Query    []Pair
	Headers  []Pair
	Cookies  []Pair
	Env      []Pair
	Data     RawJSON // the body: a JSON string or any other JSON value

	UserAgent string // the header of that name; kept by Skim too
}

// IsZero reports whether the event carries no request.
func (r Request) IsZero() bool {
	return r.URL == "" && r.Method == "" && r.UserAgent == "" && len(r.Query) == 0 && len(r.Headers) == 0 && len(r.Cookies) == 0 && len(r.Env) == 0 && len(r.Data) == 0
}

// Context is one named object of "contexts" (device, os, runtime, trace, …).
type Context struct {
	Name   string // its key
	Type   string // its "type", or the key
	Fields []Field
}

// Field returns the text of a context's field, "" when it has none.
func (c Context) Field(key string) string {
	for _, f := range c.Fields {
		if f.Key == key {
			return f.Value.Text()
		}
	}
	return ""
}

// Context returns the context of that name and whether there is one.
func (e *Event) Context(name string) (Context, bool) {
	for _, c := range e.Contexts {
		if c.Name == name {
			return c, true
		}
	}
	return Context{}, false
}

// SDK names the client library.
type SDK struct {
	Name    string
	Version string
}

// DebugImage is one entry of debug_meta.images.
type DebugImage struct {
	Type     string
	CodeFile string
	DebugID  string
	Address  string
}

// Security is what a browser's security report says, reduced to what grouping
// and titles need; the report itself is in the event's Extra.
type Security struct {
	Kind      string // "csp"; other report types keep their own name, e.g. "deprecation"
	Directive string // effective directive, e.g. "script-src-elem"
	Blocked   string // host of the blocked resource, or "inline", "eval", "data", …
	Document  string // the page, without query and fragment
}

// Pair is a key with a text.
type Pair struct{ Key, Value string }

// Field is a key with any JSON value.
type Field struct {
	Key   string
	Value RawJSON
}

// RawJSON is one JSON value as sent: valid JSON, free of NUL escapes and lone
// surrogates, never re-ordered.
type RawJSON []byte

// Title, culprit and grouping key are not here: they are decisions, and belong
// to the digester's grouping package.
