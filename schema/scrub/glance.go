package scrub

// glance looks at the inside of the string that begins at from, as it is written, and
// returns where it ends and whether it deserves a closer look. Most do not, and are done
// with by this one pass: what follows in free takes apart what is a mark, a credential
// or the number of a card; here it is enough that something could be one.
func (w *walker) glance(from int, at place) (end int, look bool) {
	src := w.src
	i := from
	for i < len(src) && src[i] == ' ' {
		i++
	}
	if i == len(src) || at == placeData && (src[i] == '{' || src[i] == '[' || src[i] == '\\') {
		return from, true
	}
	for word := i; i < len(src); i++ {
		kind := byteKinds[src[i]]
		if kind&isWord != 0 {
			continue
		}
		if i-word >= minCard && suspicious(src[word:i]) || i-word == 4 && kind == isBlank && beginsCard(src[word:i]) {
			return from, true
		}
		switch kind {
		case isEnd:
			return i, false
		case isEscape:
			i++
			if i < len(src) && src[i] == 'u' && at != placeSource {
				return from, true
			}
			w.lax = w.lax || i >= len(src) || !escapes(src[i:])
		case isRaw:
			w.lax = true
		case isMark:
			next, look := w.glanceAtMark(i, at)
			if look {
				return from, true
			}
			i = next
		case isBlank:
			if i-word >= len("Basic") && (endsScheme(src[word:i]) || src[word] == '-') {
				return from, true
			}
		}
		word = i + 1
	}
	return from, true
}

// glanceAtMark is glance for the '=' or ':' at i; otherwise it returns the last byte that
// needs no second look.
func (w *walker) glanceAtMark(i int, at place) (next int, look bool) {
	src := w.src
	if i+3 >= len(src) {
		return i, true
	}
	switch {
	case src[i] == ':' && src[i+1] == '/' && src[i+2] == '/':
		for j := i + 3; j < len(src); j++ {
			switch c := src[j]; {
			case c == '@':
				return i, true
			case c == '/', c == '"', c == '?', c == '#', c == '\\', c <= ' ':
				return j - 1, false
			}
		}
		return i, true
	case src[i] == ':' && isDigit(src[i+1]) && isDigit(src[i-1]): // of a time, a line, a port
		return i, false
	case at == placeSource:
		for j := i + 1; j < len(src) && j < i+7; j++ {
			if isQuote(src[j]) {
				return i, src[j] != '"' || src[j-1] == '\\'
			}
		}
		return i, false
	case at == placeCode || at == placeFrame:
		return i, src[i] == '='
	}
	return i, true
}

// endsScheme reports whether a word before a blank ends as Bearer, Basic or the armour of
// a key does.
func endsScheme(word []byte) bool {
	switch word[len(word)-1] {
	case 'r', 'R':
		return word[len(word)-3]|0x20 == 'r'
	case 'c', 'C':
		return word[len(word)-3]|0x20 == 's'
	case 'N':
		return word[len(word)-2] == 'I'
	}
	return false
}

// beginsCard reports whether a word of four may be the first group of a card's number.
func beginsCard(word []byte) bool {
	return '2' <= word[0] && word[0] <= '6' && isDigit(word[1]) && isDigit(word[2]) && isDigit(word[3])
}

// suspicious reports whether a long word may be or have a credential or a card's number.
func suspicious(word []byte) bool {
	digits := 0
	for i := range word {
		if isDigit(word[i]) {
			digits++
		}
		if i > 0 && isAlnum(word[i-1]) {
			continue
		}
		if n, _ := credential(word[i:]); n > 0 {
			return true
		}
	}
	return digits >= minCard
}
