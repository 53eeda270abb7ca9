package event

import (
	"strconv"
	"strings"
)

// readMessage reads a log entry: text alone, or an object of template, parameters
// and text. Where a client left it to the server to fill in the parameters, it is
// done here.
func (r *reader) readMessage() Message {
	switch r.kind() {
	case '{':
	case '"', '0':
		return Message{Formatted: r.text(maxText)}
	default:
		// Old clients send false for "none".
		r.skip()
		return Message{}
	}
	var m Message
	var names []string
	r.object(func(name []byte) {
		switch string(name) {
		case "message":
			m.Template = r.text(maxText)
		case "formatted":
			m.Formatted = r.text(maxText)
		case "params":
			m.Params, names = r.params()
		default:
			r.skip()
		}
	})
	if m.Formatted == "" && len(m.Params) > 0 {
		m.Formatted = cut([]byte(fill(m.Template, m.Params, names)), maxText)
	}
	return m
}

// params reads the parameters of a message and, when they came as an object,
// their names.
func (r *reader) params() (params, names []string) {
	add := func() bool {
		text := r.text(maxURL)
		if len(params) == maxParams {
			return false
		}
		params = append(params, text)
		return true
	}
	if r.kind() == '{' {
		r.object(func(name []byte) {
			key := string(name)
			if add() {
				names = append(names, key)
			}
		})
		return params, names
	}
	r.list(func() { add() })
	return params, nil
}

// fill puts params into the places of template: %s and its like, %(name)s, {},
// {0} and {name}. A place without a parameter stays as it is.
func fill(template string, params, names []string) string {
	f := filler{params: params, names: names}
	var out strings.Builder
	for i := 0; i < len(template) && out.Len() < 4*maxText; {
		text, n := "", 0
		switch template[i] {
		case '%':
			text, n = f.percent(template[i:])
		case '{':
			text, n = f.brace(template[i:])
		}
		if n == 0 {
			out.WriteByte(template[i])
			i++
			continue
		}
		out.WriteString(text)
		i += n
	}
	return out.String()
}

// maxPlace bounds how far the end of a place is looked for.
const maxPlace = 64

type filler struct {
	params, names []string
	used          int // positional parameters
}

// percent fills the place s begins with, "%s" or "%(name)s" with flags and width
// ignored, and returns the text and the length of the place, 0 if it is none.
func (f *filler) percent(s string) (text string, n int) {
	if strings.HasPrefix(s, "%%") {
		return "%", 2
	}
	i, name := 1, ""
	if strings.HasPrefix(s, "%(") {
		end := strings.IndexByte(s[:min(len(s), maxPlace)], ')')
		if end < 0 {
			return "", 0
		}
		i, name = end+1, s[2:end]
	}
	for i < len(s) && strings.IndexByte("0123456789.-+#", s[i]) >= 0 {
		i++
	}
	if i == len(s) || strings.IndexByte("sdiouxXeEfFgGcrajOqv", s[i]) < 0 {
		return "", 0
	}
	if name != "" {
		text, ok := f.named(name)
		return text, pick(ok, i+1)
	}
	text, ok := f.following()
	return text, pick(ok, i+1)
}

// brace does the same for "{}", "{0}" and "{name}", with an optional format
// after a colon or an exclamation mark.
func (f *filler) brace(s string) (text string, n int) {
	end := strings.IndexByte(s[:min(len(s), maxPlace)], '}')
	if end < 0 {
		return "", 0
	}
	name, _, _ := strings.Cut(s[1:end], ":")
	name, _, _ = strings.Cut(name, "!")
	if name == "" {
		text, ok := f.following()
		return text, pick(ok, end+1)
	}
	if i, err := strconv.Atoi(name); err == nil {
		if i < 0 || i >= len(f.params) {
			return "", 0
		}
		return f.params[i], end + 1
	}
	text, ok := f.named(name)
	return text, pick(ok, end+1)
}

// following returns the next positional parameter.
func (f *filler) following() (string, bool) {
	if f.names != nil || f.used >= len(f.params) {
		return "", false
	}
	f.used++
	return f.params[f.used-1], true
}

func (f *filler) named(name string) (string, bool) {
	for i, n := range f.names {
		if n == name {
			return f.params[i], true
		}
	}
	return "", false
}

func pick(ok bool, n int) int {
	if ok {
		return n
	}
	return 0
}
