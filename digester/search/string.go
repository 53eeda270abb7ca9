package search

import (
	"strconv"
	"strings"
	"unicode"
)

// String returns the query as it could have been typed: Parse makes the same of it.
func (q Query) String() string {
	words := make([]string, len(q))
	for i, t := range q {
		words[i] = t.String()
	}
	return strings.Join(words, " ")
}

// String returns the term as it could have been typed.
func (t Term) String() string {
	if t.Not {
		return "!" + t.Cond.text()
	}
	return t.Cond.text()
}

func (c Text) text() string {
	phrases := make([]string, len(c.Phrases))
	for i, p := range c.Phrases {
		phrases[i] = escape(p)
	}
	phrase := strings.Join(phrases, "*")
	// Without quotation marks it might be a key, or AND.
	if len(c.Phrases) > 1 || quote(phrase, "") != phrase || strings.ContainsAny(phrase, ":![") || phrase == "AND" || phrase == "OR" {
		return `"` + phrase + `"`
	}
	return phrase
}

func (c Is) text() string { return "is:" + list(c.Any, Property.String) }

func (c AssignedTo) text() string {
	return "assigned:" + list(c.Any, func(a Assignee) string {
		switch {
		case a.Me:
			return "me"
		case a.Nobody:
			return "none"
		case a.Team != "":
			return quote("#"+a.Team, ",]")
		}
		return quote(a.Email, ",]")
	})
}

func (c Level) text() string { return "level:" + list(c.Any, levelText) }

// text writes the tag as tags[key] where the key alone means something else, or where
// its values are more than what was typed.
func (c Tag) text() string {
	k, isKey := keyOf(c.Key)
	_, isGuess := guessKey(c.Key)
	if isKey && k.plain && k.name == c.Key || !isKey && !isGuess && isWord(c.Key) {
		return c.Key + ":" + list(c.Any, Pattern.text)
	}
	return "tags[" + c.Key + "]:" + list(c.Any, Pattern.text)
}

func (c User) text() string {
	key := "user"
	if c.By != "" {
		key += "." + c.By
	}
	return key + ":" + list(c.Any, Pattern.text)
}

// isWord reports whether a key can be typed as it is.
func isWord(key string) bool {
	for i := range len(key) {
		if !isKeyByte(key[i], i == 0) {
			return false
		}
	}
	return key != ""
}

func (c Has) text() string { return `has:"` + escape(c.Key) + `"` }

func (c Release) text() string { return "release:" + list(c.Any, Pattern.text) }

func (c FirstRelease) text() string { return "firstRelease:" + list(c.Any, Pattern.text) }

func (c Match) text() string {
	return [...]string{"title", "culprit", "platform", "project", "issue"}[c.Column] + ":" + list(c.Any, Pattern.text)
}

func (c Count) text() string {
	return [...]string{"times_seen", "users"}[c.Of] + ":" + c.Op.String() + strconv.FormatInt(c.N, 10)
}

func (c When) text() string {
	key := [...]string{"firstSeen", "lastSeen"}[c.Of] + ":" + c.Op.String()
	switch {
	case c.To.Ago != 0:
		return key + "-" + formatSpan(c.To.Ago)
	case c.To.Day:
		return key + c.To.At.Format(dayLayout)
	}
	return key + c.To.At.Format(secondLayout)
}

// text returns the pattern as it is typed in a list.
func (p Pattern) text() string {
	pieces := make([]string, len(p))
	needs := false
	for i, piece := range p {
		pieces[i] = escape(piece)
		needs = needs || quote(piece, ",]") != piece
	}
	text := strings.Join(pieces, "*")
	if needs || text == "" || text[0] == '[' {
		return `"` + text + `"`
	}
	return text
}

// list writes one value as it is, several in brackets.
func list[T any](values []T, text func(T) string) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = text(v)
	}
	if len(words) == 1 {
		return words[0]
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// escape writes what means something inside of quotation marks.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(text)
}

// quote puts text into quotation marks if it would not be read as one word.
func quote(text, ends string) string {
	if text == "" || strings.ContainsFunc(text, unicode.IsSpace) || strings.ContainsAny(text, `"*\`+ends) {
		return `"` + escape(text) + `"`
	}
	return text
}
