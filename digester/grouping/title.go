package grouping

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"sundew/schema/event"
)

// maxTitle bounds titles and culprits, in characters.
const maxTitle = 200

// nameless is the title of an event that says nothing about itself.
const nameless = "Error without a message"

// title returns what to call the event, on one line.
func title(ev *event.Event, st stack) string {
	x := thrown(ev)
	if ev.Security != nil || isMessage(ev) || x == nil {
		if text := firstLine(ev.Message.Text()); text != "" {
			return text
		}
	}
	if x == nil {
		if function := crashingFunction(st); function != "" {
			return shorten(function)
		}
		return nameless
	}
	kind, value := known(x.Type), firstLine(x.Value)
	if x.Mechanism.Synthetic && !isJS(ev.Platform) {
		// The type is the SDK's invention, or a signal: the function says more
		// than "Segfault" does.
		if function := crashingFunction(st); function != "" {
			if kind == "" {
				return shorten(function)
			}
			return shorten(kind + " in " + function)
		}
	}
	switch {
	case kind == "" && value == "":
		if text := firstLine(ev.Message.Text()); text != "" {
			return text
		}
		if function := crashingFunction(st); function != "" {
			return shorten("Error in " + function)
		}
		return nameless
	case kind == "":
		return value
	case value == "":
		return shorten(kind)
	}
	return shorten(kind + ": " + value)
}

// known returns s unless it is one of the words for "not known".
func known(s string) string {
	s = strings.TrimSpace(s)
	if s == "<unknown>" || s == "(unknown)" || s == "?" {
		return ""
	}
	return s
}

// culprit returns where it happened: the innermost frame of the application, else
// what the application was doing.
func culprit(ev *event.Event, st stack) string {
	if !isMessage(ev) && len(st.own) > 0 {
		f := &st.frames[st.own[len(st.own)-1]]
		where, function := place(f, st.platform), known(f.Function)
		if anonymous(function) {
			function = ""
		}
		switch {
		case where != "" && function != "":
			return shorten(where + " in " + function)
		case function != "":
			return shorten(function)
		case where != "":
			return shorten(where)
		}
	}
	for _, s := range []string{ev.Transaction, ev.Culprit} {
		if s = firstLine(s); s != "" {
			return s
		}
	}
	if u, err := url.Parse(ev.Request.URL); err == nil && u.Path != "" {
		return firstLine(strings.ToValidUTF8(strings.ReplaceAll(u.Path, "\x00", ""), "\ufffd"))
	}
	return ""
}

// crashingFunction returns the name of the innermost frame of the application
// that has one.
func crashingFunction(st stack) string {
	for i := len(st.own) - 1; i >= 0; i-- {
		if f := known(st.frames[st.own[i]].Function); !anonymous(f) {
			return f
		}
	}
	return ""
}

// firstLine returns the first line of s that is not empty, shortened.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return shorten(line)
		}
	}
	return ""
}

// shorten returns s with its control characters made spaces and, if it is too
// long for a title, its end replaced by an ellipsis.
func shorten(s string) string {
	if strings.IndexFunc(s, isControl) >= 0 {
		s = strings.Map(func(c rune) rune {
			if isControl(c) {
				return ' '
			}
			return c
		}, s)
	}
	if len(s) <= maxTitle || utf8.RuneCountInString(s) <= maxTitle {
		return s
	}
	n := 0
	for i := range s {
		if n == maxTitle-1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f || c == '\u2028' || c == '\u2029' }
