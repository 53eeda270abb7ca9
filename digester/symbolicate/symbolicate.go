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
// does not know it stays as it was sent; everything is bounded.
//
// A source frame has no module and its file is named as the bundler named it, so
// that grouping compares directory, file and function of the source: two builds
// of the same source are one issue, whatever the minifier called things.
package symbolicate

import (
	"cmp"
	"slices"
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

// Bounds of what one event may ask for. They are far above what SDKs send: an
// overlay is stored beside its event, whole.
const (
	maxRefs   = 64
	maxFrames = 4000
	maxTexts  = 384 << 10 // bytes of names and lines; the same line twice counts once
	around    = 5         // lines of source before and after a frame's
)

// Refs returns the scripts of an event's frames, each once and in the order of
// their frames, at most 64. Events of other platforms have none.
func Refs(ev *event.Event) []Ref {
	var refs []Ref
	known := newScripts(ev)
	for _, st := range stacks(ev) {
		for i := range st.frames {
			ref, ok := known.ref(&st.frames[i])
			if !ok || ref.DebugID == "" && ref.Release == "" || slices.Contains(refs, ref) {
				continue
			}
			if refs = append(refs, ref); len(refs) == maxRefs {
				return refs
			}
		}
	}
	return refs
}

// Symbolicate looks the frames of an event up in the maps of its scripts. The
// event stays as it is. Scripts without a map, and missing ones, are passed over.
func Symbolicate(ev *event.Event, scripts map[Ref]Script) Overlay {
	var o Overlay
	if len(scripts) == 0 {
		return o
	}
	s := symbolizer{known: newScripts(ev), scripts: scripts, texts: map[string]string{}}
	for _, st := range stacks(ev) {
		if frames := s.stack(st.frames); len(frames) > 0 {
			o.Stacks = append(o.Stacks, Stack{Place: st.place, Frames: frames})
		}
	}
	slices.SortFunc(o.Stacks, func(a, b Stack) int {
		return cmp.Or(cmp.Compare(a.Place.Kind, b.Place.Kind), cmp.Compare(a.Place.Index, b.Place.Index))
	})
	return o
}

// symbolizer looks up the frames of one event.
type symbolizer struct {
	known   scripts
	scripts map[Ref]Script
	texts   map[string]string // what was said already: shared, and counted once
	bytes   int
	frames  int
}

// stack returns the origins of the frames of one stack, nil when none has one.
func (s *symbolizer) stack(frames []event.Frame) []Frame {
	var found []Frame
	origins := 0
	called := "" // what the frame before calls
	for i := range frames {
		if s.frames == maxFrames {
			break
		}
		f, calls, ok := s.frame(&frames[i], called)
		if called = calls; ok {
			origins++
		} else if !s.bundlers(&frames[i]) {
			continue
		} else {
			f = Frame{InApp: new(bool)}
		}
		f.Index = i
		found = append(found, f)
		s.frames++
	}
	if origins == 0 {
		return nil
	}
	// Where it happened is the last frame: its lines must not be those left out.
	for i := len(found) - 1; i >= 0 && s.bytes < maxTexts; i-- {
		s.lines(&found[i], &frames[found[i].Index])
	}
	return found
}

// lines adds the lines of source to a frame's origin.
func (s *symbolizer) lines(origin *Frame, f *event.Frame) {
	ref, _ := s.known.ref(f)
	m := s.scripts[ref].Map
	if p, ok := position(m, f); ok {
		pre, at, post, _ := m.Context(p.Source, p.Line, around)
		origin.Pre, origin.Context, origin.Post = s.allShared(pre), s.shared(at), s.allShared(post)
	}
}

// bundlers reports whether a frame is in code that the bundler made: the script's
// map reaches beyond it and says nothing of it.
func (s *symbolizer) bundlers(f *event.Frame) bool {
	ref, _ := s.known.ref(f)
	m := s.scripts[ref].Map
	if m == nil || f.Line < 1 || f.Column < 1 || f.Line > m.Lines() {
		return false
	}
	_, ok := m.Lookup(f.Line, f.Column-1)
	return !ok
}

// frame returns the origin of a frame and the identifier that stands there: what
// it calls.
func (s *symbolizer) frame(f *event.Frame, called string) (origin Frame, calls string, ok bool) {
	ref, ok := s.known.ref(f)
	m := s.scripts[ref].Map
	if !ok || m == nil {
		return Frame{}, "", false
	}
	p, ok := position(m, f)
	if !ok {
		return Frame{}, "", false
	}
	source := nameSource(p.Source)
	origin = Frame{
		Filename: s.shared(source.file), AbsPath: s.shared(limit(p.Source, maxFile)),
		Function: s.shared(functionName(f.Function, p, called, m.HasContent(p.Source))),
		Line:     p.Line, Column: p.Column + 1,
	}
	switch yes, no := true, false; {
	case p.Ignored || source.library:
		origin.InApp = &no
	case f.InApp == nil:
		origin.InApp = &yes
	}
	return origin, p.Name, true
}

// shared returns a text that was said before, so that it is kept once.
func (s *symbolizer) shared(text string) string {
	if known, ok := s.texts[text]; ok {
		return known
	}
	s.texts[text] = text
	s.bytes += len(text)
	return text
}

func (s *symbolizer) allShared(lines []string) []string {
	for i := range lines {
		lines[i] = s.shared(lines[i])
	}
	return lines
}

// position looks a frame up: events count columns from 1, maps from 0. A frame
// without a column has no place: all of a minified script is one line.
func position(m *sourcemap.Map, f *event.Frame) (sourcemap.Position, bool) {
	if f.Line < 1 || f.Column < 1 {
		return sourcemap.Position{}, false
	}
	p, ok := m.Lookup(f.Line, f.Column-1)
	return p, ok && p.Source != ""
}

// limit cuts a text to so many bytes, between characters.
func limit(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && text[most]&0xc0 == 0x80 {
		most--
	}
	return text[:most]
}
