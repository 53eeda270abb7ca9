package scrub

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// Lengths of card numbers, in digits.
const (
	minCard = 13
	maxCard = 19
)

// cards looks for card numbers that begin in text[from:to], a word with digits in it, and
// returns where to go on.
func (sc *scan) cards(from, to int) int {
	text := sc.text
	for i := from; i < to; i++ {
		if !isDigit(text[i]) || i > 0 && isAlnum(text[i-1]) {
			continue
		}
		if n := cardLength(text, i); n > 0 {
			return sc.cut(i, i+n, whyCard)
		}
	}
	return to
}

// cardLength returns the length of the card number that text has at i: 13 to 19 digits
// with the beginning and the length of an issuer and the right check digit, in one piece
// or in groups with the same blank or dash between. 0 if it has none.
func cardLength(text []byte, i int) int {
	if c := text[i]; c < '2' || c > '6' || i > 1 && text[i-1] == '.' && isDigit(text[i-2]) {
		return 0
	}
	var digits [maxCard + 1]byte
	n, end, group, separator := 0, i, 0, byte(0)
	for j := i; j < len(text) && n <= maxCard; j++ {
		switch c := text[j]; {
		case isDigit(c):
			digits[n] = c - '0'
			n, group, end = n+1, group+1, j+1
			continue
		case (c == ' ' || c == '-') && group >= 4 && (separator == 0 && n == 4 || separator == c):
			separator, group = c, 0
			continue
		}
		break
	}
	if n < minCard || n > maxCard || end < len(text) && (isAlnum(text[end]) || text[end] == '.' && end+1 < len(text) && isDigit(text[end+1])) {
		return 0
	}
	if !issued(digits[:n]) || !checks(digits[:n]) {
		return 0
	}
	return end - i
}

// issued reports whether cards with these digits' beginning have as many.
func issued(d []byte) bool {
	n := len(d)
	two, four := int(d[0])*10+int(d[1]), int(d[0])*1000+int(d[1])*100+int(d[2])*10+int(d[3])
	switch {
	case d[0] == 4:
		return n == 13 || n == 16 || n == 19
	case 51 <= two && two <= 55, 2221 <= four && four <= 2720:
		return n == 16
	case two == 34, two == 37:
		return n == 15
	case two == 36, two == 38, two == 30:
		return n == 14 || n == 16
	case two == 35, two == 60, two == 62, two == 64, two == 65:
		return n >= 16
	case two == 50, 56 <= two && two <= 69:
		return true
	}
	return false
}

// checks reports whether the last digit is the one that ISO/IEC 7812 demands.
func checks(d []byte) bool {
	sum := 0
	for i := range d {
		x := int(d[len(d)-1-i])
		if i%2 == 1 {
			if x *= 2; x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return sum%10 == 0
}

// word looks for a credential of a known form in text[from:to], a long word, and returns
// where to go on.
func (sc *scan) word(from, to int) int {
	text := sc.text
	for i := from; to-i >= longWord; i++ {
		if i > from && isAlnum(text[i-1]) {
			continue
		}
		n, why := credential(text[i:to])
		if n == 0 {
			continue
		}
		return sc.cut(i, i+n, why)
	}
	return to
}

// credential returns the length of the credential that a word begins with, 0 if it is
// none.
func credential(word []byte) (n int, why string) {
	switch word[0] {
	case 'e':
		if bytes.HasPrefix(word, []byte("eyJ")) && len(word) >= 30 && bytes.IndexByte(word, '.') > 0 {
			return len(word), whyJWT
		}
	case 'A':
		if n := awsKey(word); n > 0 {
			return n, whyToken
		}
	}
	if word[0] > 'z' {
		return 0, ""
	}
	for _, prefix := range prefixes[word[0]] {
		if len(word) >= len(prefix)+12 && string(word[:len(prefix)]) == prefix {
			return len(bytes.TrimRight(word, ".")), whyToken
		}
	}
	return 0, ""
}

// prefixes are what credentials begin with, by their first letter. It does not change.
var prefixes = ['z' + 1][]string{
	'A': {"AIza", "AGE-SECRET-KEY-"},
	'd': {"dop_v1_", "dckr_pat_"},
	'g': {"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glptt-"},
	'h': {"hvs.", "hf_"},
	'l': {"lin_api_"},
	'n': {"npm_"},
	'N': {"NRAK-"},
	'p': {"pypi-AgE", "pscale_pw_"},
	'r': {"rk_live_", "rk_test_", "rubygems_"},
	's': {"sk_live_", "sk_test_", "sk-", "shpat_", "shpss_", "shpca_", "sntrys_", "sntryu_"},
	'S': {"SG."},
	'w': {"whsec_"},
	'x': {"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-"},
	'y': {"ya29."},
}

// awsKey returns the length of the AWS access key that a word begins with: four letters
// that say of what kind, and 16 more.
func awsKey(word []byte) int {
	const size = 20
	if len(word) < size || len(word) > size && isAlnum(word[size]) {
		return 0
	}
	switch string(word[:4]) {
	case "AKIA", "ASIA", "ABIA", "ACCA":
	default:
		return 0
	}
	for _, c := range word[4:size] {
		if !isUpper(c) && !isDigit(c) {
			return 0
		}
	}
	return size
}

// blank looks at what stands around a blank: the value of Bearer or Basic, a private key.
func (sc *scan) blank(i int) int {
	if i < 5 || i+1 == len(sc.text) {
		return i + 1
	}
	switch sc.text[i-1] {
	case 'r', 'R', 'c', 'C':
		if value, ok := sc.scheme(i); ok {
			return sc.cut(i+1, value, whyScheme)
		}
	case 'N':
		if sc.has(i-10, "-----BEGIN") {
			return sc.privateKey(i - 10)
		}
	}
	return i + 1
}

// scheme returns the end of the credentials behind the blank at i, false if there are
// none.
func (sc *scan) scheme(i int) (end int, ok bool) {
	const least = 8
	word := strings.ToLower(string(sc.text[max(i-6, 0):i]))
	end = i + 1
	for end < len(sc.text) && isCredential(sc.text[end]) {
		end++
	}
	value := sc.text[i+1 : end]
	if len(value) < least {
		return 0, false
	}
	switch {
	case word == "bearer":
		return end, !isProse(value)
	case strings.HasSuffix(word, "basic"):
		plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(string(value), "="))
		return end, err == nil && bytes.IndexByte(plain, ':') >= 0
	}
	return 0, false
}

// isProse reports whether a word is written in small letters, at most with a capital in
// front, as in "bearer authentication".
func isProse(word []byte) bool {
	for _, c := range word[1:] {
		if !isLower(c) {
			return false
		}
	}
	return true
}

// privateKey cuts the private key whose armour begins at i.
func (sc *scan) privateKey(i int) int {
	const farArmour = 80
	rest := sc.text[i:]
	head := rest[:min(len(rest), farArmour)]
	if !bytes.Contains(head, []byte("PRIVATE KEY-----")) {
		return i + len("-----BEGIN ")
	}
	const tail = "PRIVATE KEY-----"
	if end := bytes.Index(rest, []byte("-----END ")); end > 0 {
		if last := bytes.Index(rest[end:], []byte(tail)); last > 0 && last < farArmour {
			return sc.cut(i, i+end+last+len(tail), whyKey)
		}
	}
	return sc.cut(i, len(sc.text), whyKey)
}

// userinfo cuts the password of the URL whose authority begins at i.
func (sc *scan) userinfo(i int) int {
	const long = 16
	end, at := i, -1
	for ; end < len(sc.text); end++ {
		c := sc.text[end]
		if c == '@' {
			at = end
		}
		if c <= ' ' || c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\' {
			break
		}
	}
	if at < 0 {
		return i
	}
	user := sc.text[i:at]
	if colon := bytes.IndexByte(user, ':'); colon >= 0 {
		return sc.cut(i+colon+1, at, whyURL)
	}
	if len(user) >= long && !isHexKey(user) {
		return sc.cut(i, at, whyURL)
	}
	return i
}

// isHexKey reports whether a text is one of the public keys that DSNs have.
func isHexKey(text []byte) bool {
	for _, c := range text {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == 32
}

// isCredential reports whether tokens have a byte in them.
func isCredential(c byte) bool {
	return isAlnum(c) || c == '-' || c == '_' || c == '.' || c == '~' || c == '+' || c == '/' || c == '='
}

func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
