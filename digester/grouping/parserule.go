package grouping

import (
	"fmt"
	"strings"
)

// arrow stands between what a rule matches and what it makes of it.
const arrow = "->"

// parseRule reads one rule; why says what is wrong with it, empty: nothing is.
func parseRule(line string) (r rule, why string) {
	if len(line) > maxRuleSize {
		return r, fmt.Sprintf("the line is longer than %d characters", maxRuleSize)
	}
	r.text = line
	s := ruleScanner{rest: line}
	for s.blanks(" \t"); !strings.HasPrefix(s.rest, arrow); s.blanks(" \t") {
		if s.rest == "" {
			return r, `there is no "->" with a fingerprint behind it`
		}
		m, why := s.matcher()
		if why != "" {
			return r, why
		}
		r.matchers = append(r.matchers, m)
	}
	if len(r.matchers) == 0 {
		return r, `there is no matcher in front of "->", such as type:TimeoutError`
	}
	s.rest = s.rest[len(arrow):]
	for s.blanks(" \t,"); s.rest != ""; s.blanks(" \t,") {
		part, why := s.part()
		if why != "" {
			return r, why
		}
		r.fingerprint = append(r.fingerprint, part)
	}
	if len(r.fingerprint) == 0 {
		return r, `there is no fingerprint behind "->"`
	}
	return r, ""
}

// ruleScanner takes a line apart from the left.
type ruleScanner struct{ rest string }

func (s *ruleScanner) blanks(cutset string) { s.rest = strings.TrimLeft(s.rest, cutset) }

// matcher takes one matcher.
func (s *ruleScanner) matcher() (m matcher, why string) {
	s.rest, m.not = strings.CutPrefix(s.rest, "!")
	end := strings.IndexAny(s.rest, ": \t\"")
	if end < 0 || s.rest[end] != ':' {
		return m, fmt.Sprintf("%s is no matcher; want key:pattern, such as type:TimeoutError", clipped(s.rest))
	}
	name := s.rest[:end]
	if m.key = ruleKey(name); m.key == "" {
		return m, fmt.Sprintf("%s is not a key; keys are %s", clipped(name), strings.Join(ruleKeys(), ", "))
	}
	s.rest = s.rest[end+1:]
	if m.pattern, why = s.text(" \t", clipped(name)); why != "" {
		return m, why
	}
	m.pattern = lowered(m.pattern)
	if m.key == "app" && m.pattern != "yes" && m.pattern != "no" {
		return m, "app is either yes or no"
	}
	return m, ""
}

// part takes one part of a fingerprint.
func (s *ruleScanner) part() (part, why string) {
	if !strings.HasPrefix(s.rest, "{{") {
		part, why = s.text(" \t,", "the fingerprint")
		if why == "" && strings.Contains(part, "{{") {
			why = fmt.Sprintf("%s: a variable stands by itself, with a blank in front", clipped(part))
		}
		return part, why
	}
	end := strings.Index(s.rest, "}}")
	if end < 0 {
		return "", `a variable ends with "}}"`
	}
	name := strings.TrimSpace(s.rest[2:end])
	s.rest = s.rest[end+2:]
	key := ruleKey(name)
	if name == "default" {
		key = name
	}
	if key == "" || key == "app" {
		return "", fmt.Sprintf("%s is not a variable; variables are default, %s", clipped(name), strings.Join(ruleKeys()[1:], ", "))
	}
	return "{{ " + key + " }}", ""
}

// text takes a word that ends before one of some characters, or a quoted text.
func (s *ruleScanner) text(ends, of string) (text, why string) {
	if !strings.HasPrefix(s.rest, `"`) {
		end := strings.IndexAny(s.rest, ends)
		if end < 0 {
			end = len(s.rest)
		}
		text, s.rest = s.rest[:end], s.rest[end:]
		if text == "" {
			return "", fmt.Sprintf(`%s has no pattern; for an empty one write ""`, of)
		}
		return text, ""
	}
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			if s.rest != "" && !strings.ContainsRune(ends, rune(s.rest[0])) {
				return "", fmt.Sprintf("behind the quote that ends %s a blank is missing", clipped(b.String()))
			}
			return b.String(), ""
		case c == '\\' && i+1 < len(s.rest) && (s.rest[i+1] == '"' || s.rest[i+1] == '\\'):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Sprintf("the quote before %s does not end", clipped(b.String()))
}

// ruleKeys are the keys of matchers; all but the first are variables too.
func ruleKeys() []string {
	return []string{
		"app", "type", "value", "message", "logger", "level", "platform", "release", "environment", "transaction",
		"tags.NAME", "path", "function", "module", "package",
	}
}

// ruleKey returns the key that a name stands for, empty if for none.
func ruleKey(name string) string {
	if tag, ok := strings.CutPrefix(name, "tags."); ok && tag != "" {
		return name
	}
	switch name {
	case "error.type":
		return "type"
	case "error.value":
		return "value"
	case "stack.abs_path":
		return "path"
	case "stack.function", "stack.module", "stack.package":
		return strings.TrimPrefix(name, "stack.")
	}
	for _, key := range ruleKeys() {
		if key == name && key != "tags.NAME" {
			return key
		}
	}
	return ""
}

// variable returns the name of a part that is a variable.
func variable(part string) (name string, ok bool) {
	inner, ok := strings.CutPrefix(part, "{{ ")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, " }}")
}

// clipped quotes a piece of a line for an error.
func clipped(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return "“" + s + "”"
}
