package search

import (
	"strings"
	"unicode/utf8"

	"sundew/schema/event"
)

// Parse reads a query. Its error is an *Error.
func Parse(text string) (Query, error) {
	if len(text) > MaxLength {
		return nil, NewError(text, 0, len(text), "the query has more than %d bytes", MaxLength)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r == 0 || r == utf8.RuneError }); i >= 0 {
		return nil, NewError(text, i, i+1, "there is a character that cannot be searched for")
	}
	var q Query
	for l := (lexer{text: text}); ; {
		w, more, err := l.next()
		if err != nil || !more {
			return q, err
		}
		p := parser{text: text, word: w}
		cond, err := p.cond()
		if err != nil {
			return nil, err
		}
		if cond == nil {
			continue
		}
		if len(q) == maxTerms {
			return nil, NewError(text, w.at, w.end, "the query has more than %d terms", maxTerms)
		}
		q = append(q, Term{Not: w.not, Cond: cond, At: w.at, End: w.end})
	}
}

// parser makes a condition of one word.
type parser struct {
	text string
	word lexeme
}

// fail is about a value.
func (p *parser) fail(v literal, format string, args ...any) error {
	return NewError(p.text, v.at, v.end, format, args...)
}

// failKey is about the whole word.
func (p *parser) failKey(format string, args ...any) error {
	return NewError(p.text, p.word.at, p.word.end, format, args...)
}

// cond returns nil for a word that means nothing.
func (p *parser) cond() (Cond, error) {
	w := p.word
	if w.key == "" {
		return p.freeText(w.values[0])
	}
	k, isKey := keyOf(w.key)
	if w.tagged {
		k, isKey = key{}, false
	}
	if v := w.values[0]; len(v.pieces) == 1 && v.pieces[0] == "" {
		return nil, p.empty(k, isKey)
	}
	switch {
	case isKey:
		return k.parse(p)
	case !w.tagged:
		if guess, ok := guessKey(w.key); ok {
			return nil, p.failKey("there is no `%s:`, did you mean `%s:`? A tag of that name is written as `tags[%s]:`", w.key, guess, w.key)
		}
	}
	return Tag{Key: w.key, Any: p.patterns()}, nil
}

func (p *parser) empty(k key, isKey bool) error {
	w := p.word
	switch {
	case isKey && k.allowed != "":
		return p.failKey("`%s:` needs a value: %s", w.key, k.allowed)
	case isKey && !k.tag:
		return p.failKey("`%s:` needs a value", w.key)
	case w.tagged:
		return p.failKey("`tags[%s]:` needs a value; `!has:%s` finds issues without one", w.key, w.key)
	}
	return p.failKey("`%s:` needs a value; `!has:%s` finds issues without one, and text with a colon is quoted", w.key, w.key)
}

// freeText makes a condition of a word without a key. A wildcard parts phrases, which
// are found wherever they stand.
func (p *parser) freeText(v literal) (Cond, error) {
	if !v.quoted {
		switch v.plain() {
		case "AND":
			return nil, nil
		case "OR":
			return nil, p.fail(v, "`OR` is not supported; several values of one key are a list, as in `level:[error, fatal]`. To search for the word, quote it")
		}
	}
	var text Text
	for _, piece := range v.pieces {
		if piece = Plain(piece); piece != "" {
			text.Phrases = append(text.Phrases, piece)
		}
	}
	if len(text.Phrases) == 0 {
		return nil, p.fail(v, "there is nothing to search for")
	}
	return text, nil
}

// patterns returns the word's values.
func (p *parser) patterns() []Pattern {
	all := make([]Pattern, len(p.word.values))
	for i, v := range p.word.values {
		all[i] = v.pieces
	}
	return all
}

// single returns the only value of a key that takes no list.
func (p *parser) single() (literal, error) {
	if p.word.list {
		return literal{}, p.failKey("`%s:` takes one value, not a list", p.word.key)
	}
	return p.word.values[0], nil
}

func parseIs(p *parser) (Cond, error) {
	var is Is
	for _, v := range p.word.values {
		property, ok := propertyOf(strings.ToLower(v.plain()))
		if !ok {
			return nil, p.fail(v, "`is:%s` is not known; it can be %s%s", v.plain(), isAllowed, suggestion(v.plain(), isNames()))
		}
		is.Any = append(is.Any, property)
	}
	return is, nil
}

func parseAssigned(p *parser) (Cond, error) {
	var to AssignedTo
	for _, v := range p.word.values {
		who := strings.ToLower(v.plain())
		team, isTeam := strings.CutPrefix(who, "#")
		switch {
		case who == "me":
			to.Any = append(to.Any, Assignee{Me: true})
		case who == "none":
			to.Any = append(to.Any, Assignee{Nobody: true})
		case isTeam && team != "":
			to.Any = append(to.Any, Assignee{Team: team})
		case strings.Contains(strings.Trim(who, "@"), "@"):
			to.Any = append(to.Any, Assignee{Email: who})
		default:
			return nil, p.fail(v, "`%s:%s` names nobody; it can be %s", p.word.key, v.plain(), assignedAllowed)
		}
	}
	return to, nil
}

// parseLevel takes names, and comparisons: levels are ordered.
func parseLevel(p *parser) (Cond, error) {
	var c Level
	for _, v := range p.word.values {
		op, name := cutOp(v.plain())
		level := event.ParseLevel(strings.ToLower(name))
		if level == event.LevelUnset || p.word.list && op != Equal {
			return nil, p.fail(v, "`%s:%s` is not known; it can be %s%s", p.word.key, v.plain(), levelAllowed, suggestion(name, levelNames()))
		}
		for l := event.LevelDebug; l <= event.LevelFatal; l++ {
			if op.holds(int(l), int(level)) {
				c.Any = append(c.Any, l)
			}
		}
	}
	if len(c.Any) == 0 {
		return nil, p.failKey("no level is `%s`", p.word.values[0].plain())
	}
	return c, nil
}

func parseHas(p *parser) (Cond, error) {
	v, err := p.single()
	if err != nil {
		return nil, err
	}
	name, exact := v.pieces.Exact()
	if !exact {
		return nil, p.fail(v, "`has:` takes the name of a tag, without wildcards")
	}
	if k, ok := keyOf(name); ok && !v.quoted {
		if !k.tag {
			return nil, p.fail(v, "`has:%s`: every issue has that; `has:` takes the name of a tag", name)
		}
		if k.by != "" {
			return User{k.by, []Pattern{{"", ""}}}, nil
		}
		name = k.name
	}
	return Has{Key: name}, nil
}

func parseCount(of Counted) func(*parser) (Cond, error) {
	return func(p *parser) (Cond, error) {
		v, err := p.single()
		if err != nil {
			return nil, err
		}
		op, digits := cutOp(v.plain())
		n, ok := parseNumber(digits)
		if !ok {
			return nil, p.fail(v, "`%s:%s` is not a number; write `%s:100`, `%s:>100` or `%s:<=100`", p.word.key, v.plain(), p.word.key, p.word.key, p.word.key)
		}
		return Count{Of: of, Op: op, N: n}, nil
	}
}
