package jsfunc

import "bytes"

// toLineEnd passes over the rest of the line.
func (s *scanner) toLineEnd() {
	if i := bytes.IndexByte(s.src[s.at:], '\n'); i >= 0 {
		s.at += i
	} else {
		s.at = len(s.src)
	}
}

// slash reads what a slash begins: a comment, a regular expression, a division.
func (s *scanner) slash() {
	switch {
	case s.is(s.at, "//"):
		s.toLineEnd()
	case s.is(s.at, "/*"):
		s.comment()
	case s.afterValue() && !s.prev.endsBlock(), s.prev.kind == operator && s.prev.sign == '<':
		s.set(operator, '/', s.at, s.at+1)
	default:
		s.regexp()
	}
}

// endsBlock reports whether a token closes what is no value: a block, or the
// condition of an if.
func (t token) endsBlock() bool { return t.kind == other && t.sign == '}' }

func (s *scanner) comment() {
	end := bytes.Index(s.src[s.at+2:], []byte("*/"))
	if end < 0 {
		s.at = len(s.src)
		return
	}
	if bytes.IndexByte(s.src[s.at:s.at+2+end], '\n') >= 0 {
		s.broken = true
	}
	s.at += end + 4
}

// regexp passes over a regular expression; one that does not end in its line was
// a slash of something else.
func (s *scanner) regexp() {
	class := false
	for i := s.at + 1; i < min(len(s.src), s.at+maxRegexp) && s.src[i] != '\n'; i++ {
		switch c := s.src[i]; {
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			for i++; isWordByte(s.byteAt(i)); i++ {
			}
			s.set(operand, 0, s.at, i)
			return
		}
	}
	s.set(operator, '/', s.at, s.at+1)
}

func (s *scanner) number() {
	s.lineBreak()
	i := s.at + 1
	for isWordByte(s.byteAt(i)) || s.byteAt(i) == '.' {
		i++
	}
	s.key(span{s.at, i})
	s.set(operand, 0, s.at, i)
}

// quoted reads a string. It ends with its line, so that an apostrophe in a text
// that was taken for code does no more harm than that.
func (s *scanner) quoted(quote byte) {
	s.lineBreak()
	i := s.at + 1
	for i < len(s.src) && s.src[i] != quote && s.src[i] != '\n' {
		if s.src[i] == '\\' {
			i++
		}
		i++
	}
	i = min(i, len(s.src))
	s.key(span{s.at + 1, i})
	s.set(operand, quote, s.at, min(i+1, len(s.src)))
}

// template reads a template string from within: to its end, or to a value in it.
func (s *scanner) template() {
	for i := s.at; i < len(s.src); i++ {
		switch {
		case s.src[i] == '\\':
			i++
		case s.src[i] == '`':
			s.set(operand, '`', i, i+1)
			return
		case s.src[i] == '$' && s.byteAt(i+1) == '{':
			s.push(group{kind: templateValue, fn: -1, start: i + 1})
			s.set(other, '{', i+1, i+2)
			return
		}
	}
	s.at = len(s.src)
}

// sign reads an operator or a mark.
func (s *scanner) sign(c byte) {
	g, i := s.top(), s.at
	n := byte(0)
	if i+1 < len(s.src) {
		n = s.src[i+1]
	}
	switch {
	case c == '@':
		s.lineBreak()
		s.set(operator, c, i, i+1)
	case c == ';':
		s.endStatement(g)
		s.set(other, ';', i, i+1)
	case c == ',':
		s.comma(g)
		s.set(other, ',', i, i+1)
	case c == '=' && n == '>':
		s.arrow(g)
	case c == '=' && n == '=' || c == '!' && n == '=', c == '<' && n == '=', c == '>' && n == '=':
		end := i + 2
		if s.byteAt(end) == '=' {
			end++
		}
		s.set(operator, '=', i, end)
	case c == '=':
		s.assign(g)
		s.set(operator, '=', i, i+1)
	case c == '.' && s.is(i, "..."):
		s.set(operator, '.', i, i+3)
	case c == '.':
		s.set(other, '.', i, i+1)
	case c == '?':
		s.question(g, n)
	case c == ':':
		s.colon(g)
	case c == '<' && s.angle(g):
	case c == '!' && s.afterValue() && !s.broken:
		s.at++ // TypeScript: what comes before is there
	case (c == '+' || c == '-') && n == c:
		if s.afterValue() && !s.broken {
			s.at += 2
		} else {
			s.set(operator, c, i, i+2)
		}
	case n == '=' && c != '>':
		s.set(operator, '=', i, i+2)
	default:
		s.set(operator, c, i, i+1)
	}
}

// question tells the operators with a question mark from the mark of what may
// be left out, "a?: string".
func (s *scanner) question(g *group, n byte) {
	i := s.at
	if n == '.' && (s.byteAt(i+2) < '0' || s.byteAt(i+2) > '9') {
		s.set(other, '.', i, i+2)
		return
	}
	if n == '?' {
		s.set(operator, '?', i, i+2)
		return
	}
	switch n {
	case ':', ',', ')', '=', ';', '(':
		if n != '(' || g.isKey() {
			s.at++
			return
		}
	}
	g.ternary++
	s.set(operator, '?', i, i+1)
}

// angle passes over type parameters: behind the name of a function or method, and
// in front of an arrow's parameters; or it begins an element.
func (s *scanner) angle(g *group) bool {
	n := s.byteAt(s.at + 1)
	named := s.prev.kind == word || s.prev.kind == operand
	if (s.fn.set || g.isKey()) && named || s.syntax == Typed && !s.afterValue() {
		return s.typeParameters()
	}
	if s.syntax == Typed || s.afterValue() || s.prev.kind == operator && s.prev.sign == '<' {
		return false
	}
	if n != '>' && (!isWordByte(n) || '0' <= n && n <= '9') {
		return false
	}
	i := s.at + 1
	for isWordByte(s.byteAt(i)) {
		i++
	}
	if s.byteAt(i) == ',' || s.is(i, " extends ") {
		return s.typeParameters()
	}
	s.push(group{kind: elementTag, fn: -1, start: s.at})
	s.at = i
	return true
}

// typeParameters passes over "<…>" when it is balanced.
func (s *scanner) typeParameters() bool {
	depth := 0
	for i := s.at; i < min(len(s.src), s.at+maxTypes) && depth <= maxTypesDepth; i++ {
		switch s.src[i] {
		case '<':
			depth++
		case '>':
			if s.src[i-1] == '=' {
				continue
			}
			if depth--; depth == 0 {
				s.at = i + 1
				return true
			}
		case ';', '`':
			return false
		}
	}
	return false
}
