package symbolicate

import (
	"errors"

	"sundew/schema/event"
)

// ErrOverlay is wrapped by Decode for anything that Encode did not write.
var ErrOverlay = errors.New("not an overlay of source frames")

// Overlay is what maps say of an event's frames: the frames of the source, to be
// laid over those that were sent.
type Overlay struct {
	Stacks []Stack
}

// Stack is what is laid over one of the event's stacks.
type Stack struct {
	Place  Place
	Frames []Frame // those that have an origin, in order
}

// Frame is the origin of one frame.
type Frame struct {
	Index    int    // of the frame in its stack
	Filename string // readable: without the bundler's scheme
	AbsPath  string // as the map names it
	Module   string // Filename without what only leads to it, and without extension
	Function string // "" when neither the map nor the event tell a name worth keeping
	Line     int    // from 1
	Column   int    // from 1
	InApp    *bool  // nil: as it was
	Pre      []string
	Context  string
	Post     []string
}

// IsZero reports whether no frame has an origin.
func (o Overlay) IsZero() bool { return len(o.Stacks) == 0 }

// Encode returns the overlay as bytes that Decode reads, now and in later versions.
func (o Overlay) Encode() []byte { return nil }

// Decode reads what Encode wrote. Its error wraps ErrOverlay.
func Decode(data []byte) (Overlay, error) { return Overlay{}, ErrOverlay }

// Raw keeps the stacks of an event as they were before Apply.
type Raw struct{}

// Frames returns the frames of a stack as they were sent, nil when nothing was
// laid over that stack.
func (r Raw) Frames(place Place) []event.Frame { return nil }

// IsZero reports whether nothing was laid over the event.
func (r Raw) IsZero() bool { return true }

// Apply makes frames of the source of those that the overlay knows and returns
// what the event's stacks were. Stacks are replaced, not written to. What does not fit the event is passed over.
func (o Overlay) Apply(ev *event.Event) Raw { return Raw{} }
