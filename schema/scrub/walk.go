package scrub

import "bytes"

// place says where in an event a value is, as far as that decides what is looked for.
type place uint8

const (
	placeData      place = iota // what applications fill as they like
	placeRoot                   // the event itself
	placeStack                  // exceptions and threads, down to their frames
	placeFrame                  // a frame, or a list of them
	placeSource                 // source lines
	placeCode                   // names of functions, files and modules
	placeFixed                  // what the protocol fixes: ids, times, levels
	placeCookies                // cookies by name, or a list of lines of them
	placeCookie                 // one cookie: its name and its value
	placeEntry                  // a log entry, whose message may name what its params are
	placeHidden                 // values that the place itself makes secret
	placeTexts                  // a list whose texts are secrets
	placeAddresses              // a client's address, or a list of them
)

// maxNesting is how deep JSON may nest, which is what the event's parser takes.
const maxNesting = 10_000

// maxInside is how many times JSON in a string may have a string with JSON.
const maxInside = 8

// walker takes one pass over a JSON text. It is lenient where the event's parser is, or
// mends what clients get wrong: NaN, control characters, a backslash that escapes
// nothing. It is used for one text after the other.
type walker struct {
	s       *Scrubber
	src     []byte
	pos     int
	depth   int
	broken  bool   // src is not JSON
	lax     bool   // nor is it to somebody who is strict, perhaps
	deepest int    // how deep it nests
	id, typ []byte // the texts of these members of an event, as they are written
	out     []byte // what replaces src[:copied]; nil: nothing was changed yet
	copied  int
	plain   []byte // scratch: a string without its escapes
	inside  int    // of how many strings src was taken
	child   *walker
	known   *[knownNames]known // shared with child
	explain *explanation       // nil: nobody asks why
}

// document walks a whole text and returns what is left of it.
func (w *walker) document(src []byte, at place) []byte {
	if out, ok := w.json(src, at); ok {
		return out
	}
	// Nobody parses it, but it may be kept.
	if w.explain != nil {
		w.explain.findings = nil
	}
	if clean, changed := w.free(src, inText); changed {
		return bytes.Clone(clean)
	}
	return src
}

// json is document for what has to be one value and nothing else; ok is false if it is
// not.
func (w *walker) json(src []byte, at place) (out []byte, ok bool) {
	w.src, w.pos, w.depth, w.broken, w.out, w.copied = src, 0, 0, false, nil, 0
	w.lax, w.deepest, w.id, w.typ = false, 0, nil, nil
	w.pos = len(src) - len(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")))
	w.value(at)
	if w.peek(); w.broken || w.pos < len(src) {
		return nil, false
	}
	if w.out == nil {
		return src, true
	}
	return append(w.out, src[w.copied:]...), true
}

// replace puts something in the place of src[from:w.pos].
func (w *walker) replace(from int, with []byte) {
	if w.out == nil {
		w.out = make([]byte, 0, len(w.src)+64)
	}
	w.out = append(append(w.out, w.src[w.copied:from]...), with...)
	w.copied = w.pos
}

// peek returns the next byte that is no blank, 0 at the end.
func (w *walker) peek() byte {
	for ; w.pos < len(w.src); w.pos++ {
		c := w.src[w.pos]
		if c > ' ' {
			return c
		}
		w.lax = w.lax || c != ' ' && c != '\n' && c != '\t' && c != '\r'
	}
	return 0
}

// value walks the next value.
func (w *walker) value(at place) {
	switch c := w.peek(); {
	case c == '"':
		w.stringValue(at)
	case c == '{':
		w.enter(at, (*walker).object)
	case c == '[':
		w.enter(at, (*walker).array)
	case c == '-' || isDigit(c):
		w.number(at)
	case isLower(c) || isUpper(c):
		w.literal()
	default:
		w.broken = true
	}
}

func (w *walker) enter(at place, walk func(*walker, place)) {
	if w.depth++; w.depth > maxNesting {
		w.broken = true
		return
	}
	w.deepest = max(w.deepest, w.depth)
	w.pos++
	walk(w, at)
	w.depth--
}

// object walks the members up to the closing bracket.
func (w *walker) object(at place) {
	var labels label
	var params bool // of a log entry are secrets
	if at == placeAddresses {
		at = placeData
	}
	if at == placeEntry {
		params = w.entryHasSecrets()
	}
	for first := true; !w.broken; first = false {
		c := w.peek()
		if c == '}' && first {
			w.pos++
			return
		}
		if c != '"' {
			w.broken = true
			return
		}
		quoted := w.pos
		key := w.key()
		if w.peek() != ':' {
			w.broken = true
			return
		}
		w.member(at, key, params, quoted, &labels)
		switch w.peek() {
		case ',':
			w.pos++
		case '}':
			w.pos++
			return
		default:
			w.broken = true
		}
	}
}

// key walks a member's name. It is good until the next string.
func (w *walker) key() []byte {
	from := w.pos + 1
	flags := w.skipString()
	key := w.src[from:max(w.pos-1, from)]
	if flags&hasEscape != 0 {
		w.plain = unquote(w.plain[:0], key)
		return w.plain
	}
	return key
}

// member walks from the colon over a member's value.
func (w *walker) member(at place, key []byte, params bool, quoted int, labels *label) {
	next, meaning := w.within(at, key)
	w.explain.down(key)
	switch {
	case meaning == odd:
		w.scrubKey(key, quoted)
	case params && string(key) == "params":
		next = placeHidden
	case at == placeData && meaning == plain && labels.tells(w, key):
		meaning = secret
	}
	w.pos++
	if at == placeRoot {
		w.noteHead(key)
	}
	w.treat(next, meaning)
	w.explain.up()
}

// treat walks a value that a name of some meaning stands before.
func (w *walker) treat(at place, meaning class) {
	switch meaning {
	case secret:
		w.hide()
	case soft:
		switch w.peek() {
		case '"':
			w.hide()
		case '[':
			w.value(placeTexts)
		default:
			w.value(at)
		}
	case cookie:
		w.value(placeCookies)
	case address:
		w.value(placeAddresses)
	default:
		w.value(at)
	}
}

// hide walks a value and puts Filtered in its place, unless it is null, a boolean or
// empty, or was filtered before.
func (w *walker) hide() {
	c := w.peek()
	from := w.pos
	w.value(placeFixed)
	if w.broken {
		return
	}
	switch {
	case c == '"':
		if inner := w.src[from+1 : w.pos-1]; len(inner) == 0 || string(inner) == Filtered {
			return
		}
	case c == '{' || c == '[':
		if w.pos-from == 2 {
			return
		}
	case isLower(c) || isUpper(c):
		return
	}
	w.explain.found(whyName)
	w.replace(from, []byte(`"`+Filtered+`"`))
}

// array walks the elements up to the closing bracket.
func (w *walker) array(at place) {
	meaning := plain // of the element before
	for i := 0; !w.broken; i++ {
		c := w.peek()
		if c == ']' && i == 0 {
			w.pos++
			return
		}
		w.explain.index(i)
		switch {
		case at == placeCookie && i > 0:
			w.hide()
		case at == placeCookies && c == '[':
			w.value(placeCookie)
		case meaning != plain && c == '"' && (meaning == flag || w.isLast()):
			w.treatPair(at, meaning)
			meaning = plain
		case meaning == address && c == '[': // a header that came more than once
			w.treat(at, meaning)
			meaning = plain
		case at == placeAddresses && c == '"' && w.addressText():
			meaning = plain
		case (at == placeData || at == placeAddresses) && c == '"':
			meaning = w.element(i)
		default:
			w.value(at)
			meaning = plain
		}
		w.explain.up()
		switch w.peek() {
		case ',':
			w.pos++
		case ']':
			w.pos++
			return
		default:
			w.broken = true
		}
	}
}

// flag is the class of an argument like --password, which the next argument belongs to.
const flag = odd + 1

// element walks a text in a list, and returns what it means for the next one: the first
// of two may be its name, as in ["Cookie", "a=b"].
func (w *walker) element(i int) class {
	from := w.pos + 1
	w.stringValue(placeData)
	if w.broken {
		return plain
	}
	text := w.src[from : w.pos-1]
	if i > 0 && (len(text) == 0 || text[0] != '-') || len(text) > maxName {
		return plain
	}
	meaning := w.lookUp(text)
	if meaning == odd {
		return plain
	}
	if meaning != plain && text[0] == '-' {
		return flag
	}
	if i > 0 {
		return plain
	}
	return meaning
}

// isLast reports whether the next value is the last of its list.
func (w *walker) isLast() bool {
	pos := w.pos
	w.skipString()
	last := w.peek() == ']'
	w.pos = pos
	return last
}

func (w *walker) treatPair(at place, meaning class) {
	if meaning == flag {
		meaning = secret
	}
	w.treat(at, meaning)
}

// literal walks one of JSON's words, or of those that old clients write for floats that
// it has none for.
func (w *walker) literal() {
	from := w.pos
	for w.pos < len(w.src) && (isLower(w.src[w.pos]) || isUpper(w.src[w.pos])) {
		w.pos++
	}
	switch string(w.src[from:w.pos]) {
	case "true", "false", "null":
	case "NaN", "Infinity":
		w.lax = true
	default:
		w.broken = true
	}
}

// number walks a number, which may be that of a card.
func (w *walker) number(at place) {
	from := w.pos
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; {
		case isDigit(c), c == '-', c == '+', c == '.', c == 'e', c == 'E':
			w.pos++
			continue
		}
		break
	}
	text := w.src[from:w.pos]
	w.lax = w.lax || !isStrict(text)
	if len(text) == 1 && text[0] == '-' {
		w.literal()
		return
	}
	switch {
	case at == placeHidden:
	case at == placeFixed || w.s.off || len(text) < minCard || len(text) > maxCard || cardLength(text, 0) != len(text):
		return
	}
	w.explain.found(whyCard)
	w.replace(from, []byte(`"`+Filtered+`"`))
}
