package symbolicate

import "sundew/schema/event"

// Step is one link of the chain from a frame to its source.
type Step uint8

// The links, in their order.
const (
	StepScript   Step = iota // the frame names a script
	StepID                   // the script has a debug id, or the event a release
	StepBundle               // an uploaded bundle has the script
	StepMap                  // the script's map is there and readable
	StepPosition             // the map knows the position
	StepSource               // the map brings the text of the source
)

// State says whether a link holds.
type State uint8

// The states of a link.
const (
	Unreached State = iota // a link before it broke
	Held
	Broken
	Weak // the chain goes on, with less: a frame without lines of source
)

// Link is a step of a frame's chain.
type Link struct {
	Step  Step
	State State
	Text  string // what was found or missed, in words
}

// Diagnosis is the chain of one frame.
type Diagnosis struct {
	Place  Place
	Frame  int    // its index in the stack
	Ref    Ref    // zero when the frame lies in no script
	Links  []Link // all steps, in order
	Advice string // what to do, "" when there is nothing to do
}

// Mapped reports whether the frame has an origin.
func (d Diagnosis) Mapped() bool { return false }

// Explain returns the chain of every frame of an event that lies in a script, as
// the scripts tell it. The event is the one that was sent: not one that an
// overlay was laid over.
func Explain(ev *event.Event, scripts map[Ref]Script) []Diagnosis { return nil }
