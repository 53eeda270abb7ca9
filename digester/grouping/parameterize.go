package grouping

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

// maxCompared bounds how much of a message is compared, in bytes of the result:
// in bytes of the message the end would be another one for a longer number. Long
// messages carry dumps of data at their end.
const maxCompared = 512

// maxQuoted bounds how far the end of a quoted text is looked for.
const maxQuoted = 128

// parameterized returns the beginning of a message, at most two lines, with what
// varies between two occurrences of the same problem replaced by its kind:
// "user <num> not found at <ip>".
//
// It is one pass by hand over the words of the text because it runs for every
// event: a regular expression with an alternative for each kind was measured to
// take twenty times as long, for a message of 140 bytes as long as everything
// else that prepares an event.
func parameterized(message string) string {
	s := beginning(message)
	var out strings.Builder
	done := 0 // up to here s is in out
	replace := func(from, to int, with string) {
		out.WriteString(s[done:from])
		out.WriteString(with)
		done = to
	}
	for i := 0; i < len(s) && out.Len()+i-done < maxCompared; {
		if c := s[i]; c == '"' || c == '\'' {
			if end := quoted(s, i); end > 0 {
				replace(i+1, end, "<str>")
				i = end
			}
			i++
			continue
		}
		if !inWord(s[i]) {
			i++
			continue
		}
		end := wordEnd(s, i)
		if strings.HasPrefix(s[end:], "//") && s[end-1] == ':' && end-i > 2 {
			to := urlEnd(s, end)
			replace(i, to, "<url>")
			i = to
			continue
		}
		word := s[i:end]
		if kind := kindOf(word); kind != "" {
			replace(i, end, kind)
			i = end
			continue
		}
		if trimmed := strings.TrimRight(word, ".:-,"); trimmed != word && trimmed != "" {
			if kind := kindOf(trimmed); kind != "" {
				replace(i, i+len(trimmed), kind)
				i = end
				continue
			}
		}
		for i < end { // no kind as a whole: look at what is between separators
			to := i + 1
			for to < end && isSeparator(s[i]) == isSeparator(s[to]) {
				to++
			}
			if kind := kindOfPiece(s[i:to]); kind != "" {
				replace(i, to, kind)
			}
			i = to
		}
	}
	if done > 0 {
		out.WriteString(s[done:])
		s = out.String()
	}
	return cut(s)
}

// cut returns s, or as many of its first maxCompared bytes as are whole
// characters.
func cut(s string) string {
	if len(s) <= maxCompared {
		return s
	}
	end := maxCompared
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// beginning returns the first two lines of s that are not empty, without space
// around them.
func beginning(s string) string {
	s = strings.TrimSpace(s)
	first := strings.IndexByte(s, '\n')
	if first < 0 {
		return s
	}
	rest := strings.TrimSpace(s[first:])
	if second := strings.IndexByte(rest, '\n'); second >= 0 {
		rest = rest[:second]
	}
	return strings.TrimSpace(s[:first]) + "\n" + strings.TrimSpace(rest)
}

// quoted returns where the text in quotes that begins at i ends, if it is one
// that varies: one with a digit in it. 0 means it is not. An apostrophe begins no
// quote.
func quoted(s string, i int) int {
	if i > 0 && isAlnum(s[i-1]) {
		return 0
	}
	digits := false
	for end := i + 1; end < min(len(s), i+maxQuoted) && s[end] != '\n'; end++ {
		if s[end] == s[i] && (end+1 == len(s) || !isAlnum(s[end+1])) {
			if digits {
				return end
			}
			return 0
		}
		digits = digits || isDigit(s[end])
	}
	return 0
}

// inWord reports whether c may be part of a word: of a number, an id, an address
// or a time. Bytes of other alphabets are letters.
func inWord(c byte) bool { return isAlnum(c) || isSeparator(c) }

func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) || c >= utf8.RuneSelf }

// isSeparator reports whether c separates the pieces of a word.
func isSeparator(c byte) bool {
	switch c {
	case '_', '@', '%', '+', '.', ':', '-', ',':
		return true
	}
	return false
}

func wordEnd(s string, i int) int {
	for i < len(s) && inWord(s[i]) {
		i++
	}
	return i
}

// urlEnd returns where an address ends: at space, a quote or a bracket.
func urlEnd(s string, i int) int {
	if n := strings.IndexAny(s[i:], " \t\n\"'<>()[]{}|\\`"); n >= 0 {
		return i + n
	}
	return len(s)
}

// kindOf returns what a whole word is, "" if it is a word.
func kindOf(word string) string {
	if last := word[len(word)-1]; isSeparator(last) && last != '%' && !strings.HasSuffix(word, "::") {
		return "" // the end of a sentence, not of the word
	}
	var digits, colons, dashes, at int
	for i := range len(word) {
		switch c := word[i]; {
		case isDigit(c):
			digits++
		case c == ':':
			colons++
		case c == '-':
			dashes++
		case c == '@':
			at++
		}
	}
	switch {
	case at == 1:
		if user, host, _ := strings.Cut(word, "@"); user != "" && strings.IndexByte(host, '.') > 0 && !strings.HasSuffix(host, ".") {
			return "<email>"
		}
		return ""
	case colons >= 2 && isIPv6(word):
		return "<ip>"
	case digits == 0:
		return ""
	case isUUID(word):
		return "<uuid>"
	case dashes >= 2 && isDate(word):
		return "<date>"
	case colons >= 1 && isTime(word):
		return "<time>"
	case isIPv4(word):
		return "<ip>"
	}
	return number(word)
}

// kindOfPiece returns what a piece of a word is: a number, or an id.
func kindOfPiece(piece string) string {
	if isSeparator(piece[0]) {
		return ""
	}
	return number(piece)
}

// number returns what a word or a piece of one is: a number with up to three
// letters of unit, a run of those like "1h30m2.5s", a hexadecimal number, or an
// id, which mixes letters and digits as no name does.
func number(s string) string {
	body := strings.TrimLeft(s, "+-")
	if hex, ok := strings.CutPrefix(body, "0x"); ok && hex != "" && onlyHex(hex) {
		return "<hex>"
	}
	if body == "" {
		return ""
	}
	var digits, letters int
	for i := range len(body) {
		switch c := body[i]; {
		case isDigit(c):
			digits++
		case isLower(c), isUpper(c):
			letters++
		}
	}
	switch {
	case digits == 0:
		return ""
	case len(body) >= 8 && letters > 0 && onlyHex(body):
		return "<hex>"
	case isDigit(body[0]) && measure(body):
		return "<num>"
	case digits+letters < len(body):
		return ""
	case len(body) >= 12 && digits >= 3 && letters > 0:
		return "<id>"
	}
	return ""
}

// measure reports whether s is digits with points, commas or colons of their own
// and at most three letters after each run: "12", "3.14", "1,000", "250ms",
// "1h30m", "1e9", "50%".
func measure(s string) bool {
	letters := 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			letters = 0
		case c == '.' || c == ',':
			if i+1 == len(s) || !isDigit(s[i+1]) {
				return false
			}
			letters = 0
		case c == '%':
			if i+1 < len(s) {
				return false
			}
		case isLower(c) || isUpper(c) || c >= utf8.RuneSelf:
			if letters++; letters > 3 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func onlyHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// matches reports whether s has the form of pattern, in which 'x' stands for a hex
// digit, '0' for a decimal one, and anything else for itself.
func matches(s, pattern string) bool {
	if len(s) != len(pattern) {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; pattern[i] {
		case 'x':
			if !isHex(c) {
				return false
			}
		case '0':
			if !isDigit(c) {
				return false
			}
		default:
			if c != pattern[i] {
				return false
			}
		}
	}
	return true
}

func isUUID(s string) bool { return matches(s, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") }

// isDate accepts "2026-11-20", with a time after it or without.
func isDate(s string) bool {
	if len(s) < 10 || !matches(s[:10], "0000-00-00") {
		return false
	}
	return len(s) == 10 || (s[10] == 'T' || s[10] == 't') && isTime(s[11:])
}

// isTime accepts "17:58", "17:58:28", with a fraction and a zone or without.
func isTime(s string) bool {
	if len(s) < 5 || !matches(s[:5], "00:00") {
		return false
	}
	for i := 5; i < len(s); i++ {
		if c := s[i]; !isDigit(c) && c != ':' && c != '.' && c != ',' && c != 'Z' && c != '+' && c != '-' {
			return false
		}
	}
	return true
}

// isIPv4 accepts four numbers up to 255 with a port after them or without.
func isIPv4(s string) bool {
	if len(s) < 7 || len(s) > len("255.255.255.255:65535") {
		return false
	}
	host, port, _ := strings.Cut(s, ":")
	if !allDigits(port) || strings.Count(host, ".") != 3 {
		return false
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func isIPv6(s string) bool {
	if len(s) < len("::1") || len(s) > len("0000:0000:0000:0000:0000:ffff:255.255.255.255") {
		return false
	}
	for i := range len(s) {
		if !isHex(s[i]) && s[i] != ':' && s[i] != '.' {
			return false
		}
	}
	_, err := netip.ParseAddr(s)
	return err == nil
}
