// Package symbolicate turns the frames of minified scripts into frames of the
// source, and tells why it could not.
//
// It exists because events are grouped and read by their frames: the source's
// must be there before an issue is chosen. The package is pure: which scripts an
// event needs (Refs), what their maps say of it (Symbolicate), the result as
// something to store (Overlay) and to lay over the event (Apply), and the chain
// of every frame for people (Explain). Who finds the maps is the caller's business.
//
// Rules: an event is never changed but by Apply; a frame whose map is missing or
// does not know it stays as it was sent; everything is bounded by what the event
// is bounded by.
package symbolicate

import (
	"time"

	"sundew/digester/sourcemap"
	"sundew/schema/event"
)

// Ref names a script that frames of an event lie in, by all that may lead to
// its map: its debug id, and its release, distribution and address.
type Ref struct {
	DebugID string // 32 lower-case hex digits, "" if the event brings none for it
	Release string
	Dist    string
	URL     string // as the frames have it
}

// Trouble says how far the search for a script's map came.
type Trouble uint8

// Where a chain breaks. The zero value is for a script with a map, and for one
// that nobody looked for.
const (
	NoTrouble     Trouble = iota
	NoBundle              // no uploaded bundle has the debug id, nor, without one, the release
	OtherDist             // bundles of the release exist, but for other distributions
	NoFile                // bundles of the release exist, but none has a file with this address
	NoMapNamed            // the script is in the bundle, and names no map
	NoMap                 // the script names a map that the bundle does not have
	UnreadableMap         // Script.Detail says what is wrong with it
	TooLargeMap           // larger than is read; Script.Detail may say how large
)

// Bundle is what was uploaded, as the doctor names it.
type Bundle struct {
	ID       int64
	Uploaded time.Time
	Release  string // "" for a bundle that only debug ids lead to
	Dist     string
}

// Script is what was found for a Ref.
type Script struct {
	Map     *sourcemap.Map // nil: Trouble says why
	Trouble Trouble
	Detail  string // of Trouble, in words, for people; may be empty
	Bundle  Bundle // zero when none was found
	File    string // the script's name in the bundle, "" when it is not there
	MapFile string // the map's name in the bundle, or as the script names it
}

// Kind says what a stack belongs to.
type Kind uint8

// The stacks of an event.
const (
	OfException Kind = iota
	OfThread
	OfEvent // the stacktrace of very old SDKs
)

// Place names one of an event's stacks.
type Place struct {
	Kind  Kind
	Index int // in the event's exceptions or threads
}

// Refs returns the scripts of an event's frames, each once and in the order of
// their frames, at most 64. Events of other platforms have none.
func Refs(ev *event.Event) []Ref { return nil }

// Symbolicate looks the frames of an event up in the maps of its scripts. The
// event stays as it is. Scripts without a map, and missing ones, are passed over.
func Symbolicate(ev *event.Event, scripts map[Ref]Script) Overlay { return Overlay{} }
