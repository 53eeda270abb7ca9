// Package highlight tells the words of source code apart: keywords, texts,
// numbers and comments.
//
// It exists because an event brings a few lines from the middle of a file, any
// number of times, written by anybody. What is made for whole files is too slow
// for that and can be made slower by its input: chroma takes more than a
// millisecond for ten lines. This package is one pass over the bytes. Rules:
// it is pure; its time is linear in its input, whatever that is; the texts of
// what it returns are the input, byte for byte; where it is not sure it says
// Plain, because a wrong colour is worse than none. It makes no markup.
package highlight

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a part of a line is.
type Kind uint8

// The kinds.
const (
	Plain   Kind = iota
	Keyword      // a word of the language
	Text         // in quotation marks, and regular expressions
	Number       // a number, true, false or null
	Comment
)

// Token is a part of a line.
type Token struct {
	Kind Kind
	Text string
}

// Lines divides consecutive lines of a file into tokens. Lines are without their
// line breaks. The tokens of a line, put together, are the line.
func Lines(l *Language, lines []string) [][]Token {
	s := scanner{Language: l}
	s.begin(lines)
	all := make([][]Token, len(lines))
	for i, line := range lines {
		s.line, s.rest, s.unclosed = line, lines[i+1:], ""
		all[i] = s.tokens()
	}
	return all
}

// scanner reads line after line.
type scanner struct {
	*Language
	until    string // what ends that in which the line begins; empty: it begins in code
	within   Kind   // what that is
	line     string
	rest     []string // the lines below
	unclosed string   // marks that are known to have no counterpart in the line
}

// begin finds out whether the first line is inside of something: a comment whose
// beginning is not seen, or a text.
func (s *scanner) begin(lines []string) {
	if s.block[1] != "" {
		for _, line := range lines {
			opens, closes := strings.Index(line, s.block[0]), strings.Index(line, s.block[1])
			if closes >= 0 && (opens < 0 || closes < opens) {
				s.until, s.within = s.block[1], Comment
			}
			if opens >= 0 || closes >= 0 {
				break
			}
		}
	}
	for _, mark := range s.long {
		if len(mark) == 3 && endsFirst(lines, mark) {
			s.until, s.within = mark, Text
			return
		}
	}
}

// endsFirst reports whether a text of several lines that begins and ends with the
// same mark has its end, not its beginning, at the first mark: marks are not in
// pairs, and nothing stands behind the first.
func endsFirst(lines []string, mark string) bool {
	n, alone := 0, false
	for _, line := range lines {
		if n == 0 {
			_, behind, found := strings.Cut(line, mark)
			alone = found && strings.TrimSpace(behind) == ""
		}
		n += strings.Count(line, mark)
	}
	return n%2 == 1 && alone
}

// tokens divides the line.
func (s *scanner) tokens() []Token {
	var tokens []Token
	start, at, kind := 0, 0, Plain
	for at < len(s.line) {
		n, next := s.next(at)
		if next != kind && at > start {
			tokens = append(tokens, Token{kind, s.line[start:at]})
			start = at
		}
		kind = next
		at += n
	}
	if at > start {
		tokens = append(tokens, Token{kind, s.line[start:at]})
	}
	return tokens
}

// next returns how long the part at a place of the line is, and what.
func (s *scanner) next(at int) (int, Kind) {
	text := s.line[at:]
	if s.until != "" {
		return s.resume(text)
	}
	switch c := text[0]; {
	case c == ' ' || c == '\t':
		return 1, Plain
	case isWord(c) && !isDigit(c):
		return s.word(at)
	case isDigit(c):
		return number(text), Number
	}
	for _, mark := range s.comments {
		if strings.HasPrefix(text, mark) {
			return len(text), Comment
		}
	}
	if s.block[0] != "" && strings.HasPrefix(text, s.block[0]) {
		return s.open(text, s.block[0], s.block[1], Comment)
	}
	for _, mark := range s.long {
		if strings.HasPrefix(text, mark) && (s.closes(text, mark) || s.closesBelow(mark)) {
			return s.open(text, mark, mark, Text)
		}
	}
	return s.short(at)
}

// resume reads on in what began above.
func (s *scanner) resume(text string) (int, Kind) {
	end := strings.Index(text, s.until)
	if end < 0 {
		return len(text), s.within
	}
	n := end + len(s.until)
	s.until = ""
	return n, s.within
}

// open reads something that may go over several lines.
func (s *scanner) open(text, mark, until string, kind Kind) (int, Kind) {
	if end := strings.Index(text[len(mark):], until); end >= 0 {
		return len(mark) + end + len(until), kind
	}
	s.until, s.within = until, kind
	return len(text), kind
}

func (s *scanner) closes(text, mark string) bool {
	return strings.Contains(text[len(mark):], mark)
}

// closesBelow reports whether a text is closed on a line below. If not, its mark
// is one of which the lines do not tell what it is.
func (s *scanner) closesBelow(mark string) bool {
	if strings.Contains(s.unclosed, mark) {
		return false
	}
	for _, line := range s.rest {
		if strings.Contains(line, mark) {
			return true
		}
	}
	s.unclosed += mark
	return false
}

// short reads what ends on its line: a text, a character, a regular expression,
// or one character of anything else.
func (s *scanner) short(at int) (int, Kind) {
	text := s.line[at:]
	c := text[0]
	if strings.IndexByte(s.quotes, c) >= 0 {
		if n := s.quoted(text, c); n > 0 {
			return n, Text
		}
	}
	if c == '\'' && s.chars {
		if n := character(text); n > 0 {
			return n, Text
		}
	}
	if c == '/' && s.slashes && regexpMayBe(s.line[:at]) {
		if n := s.quoted(text, c); n > 2 {
			return n, Text
		}
	}
	_, n := utf8.DecodeRuneInString(text)
	return n, Plain
}

// character returns the length of one character with the quotation marks around
// it; 0: it is none, as with Rust's lifetimes.
func character(text string) int {
	const longest = 12 // '\u{10FFFF}'
	_, size := utf8.DecodeRuneInString(text[1:])
	end := 1 + size
	if size == 1 && text[1] == '\\' {
		end = 3 + max(0, strings.IndexByte(text[min(3, len(text)):min(longest, len(text))], '\''))
	}
	if end >= len(text) || text[end] != '\'' {
		return 0
	}
	return end + 1
}

// quoted returns the length of a text with the quotation marks around it; 0: it
// does not end on this line.
func (s *scanner) quoted(text string, quote byte) int {
	if strings.IndexByte(s.unclosed, quote) >= 0 {
		return 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	s.unclosed += string(quote)
	return 0
}

// regexpMayBe reports whether a slash after this begins a regular expression and
// does not divide.
func regexpMayBe(before string) bool {
	before = strings.TrimRight(before, " \t")
	return before == "" || strings.IndexByte("(,=:[!&|?{};~", before[len(before)-1]) >= 0 || strings.HasSuffix(before, "return")
}

// word reads a name or a keyword.
func (s *scanner) word(at int) (int, Kind) {
	end := at + 1
	for end < len(s.line) && isWord(s.line[end]) {
		end++
	}
	word := s.line[at:end]
	if s.anyCase {
		word = strings.ToLower(word)
	}
	member := at > 0 && s.line[at-1] == '.' && (at < 2 || s.line[at-2] != '.')
	switch {
	case member:
		return end - at, Plain
	case s.keywords[word]:
		return end - at, Keyword
	case s.constants[word]:
		return end - at, Number
	}
	return end - at, Plain
}

// number returns the length of a number with what belongs to it: 0xff, 1_000,
// 1.5e3, 10L.
func number(text string) int {
	n := 1
	for n < len(text) && (isWord(text[n]) && text[n] < utf8.RuneSelf || text[n] == '.' && n+1 < len(text) && isDigit(text[n+1])) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || c == '@' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
