package dashboard

import (
	"fmt"
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

const (
	// maxOpenFrames is how many of a stack's frames are unfolded: more than fits
	// into a few screens helps nobody, least of all with endless recursion.
	maxOpenFrames = 12

	// minRun is how many calls of libraries in a row become one line.
	minRun = 3

	// namesOfRun is how many libraries that line names.
	namesOfRun = 3
)

// stackView is a stack of calls in the order of the page.
type stackView struct {
	Frames  []frameView
	Omitted int
}

// framePart is a call, or several of libraries that are folded.
type framePart struct {
	Frames []frameView
	Run    bool
}

// frameView is one call.
type frameView struct {
	Function string
	Place    string // file:line:column, or an address
	Path     string // the whole path, if Place is not all of it
	Package  string // the last part of its path
	Library  string // the whole path
	Origin   string // what a run of frames is named by: django, java.util
	InApp    bool
	Crash    bool // where it happened
	Open     bool
	Grouped  bool // one of those that make the issue
	Unmapped bool // of a script without a source map, as it seems
	Source   []sourceLine
	Vars     fieldList
}

// Foldable reports whether there is anything below the frame's line.
func (f frameView) Foldable() bool { return len(f.Source) > 0 || len(f.Vars) > 0 }

// stack shows a stack; grouped are the frames, by their place in it, that make
// the issue.
func (b *budget) stack(s *event.Stacktrace, order frameOrder, grouped []int) stackView {
	view := stackView{Omitted: s.Omitted}
	open := 0
	for i := len(s.Frames) - 1; i >= 0 && b.row(); i-- {
		frame := b.frame(&s.Frames[i])
		frame.Unmapped = b.maps.unmapped(s, i)
		frame.Crash = i == len(s.Frames)-1
		frame.Grouped = slices.Contains(grouped, i)
		if frame.Foldable() && (frame.Crash || frame.InApp) && open < maxOpenFrames {
			frame.Open = true
			open++
		}
		view.Frames = append(view.Frames, frame)
	}
	if order == oldestFirst {
		slices.Reverse(view.Frames)
	}
	return view
}

// Parts are the frames with runs of libraries put together. A stack in which
// nothing is the application's own has none: there would be nothing else.
func (s stackView) Parts() []framePart {
	own := slices.ContainsFunc(s.Frames, func(f frameView) bool { return f.InApp })
	var parts []framePart
	for at := 0; at < len(s.Frames); {
		n := 0
		for own && at+n < len(s.Frames) && s.Frames[at+n].inRun() {
			n++
		}
		if n < minRun {
			n = max(n, 1)
			for _, f := range s.Frames[at : at+n] {
				parts = append(parts, framePart{Frames: []frameView{f}})
			}
		} else {
			parts = append(parts, framePart{Frames: s.Frames[at : at+n], Run: true})
		}
		at += n
	}
	return parts
}

// inRun reports whether a frame may be folded together with others.
func (f frameView) inRun() bool { return !f.InApp && !f.Crash && !f.Grouped }

// Text names the libraries of a run.
func (p framePart) Text() string {
	var names []string
	more := 0
	for _, f := range p.Frames {
		switch {
		case f.Origin == "" || slices.Contains(names, f.Origin):
		case len(names) < namesOfRun:
			names = append(names, f.Origin)
		default:
			more++
		}
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += ", …"
	}
	return text
}

// Count is how many calls a run has.
func (p framePart) Count() string { return fmt.Sprintf("%d library calls", len(p.Frames)) }

func (b *budget) frame(f *event.Frame) frameView {
	file := f.Filename
	if file == "" {
		file = f.AbsPath
	}
	view := frameView{
		Function: b.text(functionName(f), maxLine),
		Place:    b.text(place(f, upwards(file)), maxLine),
		Package:  b.text(f.Package[strings.LastIndexAny(f.Package, "/\\")+1:], maxLine),
		Library:  b.text(f.Package, maxLine),
		InApp:    f.IsInApp(),
		Source:   b.source(f),
		Vars:     b.fields(f.Vars, maxValue),
	}
	if !view.InApp {
		view.Origin = b.text(origin(f), maxOrigin)
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

// upwards cuts off what leads from a bundler's folder up to that of the source.
func upwards(file string) string {
	for strings.HasPrefix(file, "../") {
		file = file[len("../"):]
	}
	return file
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

// maxOrigin bounds the name of a library.
const maxOrigin = 60

// origin names the library that a frame belongs to, as well as can be told:
// by the folder that package managers put it into, else by its module.
func origin(f *event.Frame) string {
	file := f.AbsPath
	if file == "" {
		file = f.Filename
	}
	file = strings.ReplaceAll(file, `\`, "/")
	for _, folder := range []string{"/node_modules/", "/site-packages/", "/dist-packages/", "/gems/", "/vendor/"} {
		at := strings.LastIndex("/"+file, folder)
		if at < 0 {
			continue
		}
		name, rest, found := strings.Cut(file[at+len(folder)-1:], "/")
		if !found {
			return strings.TrimSuffix(name, ".py")
		}
		if strings.HasPrefix(name, "@") || folder == "/vendor/" { // two parts are the name
			second, _, _ := strings.Cut(rest, "/")
			name += "/" + second
		}
		return name
	}
	switch {
	case strings.HasPrefix(file, "node:"):
		return "node"
	case strings.Contains(f.Module, "/"): // Go
		return f.Module
	case strings.Count(f.Module, ".") > 1 && f.AbsPath == "": // Java
		parts := strings.SplitN(f.Module, ".", 3)
		return parts[0] + "." + parts[1]
	case f.Module != "":
		name, _, _ := strings.Cut(f.Module, ".")
		return name
	}
	return f.Package[strings.LastIndexAny(f.Package, `/\`)+1:]
}
