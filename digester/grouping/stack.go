package grouping

import (
	"strings"

	"sundew/schema/event"
)

// stack is the stacktrace that an event is about, and which of its frames are the
// application's own.
type stack struct {
	frames    []event.Frame
	platform  string
	exception int    // whose stacktrace it is, -1 for that of a thread or the event
	own       []int  // places in frames, outermost first
	rule      string // in words, how own was chosen
}

// findStack returns the stacktrace of the thrown exception, else that of the
// latest cause that has one, else that of the crashed thread or of the event.
func findStack(ev *event.Event) stack {
	st := stack{platform: ev.Platform, exception: -1}
	whose := ""
	for i := len(ev.Exceptions) - 1; i >= 0 && st.frames == nil; i-- {
		if trace := ev.Exceptions[i].Stacktrace; trace != nil {
			st.frames, st.exception = trace.Frames, i
			whose = "the thrown exception"
			if i < len(ev.Exceptions)-1 {
				whose = "a cause"
			}
		}
	}
	if st.frames == nil && ev.Stacktrace != nil {
		st.frames, whose = ev.Stacktrace.Frames, "the event"
	}
	if st.frames == nil {
		if trace := crashedThread(ev); trace != nil {
			st.frames, whose = trace.Frames, "the crashed thread"
		}
	}
	which := ""
	st.own, which = ownFrames(st.frames)
	st.rule = which + " of " + whose
	return st
}

// crashedThread returns the stacktrace of the thread that an exception names or
// that crashed, else of the current one.
func crashedThread(ev *event.Event) *event.Stacktrace {
	var current *event.Stacktrace
	x := thrown(ev)
	for i := range ev.Threads {
		t := &ev.Threads[i]
		if t.Stacktrace == nil {
			continue
		}
		if t.Crashed || x != nil && x.ThreadID != "" && x.ThreadID == t.ID {
			return t.Stacktrace
		}
		if t.Current && current == nil {
			current = t.Stacktrace
		}
	}
	return current
}

// ownFrames returns the places of the frames to compare and what they are: those
// the SDK marked as the application's unless they lie in a library (old SDKs and
// unusual installations mark everything), else all it marked, else those that lie
// in no library, else all.
func ownFrames(frames []event.Frame) (own []int, which string) {
	if len(frames) == 0 {
		return nil, ""
	}
	var marked, markedLibrary, unmarked int
	library := make([]bool, len(frames))
	for i := range frames {
		library[i] = isLibrary(&frames[i])
		switch inApp := frames[i].IsInApp(); {
		case inApp && library[i]:
			markedLibrary++
		case inApp:
			marked++
		case !library[i]:
			unmarked++
		}
	}
	keep := func(i int) bool { return true }
	which = "all frames"
	switch {
	case marked > 0:
		keep = func(i int) bool { return frames[i].IsInApp() && !library[i] }
		which = "in-app frames"
	case markedLibrary > 0:
		keep = func(i int) bool { return frames[i].IsInApp() }
		which = "in-app frames"
	case unmarked > 0 && unmarked < len(frames):
		keep = func(i int) bool { return !library[i] }
		which = "frames outside of libraries"
	}
	own = make([]int, 0, len(frames))
	for i := range frames {
		if keep(i) {
			own = append(own, i)
		}
	}
	return own, which
}

// libraryDirs are parts of paths that an application's own code never has.
var libraryDirs = [...]string{
	"/site-packages/", "/dist-packages/", "/node_modules/", "/vendor/", "/gems/", "/pkg/mod/",
	"/usr/lib/", "/usr/share/", "/usr/local/lib/", "/usr/local/go/src/", "/.cargo/registry/", "/rustc/",
	"/System/Library/", "-extension://",
}

// libraryStarts are beginnings of paths that an application's own code never has.
var libraryStarts = [...]string{"node:", "internal/", "<frozen ", "<internal:", "/lib/", "/lib64/", "[native"}

// platformModules are the packages of the runtime itself.
var platformModules = [...]string{"java.", "javax.", "jdk.", "sun.", "com.sun.", "kotlin.", "scala.", "System.", "Microsoft."}

// isLibrary reports whether a frame lies in a library, the runtime, or a browser's
// extension.
func isLibrary(f *event.Frame) bool {
	for _, path := range [...]string{f.AbsPath, f.Filename, f.Package} {
		if path == "" {
			continue
		}
		if strings.IndexByte(path, '\\') >= 0 {
			path = strings.ReplaceAll(path, `\`, "/")
			if len(path) > 11 && strings.EqualFold(path[1:11], ":/windows/") {
				return true
			}
		}
		for _, start := range libraryStarts {
			if strings.HasPrefix(path, start) {
				return true
			}
		}
		for _, dir := range libraryDirs {
			if strings.Contains(path, dir) {
				return true
			}
		}
		break // the first that is known says it best
	}
	for _, prefix := range platformModules {
		if strings.HasPrefix(f.Module, prefix) {
			return true
		}
	}
	return f.Module == "runtime"
}
