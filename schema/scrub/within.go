package scrub

import "encoding/binary"

// within says what is looked for in a member's value, and what the member's name means.
func (w *walker) within(at place, key []byte) (place, class) {
	switch at {
	case placeFixed, placeHidden:
		return at, plain
	case placeCookies, placeCookie:
		return placeHidden, plain
	case placeSource, placeCode:
		return at, plain
	case placeRoot:
		if next, ok := ofEvent(key); ok {
			return next, plain
		}
	case placeStack:
		if next, ok := ofStack(key); ok {
			return next, plain
		}
		return placeStack, w.lookUp(key)
	case placeFrame:
		if next, ok := ofFrame(key); ok {
			return next, plain
		}
	}
	return placeData, w.lookUp(key)
}

// ofEvent returns the place of an event's own member, false if it is one like any other.
func ofEvent(key []byte) (place, bool) {
	switch string(key) {
	case "exception", "threads", "stacktrace",
		"sentry.interfaces.Exception", "sentry.interfaces.Stacktrace":
		return placeStack, true
	case "event_id", "timestamp", "platform", "level", "type", "start_timestamp", "received":
		return placeFixed, true
	case "modules", "sdk", "debug_meta", "fingerprint", "checksum":
		return placeCode, true
	case "logentry", "message", "sentry.interfaces.Message":
		return placeEntry, true
	}
	return placeData, false
}

// ofStack returns the place of a member between an event and a frame.
func ofStack(key []byte) (place, bool) {
	switch string(key) {
	case "frames":
		return placeFrame, true
	case "type", "module":
		return placeCode, true
	case "data", "meta":
		return placeData, true
	}
	return placeData, false
}

// ofFrame returns the place of a frame's member.
func ofFrame(key []byte) (place, bool) {
	switch string(key) {
	case "filename", "function", "raw_function", "module", "package", "abs_path", "symbol",
		"instruction_addr", "symbol_addr", "image_addr":
		return placeCode, true
	case "lineno", "colno", "in_app", "platform":
		return placeFixed, true
	case "context_line", "pre_context", "post_context":
		return placeSource, true
	}
	return placeData, false
}

const (
	// maxName is the length of the longest name whose meaning is remembered.
	maxName = 46

	// knownNames is how many are, a power of two.
	knownNames = 1024
)

// known is a name with its meaning.
type known struct {
	size    uint8
	meaning class
	text    [maxName]byte
}

// lookUp says what a name means.
func (w *walker) lookUp(key []byte) class {
	n := len(key)
	if n == 0 {
		return plain
	}
	if n > maxName {
		return w.meaning(key)
	}
	k := &w.known[slot(key)]
	if int(k.size) == n && string(k.text[:n]) == string(key) {
		return k.meaning
	}
	meaning := w.meaning(key)
	k.size, k.meaning = uint8(n), meaning
	copy(k.text[:], key)
	return meaning
}

// slot is where a name is remembered.
func slot(key []byte) uint32 {
	n := len(key)
	h := uint32(n)
	if n >= 4 {
		h += binary.LittleEndian.Uint32(key) ^ binary.LittleEndian.Uint32(key[n-4:])*31
	} else {
		h += uint32(key[0]) | uint32(key[n/2])<<8 | uint32(key[n-1])<<16
	}
	return h * 0x9e3779b1 >> 22
}

func (w *walker) meaning(key []byte) class {
	meaning := w.s.classify(string(key))
	if meaning == plain && !w.s.off && len(key) >= shortest {
		if _, dirty := w.quiet().keyText(key); dirty {
			return odd
		}
	}
	return meaning
}

// label remembers what an object is called that has its value under "value", as in
// {"name": "password", "value": "…"}.
type label struct {
	asked  bool
	secret bool
}

// farLabel bounds how far ahead a label is looked for, in bytes.
const farLabel = 2048

// tells reports whether the member of that name is the value of an object whose label
// says that it is secret. w is at the colon.
func (l *label) tells(w *walker, key []byte) bool {
	switch string(key) {
	case "key", "name":
		l.note(w, w.pos+1)
	case "value":
		if !l.asked {
			l.ahead(w)
		}
		return l.secret
	}
	return false
}

// note reads a label, the value that begins at pos.
func (l *label) note(w *walker, pos int) {
	l.asked = true
	if text, ok := w.stringAt(pos); ok && len(text) <= maxName {
		meaning := w.lookUp(text)
		l.secret = meaning == secret || meaning == soft || meaning == cookie
	}
}

// ahead looks for the label behind the value.
func (l *label) ahead(w *walker) {
	l.asked = true
	for _, text := range w.lookAhead(w.pos+1, farLabel, "key", "name") {
		meaning := w.lookUp(text)
		l.secret = meaning == secret || meaning == soft || meaning == cookie
	}
}

// stringAt returns the inside of the string that begins at pos, blanks aside.
func (w *walker) stringAt(pos int) (text []byte, ok bool) {
	saved, broken := w.pos, w.broken
	w.pos = pos
	if w.peek() == '"' {
		from := w.pos + 1
		w.skipString()
		text, ok = w.src[from:max(w.pos-1, from)], !w.broken
	}
	w.pos, w.broken = saved, broken
	return text, ok
}

// lookAhead returns the texts of members of some names, of the object in which w is. A
// value begins at pos.
func (w *walker) lookAhead(pos, far int, names ...string) (texts [][]byte) {
	src, saved, depth, broken := w.src, w.pos, w.depth, w.broken
	w.src, w.pos = src[:min(len(src), pos+far)], pos
	for {
		w.value(placeFixed)
		if w.broken || w.peek() != ',' {
			break
		}
		w.pos++
		if w.peek() != '"' {
			break
		}
		from := w.pos + 1
		w.skipString()
		key := w.src[from:max(w.pos-1, from)]
		if w.broken || w.peek() != ':' {
			break
		}
		w.pos++
		for _, name := range names {
			if text, ok := w.stringAt(w.pos); ok && string(key) == name {
				texts = append(texts, text)
			}
		}
	}
	w.src, w.pos, w.depth, w.broken = src, saved, depth, broken
	return texts
}

// farMessage bounds how far a log entry's message may be from its beginning, in bytes.
const farMessage = 64 << 10

// entryHasSecrets reports whether the message of a log entry gives one of its
// parameters to a secret name, as in "password=%s". w is at its first member.
func (w *walker) entryHasSecrets() bool {
	if w.s.off || w.peek() != '"' {
		return false
	}
	from := w.pos + 1
	src, pos, broken := w.src, w.pos, w.broken
	w.skipString()
	first := w.src[from:max(w.pos-1, from)]
	colon := !w.broken && w.peek() == ':'
	after := w.pos + 1
	w.src, w.pos, w.broken = src, pos, broken
	if !colon {
		return false
	}
	var texts [][]byte
	if text, ok := w.stringAt(after); ok && string(first) == "message" {
		texts = append(texts, text)
	}
	for _, text := range append(texts, w.lookAhead(after, farMessage, "message")...) {
		if givesSecret(w, unquote(nil, text)) {
			return true
		}
	}
	return false
}
