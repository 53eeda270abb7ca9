package grouping

// globFold reports whether a pattern matches a whole text: * stands for any
// characters, ? for one. Letters A to Z of the text count as their lower-case ones,
// of which the pattern is made. It gives up after most steps, and says how many it
// took: the product of both lengths at worst.
func globFold(pattern, text string, most int) (fits bool, steps int) {
	p, t := 0, 0
	star, mark := -1, 0 // of the last *, and where its match ends so far
	for t < len(text) {
		if steps++; steps > most {
			return false, steps
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			t += runeSize(text[t:])
		case p < len(pattern) && pattern[p] == lower(text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false, steps
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern), steps
}

// runeSize returns how many bytes the first character of s has.
func runeSize(s string) int {
	for i := range s[1:] {
		if s[1+i]&0xc0 != 0x80 { // not in the middle of one
			return 1 + i
		}
	}
	return len(s)
}

func lower(c byte) byte {
	if isUpper(c) {
		return c + 'a' - 'A'
	}
	return c
}

// lowered returns s with A to Z made lower-case.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
