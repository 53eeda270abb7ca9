package notify

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// oneLine makes one line of a text: whatever separates becomes a space, what cannot
// be seen or turns the direction of text goes.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens a text to at most n characters, the last of which then says so. What
// is two characters for services that count as JavaScript does (emoji) counts as two.
func cut(s string, n int) string {
	if length(s) <= n {
		return s
	}
	n-- // for the mark
	for i, r := range s {
		if n -= utf16.RuneLen(r); n < 0 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

func length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// cutEscaped shortens a text so that it has at most n characters when it is escaped.
func cutEscaped(s string, n int, escape func(string) string) string {
	for limit := n; limit > 0; limit -= max(1, limit/8) {
		if escaped := escape(cut(s, limit)); length(escaped) <= n {
			return escaped
		}
	}
	return ""
}

// number writes a number with thousands apart.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted is a number with what it counts.
func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return number(n) + " " + what
}
