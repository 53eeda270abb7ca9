package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sundew/schema/event"
)

// frameOrder is the order in which the frames of a stack are shown.
type frameOrder int

const (
	newestFirst frameOrder = iota // where it happened is on top
	oldestFirst
)

// parseFrameOrder reads the query of an event page.
func parseFrameOrder(r *http.Request) frameOrder {
	if r.URL.Query().Get("frames") == "oldest" {
		return oldestFirst
	}
	return newestFirst
}

// maxOpenFrames is how many of a stack's frames are unfolded: more than fits
// into a few screens helps nobody, least of all with endless recursion.
const maxOpenFrames = 12

// exceptionView is one exception of a chain.
type exceptionView struct {
	Relation  string // to the one that it belongs to: "Caused by"; empty for the thrown one
	Type      string
	Value     string
	Module    string
	Handled   string // "handled", "unhandled", or empty when the SDK did not say
	Mechanism fieldList
	HelpLink  string
	Stack     *stackView
}

// stackView is a stack of calls in the order of the page.
type stackView struct {
	Frames  []frameView
	Omitted int
}

// frameView is one call.
type frameView struct {
	Function string
	Place    string // file:line:column, or an address
	Path     string // the whole path, if Place is not all of it
	Package  string // the last part of its path
	Library  string // the whole path
	InApp    bool
	Crash    bool // where it happened
	Open     bool
	Grouped  bool // one of those that make the issue
	Source   []sourceLine
	Vars     fieldList

	index int // in the stack as it was sent
}

// Foldable reports whether there is anything below the frame's line.
func (f frameView) Foldable() bool { return len(f.Source) > 0 || len(f.Vars) > 0 }

// sourceLine is one line around a call.
type sourceLine struct {
	Number  string // empty when the frame has no line number
	Text    string
	Current bool
}

// threadView is one thread.
type threadView struct {
	Name  string
	Notes []string // crashed, current
	Open  bool
	Stack *stackView
}

// exceptions shows the thrown exception first, then its causes: the order in
// which people ask.
func (b *budget) exceptions(ev *event.Event, order frameOrder) []exceptionView {
	grouped := slices.ContainsFunc(ev.Exceptions, func(e event.Exception) bool { return e.Mechanism.IsGroup })
	var views []exceptionView
	for i := len(ev.Exceptions) - 1; i >= 0 && b.row(); i-- {
		e := ev.Exceptions[i]
		view := exceptionView{
			Type:      b.text(e.Type, maxLine),
			Value:     b.text(e.Value, maxBody),
			Module:    b.text(e.Module, maxLine),
			Handled:   handled(e.Mechanism.Handled),
			Mechanism: b.mechanism(e.Mechanism, grouped),
			HelpLink:  webLink(b.text(e.Mechanism.HelpLink, maxLine)),
		}
		if len(views) > 0 {
			view.Relation = relation(ev.Exceptions, e.Mechanism)
		}
		if e.Stacktrace != nil && len(e.Stacktrace.Frames) > 0 {
			stack := b.stack(e.Stacktrace, order)
			view.Stack = &stack
		}
		views = append(views, view)
	}
	return views
}

func handled(h *bool) string {
	switch {
	case h == nil:
		return ""
	case *h:
		return "handled"
	}
	return "unhandled"
}

// relation says how an exception belongs to the one that it hangs on. SDKs that
// do not number their exceptions send plain chains of causes.
func relation(all []event.Exception, m event.Mechanism) string {
	if m.ParentID != nil {
		for _, e := range all {
			if id := e.Mechanism.ExceptionID; id != nil && *id == *m.ParentID && e.Mechanism.IsGroup {
				return "In the group"
			}
		}
	}
	if m.Source == "__context__" {
		return "While handling"
	}
	return "Caused by"
}

// mechanism says how an exception was caught. The numbers matter in a group only:
// in a plain chain the order says it all.
func (b *budget) mechanism(m event.Mechanism, grouped bool) fieldList {
	pairs := []event.Pair{
		{Key: "Mechanism", Value: m.Type},
		{Key: "Source", Value: m.Source},
		{Key: "Description", Value: m.Description},
	}
	if m.IsGroup {
		pairs = append(pairs, event.Pair{Key: "Group", Value: "yes"})
	}
	if grouped && m.ExceptionID != nil {
		pairs = append(pairs, event.Pair{Key: "Exception", Value: "#" + strconv.Itoa(*m.ExceptionID)})
	}
	if grouped && m.ParentID != nil {
		pairs = append(pairs, event.Pair{Key: "Belongs to", Value: "#" + strconv.Itoa(*m.ParentID)})
	}
	if m.Synthetic {
		pairs = append(pairs, event.Pair{Key: "Synthetic", Value: "yes"})
	}
	fields := b.known(pairs)
	if len(m.Data) > 2 { // more than {}
		fields = append(fields, b.field("Data", b.value(m.Data, maxValue)))
	}
	return fields
}

func (b *budget) stack(s *event.Stacktrace, order frameOrder) stackView {
	view := stackView{Omitted: s.Omitted}
	open := 0
	for i := len(s.Frames) - 1; i >= 0 && b.row(); i-- {
		frame := b.frame(&s.Frames[i])
		frame.index = i
		frame.Crash = i == len(s.Frames)-1
		if frame.Foldable() && (frame.Crash || frame.InApp) && open < maxOpenFrames {
			frame.Open = true
			open++
		}
		view.Frames = append(view.Frames, frame)
	}
	if order == oldestFirst {
		for i, j := 0, len(view.Frames)-1; i < j; i, j = i+1, j-1 {
			view.Frames[i], view.Frames[j] = view.Frames[j], view.Frames[i]
		}
	}
	return view
}

func (b *budget) frame(f *event.Frame) frameView {
	file := f.Filename
	if file == "" {
		file = f.AbsPath
	}
	view := frameView{
		Function: b.text(functionName(f), maxLine),
		Place:    b.text(place(f, file), maxLine),
		Package:  b.text(f.Package[strings.LastIndexAny(f.Package, "/\\")+1:], maxLine),
		Library:  b.text(f.Package, maxLine),
		InApp:    f.IsInApp(),
		Source:   b.source(f),
		Vars:     b.fields(f.Vars, maxValue),
	}
	if f.AbsPath != file {
		view.Path = b.text(f.AbsPath, maxLine)
	}
	return view
}

// functionName names the call; the module goes in front where the file does not
// say it, as with Java's.
func functionName(f *event.Frame) string {
	name := f.Function
	if name == "" {
		name = f.RawFunction
	}
	switch {
	case name == "" && f.Filename == "" && f.AbsPath == "":
		name = "(unknown)" // a bare address
	case name == "" || name == "?":
		name = "(anonymous)"
	}
	if f.Module != "" && f.AbsPath == "" && !strings.Contains(f.Filename, "/") {
		name = f.Module + "." + name
	}
	return name
}

func place(f *event.Frame, file string) string {
	if file == "" {
		return f.Address
	}
	if f.Line > 0 {
		file += ":" + strconv.Itoa(f.Line)
		if f.Column > 0 {
			file += ":" + strconv.Itoa(f.Column)
		}
	}
	return file
}

// source returns the lines around a call.
func (b *budget) source(f *event.Frame) []sourceLine {
	if f.ContextLine == "" && len(f.PreContext) == 0 && len(f.PostContext) == 0 {
		return nil
	}
	var lines []sourceLine
	add := func(text string, number int, current bool) {
		if !b.row() {
			return
		}
		line := sourceLine{Text: b.text(strings.TrimRight(text, "\r\n"), maxLine), Current: current}
		if f.Line > 0 && number > 0 {
			line.Number = strconv.Itoa(number)
		}
		lines = append(lines, line)
	}
	for i, text := range f.PreContext {
		add(text, f.Line-len(f.PreContext)+i, false)
	}
	add(f.ContextLine, f.Line, true)
	for i, text := range f.PostContext {
		add(text, f.Line+1+i, false)
	}
	return lines
}

// threads shows all threads; a lone one without calls says nothing. The one that matters is unfolded when there is no
// exception whose stack says the same.
func (b *budget) threads(threads []event.Thread, order frameOrder, unfold bool) []threadView {
	if len(threads) == 1 && threads[0].Stacktrace == nil {
		return nil
	}
	var views []threadView
	for _, t := range threads {
		if !b.row() {
			break
		}
		view := threadView{Name: b.text(threadName(t), maxLine), Open: unfold && (t.Crashed || t.Current || len(threads) == 1)}
		if t.Crashed {
			view.Notes = append(view.Notes, "crashed")
		}
		if t.Current {
			view.Notes = append(view.Notes, "current")
		}
		if t.Stacktrace != nil && len(t.Stacktrace.Frames) > 0 {
			stack := b.stack(t.Stacktrace, order)
			view.Stack = &stack
		}
		views = append(views, view)
	}
	return views
}

func threadName(t event.Thread) string {
	switch {
	case t.Name != "" && t.ID != "":
		return t.Name + " (" + t.ID + ")"
	case t.Name != "":
		return t.Name
	case t.ID != "":
		return "Thread " + t.ID
	}
	return "Thread"
}
