package symbolicate

import (
	"slices"

	"sundew/schema/event"
)

// Overlay is what maps say of an event's frames: the frames of the source, to be
// laid over those that were sent.
type Overlay struct {
	Stacks []Stack // by their place
}

// Stack is what is laid over one of the event's stacks.
type Stack struct {
	Place  Place
	Frames []Frame // those that are known, in order
}

// Frame is the origin of one frame. One without a Filename has no origin: it is in
// code that the bundler made, and stays as it was sent but for InApp.
type Frame struct {
	Index    int    // of the frame in its stack
	Filename string // readable: without the bundler's scheme
	AbsPath  string // as the map names it
	Function string // "?" when neither the source nor the event tell a name worth keeping
	Line     int    // from 1
	Column   int    // from 1
	InApp    *bool  // nil: as it was
	Pre      []string
	Context  string
	Post     []string
}

// IsZero reports whether no frame has an origin.
func (o Overlay) IsZero() bool { return len(o.Stacks) == 0 }

// ByAddress reports whether a frame of an event has an origin though its script carries
// no debug id: then its map may be of another build that has the same address. The event
// is as it was sent.
func (o Overlay) ByAddress(ev *event.Event) bool {
	known := newScripts(ev)
	for _, s := range o.Stacks {
		trace := traceAt(ev, s.Place)
		if trace == nil || *trace == nil {
			continue
		}
		for _, f := range s.Frames {
			if f.Filename == "" || f.Index < 0 || f.Index >= len((*trace).Frames) {
				continue
			}
			if ref, ok := known.ref(&(*trace).Frames[f.Index]); ok && ref.DebugID == "" {
				return true
			}
		}
	}
	return false
}

// Raw keeps the stacks of an event as they were before Apply.
type Raw struct {
	stacks []stack
}

// Frames returns the frames of a stack as they were sent, nil when nothing was
// laid over that stack.
func (r Raw) Frames(place Place) []event.Frame {
	for _, s := range r.stacks {
		if s.place == place {
			return s.frames
		}
	}
	return nil
}

// IsZero reports whether nothing was laid over the event.
func (r Raw) IsZero() bool { return len(r.stacks) == 0 }

// Apply makes frames of the source of those that the overlay knows, and returns
// what the event's stacks were. Stacks are replaced, never written to: who else
// holds them sees the old ones. What does not fit the event is passed over.
func (o Overlay) Apply(ev *event.Event) Raw {
	var raw Raw
	for _, s := range o.Stacks {
		trace := traceAt(ev, s.Place)
		if trace == nil || *trace == nil {
			continue
		}
		old := (*trace).Frames
		frames, changed := slices.Clone(old), false
		for _, f := range s.Frames {
			if f.Index >= 0 && f.Index < len(frames) {
				f.apply(&frames[f.Index])
				changed = true
			}
		}
		if changed {
			*trace = &event.Stacktrace{Frames: frames, Omitted: (*trace).Omitted}
			raw.stacks = append(raw.stacks, stack{s.Place, old})
		}
	}
	return raw
}

// traceAt returns where an event keeps a stack, nil when it has no such place.
func traceAt(ev *event.Event, p Place) **event.Stacktrace {
	switch {
	case p.Index < 0:
	case p.Kind == OfException && p.Index < len(ev.Exceptions):
		return &ev.Exceptions[p.Index].Stacktrace
	case p.Kind == OfThread && p.Index < len(ev.Threads):
		return &ev.Threads[p.Index].Stacktrace
	case p.Kind == OfEvent && p.Index == 0:
		return &ev.Stacktrace
	}
	return nil
}

// apply makes a frame one of the source. Its module named the script.
func (f Frame) apply(to *event.Frame) {
	if f.InApp != nil {
		to.InApp = f.InApp
	}
	if f.Filename == "" {
		return
	}
	to.Filename, to.AbsPath, to.Module = f.Filename, f.AbsPath, ""
	to.Function, to.Line, to.Column = f.Function, f.Line, f.Column
	to.PreContext, to.ContextLine, to.PostContext = f.Pre, f.Context, f.Post
}
