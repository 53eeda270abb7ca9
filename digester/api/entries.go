package api

import (
	"path"
	"strings"

	"sundew/schema/event"
)

// Entry is a part of an event: an exception, breadcrumbs, … Data is of the type that
// belongs to Type.
type Entry struct {
	Type string `json:"type"`
	Data any    `json:"data"` // ExceptionData, ThreadsData, StacktraceData, MessageData, BreadcrumbData, RequestData
}

// ExceptionData is the exceptions, the oldest cause first.
type ExceptionData struct {
	Values          List[Exception] `json:"values"`
	HasSystemFrames bool            `json:"hasSystemFrames"`
	ExcOmitted      *List[int]      `json:"excOmitted"`
}

// Exception is one link of a chain of causes.
type Exception struct {
	Type          string      `json:"type"`
	Value         string      `json:"value"`
	Module        *string     `json:"module"`
	ThreadID      *string     `json:"threadId"`
	Mechanism     *Mechanism  `json:"mechanism"`
	Stacktrace    *Stacktrace `json:"stacktrace"`
	RawStacktrace *Stacktrace `json:"rawStacktrace"`
}

// Mechanism says how an exception was caught.
type Mechanism struct {
	Type             string  `json:"type"`
	Handled          *bool   `json:"handled"`
	Description      *string `json:"description"`
	HelpLink         *string `json:"help_link"`
	Synthetic        bool    `json:"synthetic,omitempty"`
	ExceptionID      *int    `json:"exception_id,omitempty"`
	ParentID         *int    `json:"parent_id,omitempty"`
	IsExceptionGroup bool    `json:"is_exception_group,omitempty"`
	Source           string  `json:"source,omitempty"`
	Data             RawJSON `json:"data,omitempty"`
}

// Stacktrace lists frames, the oldest call first.
type Stacktrace struct {
	Frames          List[Frame] `json:"frames"`
	FramesOmitted   *[2]int     `json:"framesOmitted"`
	HasSystemFrames bool        `json:"hasSystemFrames"`
	Registers       *None       `json:"registers"`
}

// Frame is one call.
type Frame struct {
	Filename        *string       `json:"filename"`
	AbsPath         *string       `json:"absPath"`
	Module          *string       `json:"module"`
	Package         *string       `json:"package"`
	Platform        *string       `json:"platform"`
	InstructionAddr *string       `json:"instructionAddr"`
	SymbolAddr      *string       `json:"symbolAddr"`
	Function        *string       `json:"function"`
	RawFunction     *string       `json:"rawFunction"`
	Symbol          *string       `json:"symbol"`
	Context         List[Line]    `json:"context"`
	LineNo          *int          `json:"lineNo"`
	ColNo           *int          `json:"colNo"`
	InApp           bool          `json:"inApp"`
	Trust           *string       `json:"trust"`
	SourceLink      *string       `json:"sourceLink"`
	Errors          *List[string] `json:"errors"`
	Vars            *Object       `json:"vars"`
}

// ThreadsData is the threads.
type ThreadsData struct {
	Values List[Thread] `json:"values"`
}

// Thread is one thread of the process at the time of the event.
type Thread struct {
	ID            string      `json:"id"`
	Name          *string     `json:"name"`
	State         *string     `json:"state"`
	Crashed       bool        `json:"crashed"`
	Current       bool        `json:"current"`
	Stacktrace    *Stacktrace `json:"stacktrace"`
	RawStacktrace *Stacktrace `json:"rawStacktrace"`
}

// MessageData is a log entry.
type MessageData struct {
	Formatted string       `json:"formatted"`
	Message   *string      `json:"message"`
	Params    List[string] `json:"params"`
}

// BreadcrumbData is what happened before the event, the oldest first.
type BreadcrumbData struct {
	Values List[Breadcrumb] `json:"values"`
}

// Breadcrumb is one of those things.
type Breadcrumb struct {
	Timestamp Time    `json:"timestamp"`
	Type      string  `json:"type"`
	Category  *string `json:"category"`
	Level     string  `json:"level"`
	Message   *string `json:"message"`
	Data      *Object `json:"data"`
	EventID   *string `json:"event_id"`
}

// RequestData is the HTTP request that was being served.
type RequestData struct {
	URL                 *string         `json:"url"`
	Method              *string         `json:"method"`
	Fragment            *string         `json:"fragment"`
	Query               List[[2]string] `json:"query"`
	Headers             List[[2]string] `json:"headers"`
	Cookies             List[[2]string] `json:"cookies"`
	Env                 Object          `json:"env"`
	Data                RawJSON         `json:"data"`
	InferredContentType *string         `json:"inferredContentType"`
	APITarget           *string         `json:"apiTarget"`
}

// entriesOf are the parts of an event, in the order in which Sentry has them.
func entriesOf(ev *event.Event) List[Entry] {
	var all List[Entry]
	add := func(there bool, kind string, data any) {
		if there {
			all = append(all, Entry{kind, data})
		}
	}
	add(len(ev.Exceptions) > 0, "exception", exceptionData(ev))
	add(len(ev.Exceptions) == 0 && ev.Stacktrace != nil, "stacktrace", stacktraceOf(ev.Stacktrace))
	add(len(ev.Threads) > 0, "threads", threadsData(ev.Threads))
	message := MessageData{Formatted: ev.Message.Text(), Message: optional(ev.Message.Template), Params: ev.Message.Params}
	add(message.Formatted != "", "message", message)
	add(len(ev.Breadcrumbs) > 0, "breadcrumbs", breadcrumbData(ev.Breadcrumbs))
	add(!ev.Request.IsZero(), "request", requestData(ev.Request))
	return all
}

func exceptionData(ev *event.Event) ExceptionData {
	var data ExceptionData
	for _, x := range ev.Exceptions {
		view := Exception{Type: x.Type, Value: x.Value, Module: optional(x.Module), ThreadID: optional(x.ThreadID), Stacktrace: stacktraceOf(x.Stacktrace)}
		if m := x.Mechanism; m.Type != "" || m.Handled != nil {
			view.Mechanism = &Mechanism{
				Type: m.Type, Handled: m.Handled, Description: optional(m.Description), HelpLink: optional(m.HelpLink), Synthetic: m.Synthetic,
				ExceptionID: m.ExceptionID, ParentID: m.ParentID, IsExceptionGroup: m.IsGroup, Source: m.Source, Data: RawJSON(m.Data),
			}
		}
		data.HasSystemFrames = data.HasSystemFrames || view.Stacktrace != nil && view.Stacktrace.HasSystemFrames
		data.Values = append(data.Values, view)
	}
	return data
}

func stacktraceOf(s *event.Stacktrace) *Stacktrace {
	if s == nil {
		return nil
	}
	var view Stacktrace
	some := false
	for i := range s.Frames {
		view.Frames = append(view.Frames, frameOf(&s.Frames[i]))
		some = some || s.Frames[i].IsInApp()
		view.HasSystemFrames = view.HasSystemFrames || !s.Frames[i].IsInApp()
	}
	view.HasSystemFrames = view.HasSystemFrames && some
	if s.Omitted > 0 { // the parser cuts from the middle
		middle := len(s.Frames) / 2
		view.FramesOmitted = &[2]int{middle, middle + s.Omitted}
	}
	return &view
}

func frameOf(f *event.Frame) Frame {
	view := Frame{
		Filename: optional(f.Filename), AbsPath: optional(f.AbsPath), Module: optional(f.Module), Package: optional(f.Package), InstructionAddr: optional(f.Address),
		Function: optional(f.Function), RawFunction: optional(f.RawFunction), LineNo: position(f.Line), ColNo: position(f.Column), InApp: f.IsInApp(),
	}
	if view.Filename == nil && f.AbsPath != "" {
		view.Filename = optional(path.Base(strings.ReplaceAll(f.AbsPath, `\`, "/")))
	}
	if f.ContextLine != "" {
		n := f.Line - len(f.PreContext)
		for _, text := range append(append(f.PreContext[:len(f.PreContext):len(f.PreContext)], f.ContextLine), f.PostContext...) {
			view.Context = append(view.Context, Line{n, text})
			n++
		}
	}
	if len(f.Vars) > 0 {
		vars := Object(f.Vars)
		view.Vars = &vars
	}
	return view
}

func position(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func threadsData(threads []event.Thread) ThreadsData {
	var data ThreadsData
	for _, t := range threads {
		data.Values = append(data.Values, Thread{
			ID: t.ID, Name: optional(t.Name), State: optional(t.State), Crashed: t.Crashed, Current: t.Current, Stacktrace: stacktraceOf(t.Stacktrace),
		})
	}
	return data
}

func breadcrumbData(crumbs []event.Breadcrumb) BreadcrumbData {
	var data BreadcrumbData
	for _, c := range crumbs {
		view := Breadcrumb{Timestamp: Time{c.Timestamp}, Type: c.Type, Category: optional(c.Category), Level: "info", Message: optional(c.Message)}
		if c.Level != event.LevelUnset {
			view.Level = c.Level.String()
		}
		if view.Type == "" {
			view.Type = "default"
		}
		if len(c.Data) > 0 {
			fields := Object(c.Data)
			view.Data = &fields
		}
		data.Values = append(data.Values, view)
	}
	return data
}

func requestData(r event.Request) RequestData {
	view := RequestData{
		URL: optional(r.URL), Method: optional(r.Method), Fragment: optional(r.Fragment), Query: pairsOf(r.Query), Headers: pairsOf(r.Headers), Cookies: pairsOf(r.Cookies),
		Data: RawJSON(r.Data),
	}
	for _, p := range r.Env {
		view.Env = append(view.Env, event.Field{Key: p.Key, Value: quoted(p.Value)})
	}
	return view
}

func pairsOf(pairs []event.Pair) List[[2]string] {
	var all List[[2]string]
	for _, p := range pairs {
		all = append(all, [2]string{p.Key, p.Value})
	}
	return all
}
