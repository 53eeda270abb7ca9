package scrub

// how says what is looked for in a text.
type how uint8

const (
	inText   how = iota // everything
	inSource            // forms, and quoted literals behind secret names
	inCode              // forms, and parameters of URLs
)

// text scrubs a text, which may be JSON. The result is good until the next text; changed
// is false if it is as it was.
func (w *walker) text(text []byte, as how) (clean []byte, changed bool) {
	if as == inText && w.inside < maxInside && mayBeJSON(text) {
		path, findings := w.explain.depth(), w.explain.mark()
		c := w.deeper()
		if out, ok := c.json(text, placeData); ok {
			return out, c.out != nil
		}
		w.explain.back(path, findings)
	}
	return w.free(text, as)
}

// mayBeJSON reports whether a text begins as JSON with anything in it does.
func mayBeJSON(text []byte) bool {
	for _, c := range text {
		if c > ' ' {
			return c == '{' || c == '[' || c == '"'
		}
	}
	return false
}

// deeper returns a walker for what is inside of a string.
func (w *walker) deeper() *walker {
	if w.child == nil {
		w.child = &walker{s: w.s, inside: w.inside + 1, known: w.known}
	}
	w.child.explain = w.explain
	return w.child
}

// quiet is deeper for what is only asked about.
func (w *walker) quiet() *walker {
	c := w.deeper()
	c.explain = nil
	return c
}

// free scrubs a text that is no JSON.
func (w *walker) free(text []byte, as how) (clean []byte, changed bool) {
	sc := scan{w: w, text: text, as: as}
	if !w.s.off {
		sc.run()
	}
	if sc.out != nil {
		text = append(sc.out, text[sc.copied:]...)
	}
	changed = sc.out != nil
	for _, pattern := range w.s.patterns {
		if !w.s.off && pattern.Match(text) {
			w.explain.found(whyPattern)
			text, changed = pattern.ReplaceAllLiteral(text, []byte(Filtered)), true
		}
	}
	return text, changed
}

// scan is one pass over a text that is no JSON.
type scan struct {
	w      *walker
	text   []byte
	as     how
	out    []byte // what replaces text[:copied]; nil: nothing was changed yet
	copied int

	decoded int // up to where escaped values were looked at: once is enough
}

// What bytes are, for finding the places that are worth a closer look.
const (
	isWord   = 1 << iota // a part of words, and of most credentials
	isCount              // a digit
	isMark               // '=' and ':', behind which values stand
	isBlank              // behind which the value of Bearer stands
	isEnd                // a quote
	isEscape             // a backslash
	isRaw                // what JSON does not allow unescaped
)

var byteKinds = func() (kinds [256]uint8) {
	for c := range 256 {
		switch b := byte(c); {
		case isDigit(b):
			kinds[c] = isWord | isCount
		case isLower(b), isUpper(b), b == '_', b == '-', b == '.':
			kinds[c] = isWord
		case b == '=', b == ':':
			kinds[c] = isMark
		case b == ' ':
			kinds[c] = isBlank
		case b == '"':
			kinds[c] = isEnd
		case b == '\\':
			kinds[c] = isEscape
		case b < ' ':
			kinds[c] = isRaw
		}
	}
	return kinds
}()

// longWord is the length of the shortest credential of a known form.
const longWord = 16

func (sc *scan) run() {
	text := sc.text
	for i := 0; i < len(text); {
		kind := byteKinds[text[i]]
		if kind&isWord != 0 {
			from, all := i, uint8(0)
			for i < len(text) && byteKinds[text[i]]&isWord != 0 {
				all |= byteKinds[text[i]]
				i++
			}
			if i-from >= longWord {
				i = max(i, sc.word(from, i))
			}
			if all&isCount != 0 {
				i = max(i, sc.cards(from, i))
			}
			if text[from] == '-' && sc.as == inText {
				i = max(i, sc.argument(from, i))
			}
			continue
		}
		switch kind {
		case isMark:
			i = sc.mark(i)
		case isBlank:
			i = sc.blank(i)
		default:
			i++
		}
	}
}

// cut puts Filtered in the place of text[from:to] and returns to.
func (sc *scan) cut(from, to int, why string) int {
	return sc.put(from, to, Filtered, why)
}

// put puts something in the place of text[from:to] and returns to.
func (sc *scan) put(from, to int, with, why string) int {
	if from < sc.copied { // a part of what is gone
		from = sc.copied
	}
	if to <= from || string(sc.text[from:to]) == with {
		return max(from, to)
	}
	if sc.out == nil {
		sc.out = make([]byte, 0, len(sc.text)+len(Filtered))
	}
	sc.out = append(append(sc.out, sc.text[sc.copied:from]...), with...)
	sc.copied = to
	sc.w.explain.found(why)
	return to
}

// has reports whether the text goes on with s at i.
func (sc *scan) has(i int, s string) bool {
	return i >= 0 && len(sc.text)-i >= len(s) && string(sc.text[i:i+len(s)]) == s
}
