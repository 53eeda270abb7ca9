package jsfunc

// word reads a name or a word of the language.
func (s *scanner) word() {
	i := s.at + 1
	for isWordByte(s.byteAt(i)) || s.byteAt(i) == '\\' {
		i++
	}
	w := span{s.at, i}
	g := s.top()
	if s.prev.sign == '.' && s.prev.kind == other {
		s.set(word, 0, w.from, w.to)
		return
	}
	text := string(s.src[w.from:w.to])
	switch text {
	case "in", "instanceof", "as", "satisfies", "of", "is", "extends", "implements": // go on with what the line before began
	default:
		s.lineBreak()
	}
	if g.isKey() && s.isName(w.to) {
		s.key(w)
		s.set(word, 0, w.from, w.to)
		return
	}
	s.set(s.meaning(g, w, text), 0, w.from, w.to)
}

// isName reports whether a word of the language that stands where a member's name
// may stand is one: "get()", "delete: …", "class = 1".
func (s *scanner) isName(at int) bool {
	for s.byteAt(at) == ' ' {
		at++
	}
	switch s.byteAt(at) {
	case '(', ':', '=', ',', ';', '?', '!', '<':
		return true
	}
	return false
}

// meaning notes what a word of the language says and returns what kind of token
// it is.
func (s *scanner) meaning(g *group, w span, text string) kind {
	switch text {
	case "function":
		s.cancel(g)
		s.fn = head{start: w.from, set: true}
		return keyword
	case "class":
		s.cancel(g)
		g.class, g.classHead = span{}, true
		return keyword
	case "const", "let", "var":
		s.endStatement(g)
		g.declares = true
		return keyword
	case "if", "for", "while", "do", "switch", "return", "throw", "try", "break", "continue", "else", "catch", "finally", "with":
		s.endStatement(g)
		return keyword
	case "case", "default":
		s.endStatement(g)
		g.inCase = g.kind == block || g.kind == body
		return keyword
	case "extends", "implements":
		g.classNamed = g.classHead
		return keyword
	case "new", "delete", "typeof", "void", "in", "instanceof", "yield", "await", "export", "import", "keyof", "infer":
		return keyword
	}
	s.name(g, w)
	return word
}

// name notes a name by what stands before it.
func (s *scanner) name(g *group, w span) {
	switch {
	case s.fn.set && s.fn.name == span{}:
		s.fn.name = w
	case g.classHead && !g.classNamed && g.class == span{}:
		g.class, g.classNamed = w, true
	case g.declares:
		g.decl, g.declares = w, false
	case g.isKey():
		s.key(w)
	}
}

// key notes the name of a member of a class or an object.
func (s *scanner) key(name span) {
	if g := s.top(); g.isKey() {
		g.decl = name
	}
}
