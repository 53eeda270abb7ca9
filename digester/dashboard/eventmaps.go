package dashboard

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

const (
	// farColumn is from where on a line is longer than people write.
	farColumn = 250

	// maxExplained is of how many scripts it is told how their maps were looked for.
	maxExplained = 20
)

// Scripts finds what was uploaded for scripts.
type Scripts interface {
	// FindIn returns what there is at this moment for scripts of a project.
	FindIn(rx *store.Rx, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error)
}

// mapsView says what source maps did for an event, and where they could not.
type mapsView struct {
	Mapped   int // frames that are the source's
	Bare     int // of these, frames whose map does not bring the text of the source
	Unmapped int // frames of scripts that are not, and look as if they should be

	ByAddress bool // the map of some was found by release and address, which another build may have too
	Chains    []chainView
	More      int // scripts of which nothing is told
	Options   eventOptions

	symbols []byte
	sent    map[symbolicate.Place]*event.Stacktrace // the stacks that were replaced
	origin  map[*event.Stacktrace]map[int]bool      // frames that have one
}

// chainView is how the source map of a script was looked for.
type chainView struct {
	Script string
	Links  []linkView
	Advice string
	Whole  bool // nothing is broken
}

// linkView is one step.
type linkView struct{ Name, State, Text string }

// viewMaps prepares what is said of source maps. The event is as it was sent; nil if it
// has no frames of scripts.
func (d *Dashboard) viewMaps(rx *store.Rx, project event.ProjectID, ev *event.Event, symbols []byte, options eventOptions) (*mapsView, error) {
	refs := symbolicate.Refs(ev)
	if len(refs) == 0 {
		return nil, nil
	}
	v := &mapsView{Options: options, symbols: symbols}
	if !options.Explained {
		return v, nil
	}
	v.More = max(len(refs)-maxExplained, 0)
	scripts, err := d.cfg.Scripts.FindIn(rx, project, refs[:len(refs)-v.More])
	if err != nil {
		return nil, err
	}
	v.Chains = newBudget().chains(refs[:len(refs)-v.More], symbolicate.Explain(ev, scripts))
	return v, nil
}

// Summary says it in a sentence or two.
func (v *mapsView) Summary() string {
	switch {
	case v.Bare > 0 && v.Bare == v.Mapped && v.Unmapped == 0:
		return v.read() + " No lines can be shown: the source map does not bring the text of the source."
	case v.Bare > 0 && v.Unmapped == 0:
		return fmt.Sprintf("%s Lines of %d cannot be shown: the source map does not bring their text.", v.read(), v.Bare)
	case v.Mapped > 0 && v.Unmapped > 0:
		return fmt.Sprintf("%s read from the source, %s without a source map.", calls(v.Mapped), calls(v.Unmapped))
	case v.Mapped > 0:
		return v.read()
	case v.Unmapped > 0:
		return fmt.Sprintf("%s in scripts that look minified, and no source map was found for any.", calls(v.Unmapped))
	}
	return "No source map was used: the scripts look as they were written."
}

func (v *mapsView) read() string { return calls(v.Mapped) + " read from the source." }

func calls(n int) string { return formatCounted(int64(n), "call") }

// chains returns one chain for each script: that of its first frame whose chain is
// broken, else that of its first.
func (b *budget) chains(refs []symbolicate.Ref, frames []symbolicate.Diagnosis) []chainView {
	var all []chainView
	for _, ref := range refs {
		var chosen *symbolicate.Diagnosis
		for i := range frames {
			if d := &frames[i]; d.Ref == ref && (chosen == nil || chosen.Mapped() && !d.Mapped()) {
				chosen = d
			}
		}
		if chosen == nil {
			continue
		}
		c := chainView{Script: b.text(ref.URL, maxLine), Advice: b.text(chosen.Advice, maxValue), Whole: chosen.Mapped()}
		for _, l := range chosen.Links {
			c.Links = append(c.Links, b.link(l))
		}
		all = append(all, c)
	}
	return all
}

// link shows a step.
func (b *budget) link(l symbolicate.Link) linkView {
	states := map[symbolicate.State]string{
		symbolicate.Unreached: "unreached", symbolicate.Held: "held", symbolicate.Weak: "weak", symbolicate.Broken: "broken",
	}
	names := map[symbolicate.Step]string{
		symbolicate.StepScript: "Script", symbolicate.StepID: "Name", symbolicate.StepBundle: "Upload",
		symbolicate.StepMap: "Source map", symbolicate.StepPosition: "Position", symbolicate.StepSource: "Source",
	}
	return linkView{Name: names[l.Step], State: states[l.State], Text: b.text(l.Text, maxValue)}
}

// lay makes frames of the source of an event's, and counts what came of it.
func (v *mapsView) lay(ev *event.Event) {
	if v == nil {
		return
	}
	v.sent, v.origin = make(map[symbolicate.Place]*event.Stacktrace), make(map[*event.Stacktrace]map[int]bool)
	overlay, err := symbolicate.Decode(v.symbols)
	if err != nil {
		overlay = symbolicate.Overlay{} // it is stored by a later version, or there is none
	}
	for _, s := range overlay.Stacks {
		if stack := stackAt(ev, s.Place); stack != nil {
			v.sent[s.Place] = *stack
		}
	}
	v.ByAddress = overlay.ByAddress(ev)
	overlay.Apply(ev)
	for _, s := range overlay.Stacks {
		if stack := stackAt(ev, s.Place); stack != nil {
			v.origin[*stack] = make(map[int]bool)
			for _, f := range s.Frames {
				v.origin[*stack][f.Index] = true
				v.Mapped++
				if (*stack).Frames[f.Index].ContextLine == "" {
					v.Bare++
				}
			}
		}
	}
	for _, stack := range stacksOf(ev) {
		for i := range (*stack).Frames {
			if v.unmapped(*stack, i) {
				v.Unmapped++
			}
		}
	}
}

// lift undoes lay.
func (v *mapsView) lift(ev *event.Event) {
	if v == nil {
		return
	}
	for place, sent := range v.sent {
		*stackAt(ev, place) = sent
	}
}

// unmapped reports whether a frame seems to be one that a source map is missing for:
// not every script is minified.
func (v *mapsView) unmapped(stack *event.Stacktrace, frame int) bool {
	if v == nil || v.Options.AsSent || v.origin[stack][frame] {
		return false
	}
	f := &stack.Frames[frame]
	return isScript(f) && (v.Mapped > 0 && f.IsInApp() || f.Column > farColumn)
}

// isScript reports whether a frame lies in a script that may have a source map.
func isScript(f *event.Frame) bool {
	file, _, _ := strings.Cut(cmp.Or(f.AbsPath, f.Filename), "?")
	file, _, _ = strings.Cut(file, "#")
	if f.Line == 0 || strings.HasPrefix(file, "node:") {
		return false
	}
	switch path.Ext(file) {
	case ".js", ".mjs", ".cjs", ".bundle", ".jsbundle":
		return true
	}
	return false
}

// stackAt returns where an event has one of its stacks, nil if it has none there.
func stackAt(ev *event.Event, at symbolicate.Place) **event.Stacktrace {
	var stack **event.Stacktrace
	switch {
	case at.Kind == symbolicate.OfEvent:
		stack = &ev.Stacktrace
	case at.Kind == symbolicate.OfException && at.Index < len(ev.Exceptions):
		stack = &ev.Exceptions[at.Index].Stacktrace
	case at.Kind == symbolicate.OfThread && at.Index < len(ev.Threads):
		stack = &ev.Threads[at.Index].Stacktrace
	}
	if stack == nil || *stack == nil {
		return nil
	}
	return stack
}

// stacksOf returns all of an event's stacks.
func stacksOf(ev *event.Event) []**event.Stacktrace {
	var all []**event.Stacktrace
	add := func(kind symbolicate.Kind, index int) {
		if stack := stackAt(ev, symbolicate.Place{Kind: kind, Index: index}); stack != nil {
			all = append(all, stack)
		}
	}
	for i := range ev.Exceptions {
		add(symbolicate.OfException, i)
	}
	for i := range ev.Threads {
		add(symbolicate.OfThread, i)
	}
	add(symbolicate.OfEvent, 0)
	return all
}
