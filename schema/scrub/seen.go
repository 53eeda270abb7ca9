package scrub

// Seen is what EventSeen notices in passing, which saves a walk of its own.
type Seen struct {
	// Strict is true if the payload is one JSON object without any of the mistakes that
	// the event's parser tolerates. Otherwise nothing else is known.
	Strict bool
	Depth  int    // how deep it nests; the object itself counts as one
	ID     string // the text of its last member event_id, "" if that is none
	Type   string // likewise, of type
}

// EventSeen is Event, and says what it saw.
func (s *Scrubber) EventSeen(payload []byte) ([]byte, Seen) {
	if s.idle() {
		return payload, Seen{}
	}
	w := s.walkers.Get().(*walker)
	defer s.release(w)
	out, ok := w.json(payload, placeRoot)
	switch {
	case !ok:
		return w.document(payload, placeRoot), Seen{}
	case w.lax || !w.isObject():
		return out, Seen{}
	}
	return out, Seen{Strict: true, Depth: w.deepest, ID: string(w.id), Type: string(w.typ)}
}

// isObject reports whether what was walked is an object.
func (w *walker) isObject() bool {
	for _, c := range w.src {
		if c == '{' || c == '[' || c == '"' || isAlnum(c) || c == '-' {
			return c == '{'
		}
	}
	return false
}

// noteHead keeps the text that follows, if key is one of those of an event's head. With
// an escape in it, it is not worth the trouble.
func (w *walker) noteHead(key []byte) {
	var kept *[]byte
	switch string(key) {
	case "event_id":
		kept = &w.id
	case "type":
		kept = &w.typ
	default:
		return
	}
	text, _ := w.stringAt(w.pos)
	*kept = text
	for _, c := range text {
		w.lax = w.lax || c == '\\' || c >= 0x80
	}
}

// isStrict reports whether a text of digits, signs, points and exponents is a number of
// JSON.
func isStrict(text []byte) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(text) && isDigit(text[i]) {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(text) && text[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(text)
}
