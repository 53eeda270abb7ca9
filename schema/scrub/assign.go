package scrub

import (
	"bytes"
	"net/url"
)

// assignment is a name with the value that text gives it, as in password=…, "token": "…"
// or Authorization: ….
type assignment struct {
	meaning class
	quoted  bool // the name stands in quotes
	colon   bool // it is followed by a colon
	spaced  bool // there is a blank between, or a value in quotes
	param   bool // the name stands where parameters of URLs and forms do
	value   int  // where the value begins, its quote included
}

// mark looks at the '=' or ':' at i, and returns where to go on.
func (sc *scan) mark(i int) int {
	text := sc.text
	next := byte(0)
	if i+1 < len(text) {
		next = text[i+1]
	}
	switch {
	case text[i] == ':' && next == '/' && sc.has(i+1, "//"):
		return max(sc.userinfo(i+3), i+3)
	case text[i] == ':' && next == ':', text[i] == '=' && next == '=':
		return i + 2
	}
	if sc.as == inSource && !sc.isLiteral(i+1) {
		return i + 1
	}
	a := sc.read(i, next)
	switch {
	case a.meaning == plain || a.meaning == odd:
		if text[i] == '=' && sc.as == inText {
			return sc.encoded(a.value)
		}
		return i + 1
	case a.meaning == address || sc.as == inCode && (a.colon || !a.param):
		return i + 1
	}
	return sc.give(a)
}

// isLiteral reports whether a quote follows before long, which source lines must have
// to be of interest.
func (sc *scan) isLiteral(i int) bool {
	for end := min(i+6, len(sc.text)); i < end; i++ {
		if isQuote(sc.text[i]) {
			return true
		}
	}
	return false
}

// read reads the assignment whose mark is at i.
func (sc *scan) read(i int, next byte) assignment {
	const farName = 80
	text := sc.text
	a := assignment{colon: text[i] == ':', value: i + 1}
	if a.colon && next == '=' || !a.colon && next == '>' { // := and =>
		a.value, a.colon = i+2, false
	}
	j := i
	for j > 0 && i-j < 3 && text[j-1] == ' ' {
		j--
	}
	a.spaced = j < i
	for j > 0 && i-j < 12 && isWrap(text[j-1]) {
		a.quoted = a.quoted || text[j-1] == '"' || text[j-1] == '\''
		j--
	}
	end := j
	for j > 0 && end-j < farName && isName(text[j-1]) {
		j--
	}
	if j == end {
		return a
	}
	a.param = j > 0 && (text[j-1] == '?' || text[j-1] == '&' || text[j-1] == ';' || text[j-1] == '#' || text[j-1] == '[') || j == 0
	a.meaning = sc.w.lookUp(bytes.TrimLeft(text[j:end], "-."))
	if a.meaning != plain && a.colon && isParser(text[:j], text[j:end]) {
		a.meaning = plain
	}
	return a
}

// isWrap reports whether a byte stands between a name and its mark.
func isWrap(c byte) bool { return c == '"' || c == '\'' || c == '\\' || c == ']' || c == '`' }

// isName reports whether names have a byte in them.
func isName(c byte) bool {
	return byteKinds[c]&isWord != 0 || c == '%' || c == '$'
}

// isParser reports whether a token is one of a grammar, as in "Unexpected token: (".
func isParser(before, name []byte) bool {
	before = bytes.TrimRight(before, " ")
	return bytes.EqualFold(name, []byte("token")) &&
		(bytes.HasSuffix(before, []byte("nexpected")) || bytes.HasSuffix(before, []byte("llegal")))
}

// give cuts the value of an assignment to a secret name, and returns where to go on.
func (sc *scan) give(a assignment) int {
	from := a.value
	if a.colon || a.spaced || sc.has(a.value-2, "=>") {
		for from < len(sc.text) && from-a.value < 8 && sc.text[from] == ' ' {
			a.spaced = true
			from++
		}
	}
	if from == len(sc.text) {
		return from
	}
	quoteAt := from
	for quoteAt < len(sc.text) && quoteAt-from < 4 && isQuotePrefix(sc.text[quoteAt]) {
		quoteAt++
	}
	if quoteAt < len(sc.text) && isQuote(sc.text[quoteAt]) {
		if end, ok := sc.literal(from, quoteAt, a.meaning); ok {
			return end
		}
	}
	switch c := sc.text[from]; {
	case sc.as == inSource:
		return a.value
	case (c == '{' || c == '[') && a.quoted:
		return sc.bracketed(a, from)
	case a.meaning == cookie:
		return sc.cookieLine(from, sc.lineEnd(from))
	}
	end := sc.bareEnd(a, from)
	if end == from || sc.has(from, Filtered) || isNothing(sc.text[from:end]) || isPlaceholder(sc.text[from:end]) {
		return max(end, a.value)
	}
	if a.colon && a.spaced && !a.quoted && sc.isSentence(from, end) {
		return a.value
	}
	if a.meaning == soft && isNumber(sc.text[from:end]) {
		return end
	}
	return sc.cut(from, end, whyName)
}

// isQuotePrefix reports whether a byte may stand before the quote of a literal: a
// backslash of text in text, or a letter as in Python.
func isQuotePrefix(c byte) bool {
	return c == '\\' || c == 'b' || c == 'u' || c == 'r' || c == 'f' || c == '@' || c == '$'
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// literal cuts the inside of the literal whose quote is at i.
func (sc *scan) literal(from, i int, meaning class) (end int, ok bool) {
	text, quote := sc.text, sc.text[i]
	slashes := 0
	for j := i; j > from && text[j-1] == '\\'; j-- {
		slashes++
	}
	begin := i + 1
	stop := len(text)
	for j, run := begin, 0; j < len(text); j++ {
		switch c := text[j]; {
		case c == '\\':
			run++
			continue
		case c == quote && (run <= slashes && (run == slashes || slashes > 0) || slashes == 0 && run%2 == 0):
			stop = j - run
			if slashes == 0 {
				stop = j
			}
		case c == '\n' && sc.as == inSource:
			stop = j
		}
		if stop < len(text) {
			break
		}
		run = 0
	}
	inner := text[begin:stop]
	switch {
	case len(inner) == 0, isPlaceholder(inner), string(inner) == Filtered:
		return stop, true
	case meaning == cookie:
		return sc.cookieLine(begin, stop), true
	}
	return sc.cut(begin, stop, whyName), true
}

// bracketed cuts a list or object.
func (sc *scan) bracketed(a assignment, from int) int {
	if sc.has(from, Filtered) || sc.has(from, "{}") || sc.has(from, "[]") {
		return a.value
	}
	if a.meaning == soft {
		return a.value
	}
	level := 0
	for i := from; i < len(sc.text); i++ {
		switch sc.text[i] {
		case '{', '[':
			level++
		case '}', ']':
			if level--; level == 0 {
				return sc.cut(from, i+1, whyName)
			}
		}
	}
	return sc.cut(from, len(sc.text), whyName)
}

// lineEnd returns the end of a header's line, which a quote ends too.
func (sc *scan) lineEnd(from int) int {
	for i := from; i < len(sc.text); i++ {
		if c := sc.text[i]; c == '\n' || c == '\r' || c == '"' || c == '\'' || c == '\\' {
			return i
		}
	}
	return len(sc.text)
}

// bareEnd returns the end of a value without quotes. A password may have a comma in it,
// so one ends it only where something else begins.
func (sc *scan) bareEnd(a assignment, from int) int {
	text := sc.text
	if a.colon && isScheme(text[from:]) {
		return sc.lineEnd(from)
	}
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case c <= ' ' || c == '&' || c == '"' || c == '<' || c == '>' || c == '#' && a.param:
			return i
		case c == '\'' || c == '\\':
			if a.quoted || i+1 == len(text) || !isAlnum(text[i+1]) || c == '\\' {
				return i
			}
		case (c == ',' || c == ';') && sc.endsAt(i+1):
			return i
		case (c == ')' || c == '}' || c == ']') && (i+1 == len(text) || text[i+1] <= ' ' || text[i+1] == ',' || text[i+1] == ';' || text[i+1] == '.'):
			return i
		}
	}
	return len(text)
}

// endsAt reports whether nothing of a value is at i: a blank, the end, another name.
func (sc *scan) endsAt(i int) bool {
	from := i
	for i < len(sc.text) && isName(sc.text[i]) {
		i++
	}
	if i == len(sc.text) {
		return i == from
	}
	return sc.text[i] <= ' ' && i == from || i > from && byteKinds[sc.text[i]]&isMark != 0
}

// isScheme reports whether a value is one of a sign-in header with its scheme in front,
// as in "Bearer abc".
func isScheme(value []byte) bool {
	word, _, found := bytes.Cut(value[:min(len(value), 16)], []byte(" "))
	if !found {
		return false
	}
	for _, scheme := range [...]string{"bearer", "basic", "digest", "token", "negotiate", "ntlm", "apikey", "aws4-hmac-sha256"} {
		if bytes.EqualFold(word, []byte(scheme)) {
			return true
		}
	}
	return bytes.HasPrefix(value, []byte("AWS4-HMAC"))
}

// isNothing reports whether a value says that there is none.
func isNothing(value []byte) bool {
	switch string(value) {
	case "null", "none", "None", "nil", "NULL", "undefined", "true", "false", "True", "False":
		return true
	}
	return false
}

// isPlaceholder reports whether a value is filled in elsewhere, as in "password=%s".
func isPlaceholder(value []byte) bool {
	switch string(value) {
	case "?", "{}", "%s", "%d", "%v", "%r", "%q", "%@", "%%s":
		return true
	}
	if len(value) < 4 {
		return false
	}
	last := value[len(value)-1]
	return bytes.HasPrefix(value, []byte("%(")) && (last == 's' || last == 'r') || bytes.HasPrefix(value, []byte("${")) && last == '}'
}

func isNumber(value []byte) bool {
	for _, c := range value {
		if !isDigit(c) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// isSentence reports whether the word at text[from:to], which follows a colon, is the
// beginning of a sentence, as in "password: must have eight characters".
func (sc *scan) isSentence(from, to int) bool {
	word := sc.text[from:to]
	for _, c := range word {
		if !isLower(c) {
			return false
		}
	}
	return to+1 < len(sc.text) && sc.text[to] == ' ' && isLower(sc.text[to+1])
}

// argument looks at the word text[from:to] as an argument whose value follows, as in
// "--password secret".
func (sc *scan) argument(from, to int) int {
	text := sc.text
	if to-from < 4 || text[from+1] != '-' || to+1 >= len(text) || text[to] != ' ' || text[to+1] == '-' {
		return to
	}
	if meaning := sc.w.lookUp(text[from+2 : to]); meaning != secret && meaning != soft {
		return to
	}
	return sc.give(assignment{meaning: secret, value: to + 1})
}

// encoded scrubs the value of a form or URL whose own characters are escaped, as JSON in
// a query is.
func (sc *scan) encoded(from int) int {
	if from < sc.decoded || sc.w.inside >= maxInside {
		return from
	}
	end, escaped := from, false
	for end < len(sc.text) && sc.text[end] > ' ' && sc.text[end] != '&' && sc.text[end] != '#' && sc.text[end] != '"' {
		escaped = escaped || sc.text[end] == '%'
		end++
	}
	sc.decoded = end
	if !escaped {
		return from
	}
	plain, err := url.QueryUnescape(string(sc.text[from:end]))
	if err != nil {
		return from
	}
	if clean, changed := sc.w.deeper().text([]byte(plain), inText); changed {
		return sc.put(from, end, url.QueryEscape(string(clean)), whyName)
	}
	return from
}

// cookies scrubs a line of cookies: names and attributes stay, values do not.
func (w *walker) cookies(line []byte) ([]byte, bool) {
	sc := scan{w: w, text: line}
	sc.cookieLine(0, len(line))
	if sc.out == nil {
		return line, false
	}
	return append(sc.out, line[sc.copied:]...), true
}

// cookieLine is cookies for text[from:to].
func (sc *scan) cookieLine(from, to int) int {
	for from < to {
		end := from
		for end < to && sc.text[end] != ';' {
			end++
		}
		pair := sc.text[from:end]
		begin := bytes.IndexByte(pair, '=') + 1
		if begin == 0 {
			begin = len(pair) - len(bytes.TrimLeft(pair, " "))
		}
		if !isAttribute(pair) && string(pair[begin:]) != Filtered {
			sc.cut(from+begin, end, whyCookie)
		}
		from = end + 1
	}
	return to
}

// isAttribute reports whether a part of a line of cookies is about a cookie.
func isAttribute(pair []byte) bool {
	key, _, _ := bytes.Cut(pair, []byte("="))
	switch string(bytes.ToLower(bytes.TrimSpace(key))) {
	case "path", "domain", "expires", "max-age", "samesite", "httponly", "secure", "partitioned", "priority":
		return true
	}
	return false
}

// givesSecret reports whether a text gives a placeholder to a secret name.
func givesSecret(w *walker, text []byte) bool {
	sc := scan{w: w, text: text}
	for i, c := range text {
		if byteKinds[c]&isMark == 0 {
			continue
		}
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		a := sc.read(i, next)
		if a.meaning != secret && a.meaning != soft && a.meaning != cookie {
			continue
		}
		rest := bytes.TrimLeft(text[a.value:], ` "'`)
		if len(rest) > 0 && (rest[0] == '%' || rest[0] == '{' || rest[0] == '?' || rest[0] == '$') {
			return true
		}
	}
	return false
}
