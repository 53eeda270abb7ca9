package jsfunc

import "bytes"

// tag reads on in the tag of an element: "<Price broken={…} />".
func (s *scanner) tag() {
	g := s.top()
	switch c := s.src[s.at]; {
	case c == '>':
		g.kind = elementText
		s.at++
	case c == '/' && s.byteAt(s.at+1) == '>':
		s.at++
		s.endElement()
	case c == '/' && s.byteAt(s.at+1) == '*':
		s.comment()
	case c == '/' && s.byteAt(s.at+1) == '/':
		s.toLineEnd()
	case c == '"' || c == '\'':
		s.at++
		if i := bytes.IndexByte(s.src[s.at:], c); i >= 0 {
			s.at += i + 1
		} else {
			s.at = len(s.src)
		}
	case c == '{':
		s.push(group{kind: elementValue, fn: -1, start: s.at, name: g.decl})
		s.set(other, '{', s.at, s.at+1)
	case c == '<':
		if g.decl != (span{}) || !s.typeParameters() {
			s.push(group{kind: elementTag, fn: -1, start: s.at})
			s.at++
		}
	case isWordByte(c):
		from := s.at
		for isWordByte(s.byteAt(s.at)) || s.byteAt(s.at) == '-' || s.byteAt(s.at) == ':' {
			s.at++
		}
		if s.src[from-1] <= ' ' {
			g.decl = span{from, s.at}
		}
	default:
		s.at++
	}
}

// elementContent reads on between the tags of an element, where only braces and
// tags mean anything.
func (s *scanner) elementContent() {
	i := bytes.IndexAny(s.src[s.at:], "<{")
	if i < 0 {
		s.at = len(s.src)
		return
	}
	s.at += i
	switch {
	case s.src[s.at] == '{':
		s.push(group{kind: elementValue, fn: -1, start: s.at})
		s.set(other, '{', s.at, s.at+1)
	case s.byteAt(s.at+1) == '/':
		if i = bytes.IndexByte(s.src[s.at:], '>'); i < 0 {
			s.at = len(s.src)
			return
		}
		s.at += i
		s.endElement()
	default:
		s.push(group{kind: elementTag, fn: -1, start: s.at})
		s.at++
	}
}

// endElement closes an element at the bracket that ends its last tag.
func (s *scanner) endElement() {
	s.groups = s.groups[:len(s.groups)-1]
	s.set(operand, '>', s.at, s.at+1)
}
