package symbolicate

import (
	"strings"

	"sundew/digester/sourcemap"
	"sundew/schema/event"
)

// stack is one of an event's stacks.
type stack struct {
	place  Place
	frames []event.Frame
}

// stacks returns the stacks of an event, the ones that matter most first: where
// bounds are reached, the thrown exception was served.
func stacks(ev *event.Event) []stack {
	var all []stack
	add := func(kind Kind, i int, trace *event.Stacktrace) {
		if trace != nil && len(trace.Frames) > 0 {
			all = append(all, stack{Place{kind, i}, trace.Frames})
		}
	}
	for i := len(ev.Exceptions) - 1; i >= 0; i-- {
		add(OfException, i, ev.Exceptions[i].Stacktrace)
	}
	add(OfEvent, 0, ev.Stacktrace)
	for i := range ev.Threads {
		add(OfThread, i, ev.Threads[i].Stacktrace)
	}
	return all
}

// scripts knows the scripts of an event by their addresses.
type scripts struct {
	js            bool // the event's platform runs scripts
	release, dist string
	ids           map[string]string // debug ids by address
}

func newScripts(ev *event.Event) scripts {
	s := scripts{js: ev.Platform == "javascript" || ev.Platform == "node", release: ev.Release, dist: ev.Dist, ids: map[string]string{}}
	for _, image := range ev.Images {
		id := sourcemap.DebugID(image.DebugID)
		if image.Type != "sourcemap" || id == "" || image.CodeFile == "" {
			continue
		}
		for _, file := range [...]string{image.CodeFile, withoutQuery(image.CodeFile)} {
			if _, known := s.ids[file]; !known {
				s.ids[file] = id
			}
		}
	}
	return s
}

// ref returns the script that a frame lies in, and whether it lies in one that
// may have a map.
func (s scripts) ref(f *event.Frame) (Ref, bool) {
	for _, file := range [...]string{f.AbsPath, f.Filename} {
		if file == "" {
			continue
		}
		id, ok := s.ids[file]
		if !ok {
			id, ok = s.ids[withoutQuery(file)]
		}
		if ok {
			return Ref{DebugID: id, Release: s.release, Dist: s.dist, URL: file}, true
		}
	}
	url := f.AbsPath
	if url == "" || url == "<anonymous>" {
		url = f.Filename
	}
	if !isScript(url, s.js) {
		return Ref{}, false
	}
	return Ref{Release: s.release, Dist: s.dist, URL: url}, true
}

// withoutQuery cuts the query and fragment of an address.
func withoutQuery(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		return url[:i]
	}
	return url
}

// schemes are those of addresses that scripts are run from, by browsers, by
// mobile frameworks, and by SDKs that rewrite paths.
var schemes = [...]string{"http", "https", "app", "file", "capacitor", "ionic", "tauri"}

// isScript reports whether an address is that of a script which somebody may have
// uploaded a map for: with a scheme, or any path where the platform runs scripts.
// The runtime's own code is none, nor are installed packages: nobody minifies them.
func isScript(url string, js bool) bool {
	if strings.Contains(url, "/node_modules/") {
		return false
	}
	if scheme, _, ok := strings.Cut(url, "://"); ok {
		for _, s := range schemes {
			if scheme == s {
				return true
			}
		}
		return false
	}
	switch {
	case !js, url == "", strings.ContainsAny(url[:1], "<["):
		return false
	case strings.HasPrefix(url, "node:"), strings.HasPrefix(url, "internal/"), strings.HasPrefix(url, "native "), url == "native":
		return false
	}
	return strings.Contains(url, "/") || strings.Contains(url, `\`) || strings.Contains(url, ".")
}
