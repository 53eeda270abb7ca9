package jsfunc

// endStatement ends a statement, or a member of a class.
func (s *scanner) endStatement(g *group) {
	s.endArrows(g, s.prev.to, 0)
	s.cancel(g)
	g.name, g.decl, g.declares = span{}, span{}, false
	g.ternary, g.arrowFrom = 0, -1
	g.classHead, g.classNamed, g.inCase = false, false, false
	if g.kind == class {
		g.value = false
	}
	if g.kind == block || g.kind == body || g.kind == class {
		s.fn = head{}
	}
}

// comma ends a member of an object, an argument, a declaration.
func (s *scanner) comma(g *group) {
	if g.returns || g.classHead || g.kind == class {
		return
	}
	s.endArrows(g, s.at, 0)
	g.name, g.decl = span{}, span{}
	g.value, g.ternary, g.arrowFrom = false, 0, -1
}

// colon ends a member's name, begins a type, or divides two values.
func (s *scanner) colon(g *group) {
	i, kind := s.at, operator
	if g.kind == block || g.kind == body || g.returns {
		kind = other
	}
	switch {
	case g.returns:
	case g.ternary > 0:
		g.ternary--
		s.endArrows(g, i, g.ternary+1)
		kind = operator
	case g.isKey():
		g.value = true
		if g.kind == object {
			g.name = g.decl
		}
	case g.inCase:
	case g.kind == block || g.kind == body:
		g.inCase = g.decl == span{} && s.prev.kind == word
	case g.decl == span{} && s.prev.kind == word:
		g.decl = s.prev.span
	}
	s.set(kind, ':', i, i+1)
}

// assign notes what is assigned to.
func (s *scanner) assign(g *group) {
	if g.returns {
		s.cancel(g)
	}
	switch {
	case g.kind == class || g.decl != span{}:
		g.name = g.decl
		g.value = true
	case s.prev.kind == word:
		g.name = s.prev.span
	default:
		g.name = span{}
	}
}

// arrow reads "=>": a function begins, unless it stands in a type.
func (s *scanner) arrow(g *group) {
	i := s.at
	defer s.set(operator, '>', i, i+2)
	if g.returns || g.kind == types {
		return
	}
	start := s.prev.from
	switch {
	case s.prev.sign == ')' && s.prev.kind == other:
		start = g.lastParen
	case g.arrowFrom >= 0:
		start = g.arrowFrom
	}
	g.lastParen, g.arrowFrom = start, -1
	after := i + 2
	for after < len(s.src) && s.src[after] <= ' ' {
		after++
	}
	if s.byteAt(after) == '{' {
		g.block = true
		return
	}
	if len(g.arrows) == maxArrows {
		return
	}
	if fn := s.begin(g, head{start: start, set: true}); fn >= 0 {
		g.arrows = append(g.arrows, openArrow{fn, g.ternary})
	}
}

// endArrows ends the functions without braces of a group that began within at
// least so many question marks.
func (s *scanner) endArrows(g *group, at, ternary int) {
	for n := len(g.arrows) - 1; n >= 0 && g.arrows[n].ternary >= ternary; n-- {
		s.found[g.arrows[n].fn].end = int32(at)
		g.arrows = g.arrows[:n]
	}
}
