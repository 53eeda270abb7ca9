package grouping

import (
	"slices"
	"strings"

	"sundew/schema/event"
)

// maxFrames is how many different frames contribute at most: the innermost ones.
// What called them is many ways to the same failure.
const maxFrames = 20

// byException groups by the types of the chain and the frames of the stack.
func byException(ev *event.Event, st stack) Result {
	r := Result{Exception: -1}
	x := thrown(ev)
	if x != nil && x.Mechanism.Synthetic && isJS(ev.Platform) {
		// Its stack is the SDK's own, on the way to making it up.
		r.Rule = "type and message of a synthetic exception"
		r.addTypes(ev)
		r.addMessage(x)
		return r
	}
	frames := contributing(st)
	synthetic := x != nil && x.Mechanism.Synthetic
	weak := len(frames) == 0 || frames[len(frames)-1].weak || x != nil && catchAll(x.Type)
	if !synthetic || weak {
		r.addTypes(ev)
	}
	for _, f := range frames {
		r.Parts = append(r.Parts, Part{"frame", f.text})
		if st.exception >= 0 {
			r.Frames = append(r.Frames, f.index)
		}
	}
	if len(frames) > 0 {
		r.Exception = st.exception
		r.Rule = st.rule
	} else {
		r.Rule = "type"
	}
	if synthetic && !weak {
		r.Rule += ", without its synthetic type"
	}
	if weak && r.addMessage(x) {
		r.Rule += " and message"
	}
	if len(r.Parts) == 0 {
		r.Rule = "an exception that says nothing"
		r.Parts = []Part{{"platform", ev.Platform}}
	}
	return r
}

// catchAll reports whether a type stands for any error at all: Go's own error
// values have no stack, so theirs is that of the place that reports errors, and
// PHP's warnings are all one type.
func catchAll(t string) bool {
	switch t {
	case "*errors.errorString", "*errors.joinError", "*fmt.wrapError", "*fmt.wrapErrors",
		"*errors.fundamental", "*errors.withStack", "*errors.withMessage", "ErrorException":
		return true
	}
	return false
}

// addTypes adds each type of the chain once, oldest first: how often a cause
// comes up varies with the data, as in groups of exceptions. The exceptions by
// which React's error boundaries carry the component stack are not causes.
func (r *Result) addTypes(ev *event.Event) {
	for i := range ev.Exceptions {
		t := cleanModule(ev.Exceptions[i].Type)
		if strings.HasPrefix(t, "React ErrorBoundary ") && len(ev.Exceptions) > 1 {
			continue
		}
		part := Part{"exception type", t}
		if t != "" && !slices.Contains(r.Parts, part) {
			r.Parts = append(r.Parts, part)
		}
	}
}

// addMessage adds the thrown exception's message, normalised, and reports whether
// there is one.
func (r *Result) addMessage(x *event.Exception) bool {
	if x == nil {
		return false
	}
	text := parameterized(x.Value)
	if text != "" {
		r.Parts = append(r.Parts, Part{"message", text})
	}
	return text != ""
}

// frame is one frame as it is compared.
type frame struct {
	text  string
	index int  // of its first occurrence in the stacktrace
	count int  // of occurrences
	weak  bool // it names no function that would tell one place from another
}

// contributing returns the frames of a stack that are compared, outermost first,
// each once. A stack that ends inside of a recursion is cut at an arbitrary point
// of it, so the frames of the recursion are put into an order of their own.
func contributing(st stack) []frame {
	frames := make([]frame, 0, min(len(st.own), maxFrames))
	last := -1
	// From the inside, so that a long way there does not displace the place.
	for i := len(st.own) - 1; i >= 0; i-- {
		index := st.own[i]
		text, weak := describe(&st.frames[index], st.platform)
		if text == "" {
			continue
		}
		at := slices.IndexFunc(frames, func(f frame) bool { return f.text == text })
		if at < 0 && len(frames) == maxFrames {
			continue
		}
		if at < 0 {
			at = len(frames)
			frames = append(frames, frame{text: text, weak: weak})
		}
		frames[at].index = index
		frames[at].count++
		if last < 0 {
			last = at
		}
	}
	const recursion = 5 // fewer may be a tree that happens to be this deep
	endless := last >= 0 && frames[last].count >= recursion
	if endless {
		slices.SortStableFunc(frames, recursiveFirst)
	}
	slices.Reverse(frames)
	if !endless && len(frames) > 1 {
		// Direct recursion and cycles: by first occurrence from the outside,
		// which does not depend on how deep they went.
		slices.SortStableFunc(frames[:len(frames)-1], func(a, b frame) int { return a.index - b.index })
	}
	return frames
}

// recursiveFirst orders frames that occur repeatedly by their text, before those
// that do not.
func recursiveFirst(a, b frame) int {
	switch {
	case a.count > 1 && b.count > 1:
		return strings.Compare(b.text, a.text)
	case a.count > 1:
		return -1
	case b.count > 1:
		return 1
	}
	return 0
}
