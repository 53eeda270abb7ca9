package scrub

import "strings"

// name is the name of a member, header or field, as far as its spelling does not
// matter: "X-Api-Key", "xApiKey" and "X_API_KEY" are the same.
type name struct {
	words  []string // lower case, digits left out
	joined string   // likewise, with digits
}

// parseName takes a name apart at everything that is no letter, and where small
// letters end and capitals begin.
func parseName(text string) name {
	var n name
	joined := make([]byte, 0, len(text))
	begin := 0 // of the word, in joined
	var ends, begins [16]int
	words := 0
	end := func() {
		if len(joined) > begin && words < len(ends) {
			begins[words], ends[words] = begin, len(joined)
			words++
		}
		begin = len(joined)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case isUpper(c):
			if i > 0 && (!isUpper(text[i-1]) || i+1 < len(text) && isLower(text[i+1])) {
				end()
			}
			joined = append(joined, c+'a'-'A')
		case isLower(c):
			joined = append(joined, c)
		case c == '%' && i+2 < len(text): // an escaped bracket or blank
			end()
			i += 2
		case isDigit(c):
			end()
			joined = append(joined, c)
			begin = len(joined)
		default:
			end()
		}
	}
	end()
	n.joined = string(joined)
	n.words = make([]string, words)
	for i := range n.words {
		n.words[i] = n.joined[begins[i]:ends[i]]
	}
	return n
}

func parseNames(texts []string) []name {
	var names []name
	for _, text := range texts {
		if n := parseName(text); n.joined != "" {
			names = append(names, n)
		}
	}
	return names
}

// has reports whether the words of other are some of the name's, next to each other.
func (n name) has(other name) bool {
	if n.joined == other.joined {
		return true
	}
	if len(other.words) == 0 {
		return false
	}
	for i := 0; i+len(other.words) <= len(n.words); i++ {
		if equal(n.words[i:i+len(other.words)], other.words) {
			return true
		}
	}
	return false
}

func equal(a, b []string) bool {
	for i := range b {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// last returns the i-th word from the end, "" if there are not so many.
func (n name) last(i int) string {
	if i >= len(n.words) {
		return ""
	}
	return n.words[len(n.words)-1-i]
}

// class says what a name means for the value it stands before.
type class uint8

const (
	plain   class = iota
	secret        // nothing of the value stays
	soft          // texts do not stay; numbers do, and lists and objects are looked into
	cookie        // names of cookies stay, values do not
	address       // an IP address, or several
	odd           // plain, but the name itself has a secret in it
)

// classify says what a name means, by the project's own lists first.
func (s *Scrubber) classify(text string) class {
	n := parseName(text)
	if n.joined == "" {
		return plain
	}
	if s.address != StoreAddresses && isAddress(n) {
		return address
	}
	if s.off {
		return plain
	}
	for _, safe := range s.safe {
		if n.joined == safe.joined {
			return plain
		}
	}
	for _, extra := range s.extra {
		if n.has(extra) {
			return secret
		}
	}
	return usual(n)
}

// usual says what a name means to everybody.
func usual(n name) class {
	last := n.last(0)
	switch {
	case isMeasure(last):
		return plain // token_type, password_length, session_timeout
	case last == "cookie" || last == "cookies" || strings.HasSuffix(n.joined, "setcookie"):
		return cookie
	case isSecretPart(n.joined):
		return secret
	}
	switch last {
	case "token", "pwd", "pw", "auth", "jwt", "otp", "totp", "ssn", "cvv", "cvc", "csc", "iban", "bearer", "passcode", "pincode", "pswd":
		return secret
	case "tokens", "pass", "session", "sessions":
		return soft
	case "key", "code", "answer", "header":
		if marksSecret(n.last(1), last) {
			return secret
		}
	}
	switch n.joined {
	case "pin", "sig":
		return soft
	case "sid", "connectsid", "idtoken":
		return secret
	}
	for _, word := range n.words {
		if word == "token" {
			return soft
		}
	}
	return plain
}

// isMeasure reports whether a name that ends in a word is about a secret, not one.
func isMeasure(last string) bool {
	switch last {
	case "type", "count", "length", "len", "size", "expires", "expiry", "expiration", "timeout", "ttl", "age",
		"url", "uri", "endpoint", "enabled", "required", "valid", "policy", "strength", "limit", "limits", "usage",
		"used", "status", "at", "in", "name", "names", "domain", "path", "errors", "error", "version":
		return true
	}
	return false
}

// isSecretPart looks for what makes a name secret wherever it is in it.
func isSecretPart(joined string) bool {
	for _, part := range [...]string{
		"password", "passwd", "passphrase", "passwort", "apikey", "accesskey", "privatekey", "secretkey",
		"authorization", "credential", "creditcard", "cardnumber", "ccnumber", "stripetoken", "mysqlpwd",
		"csrf", "xsrf", "sessionid", "sessid", "accesstoken", "authtoken", "refreshtoken",
		"amzsignature", "connectionstring",
	} {
		if strings.Contains(joined, part) {
			return true
		}
	}
	return strings.Contains(joined, "secret") && !strings.Contains(joined, "secretar")
}

// marksSecret reports whether a word before "key", "code" and the like makes it a
// secret.
func marksSecret(before, last string) bool {
	switch before {
	case "auth", "session", "security", "recovery", "reset", "backup":
		return true
	case "encryption", "signing", "master", "service", "license", "deploy", "ssh", "account", "storage", "shared", "consumer", "host":
		return last == "key"
	case "verification", "mfa", "otp":
		return last == "code"
	}
	return false
}

// isAddress reports whether a name is one under which clients' addresses are sent.
func isAddress(n name) bool {
	switch strings.TrimPrefix(strings.TrimPrefix(n.joined, "http"), "x") {
	case "ipaddress", "remoteaddr", "remoteaddress", "remoteip", "clientip", "clientaddress", "ip", "forwardedfor",
		"forwarded", "realip", "cfconnectingip", "cfconnectingipv6", "trueclientip", "fastlyclientip", "flyclientip", "clusterclientip", "originalforwardedfor", "envoyexternaladdress":
		return true
	}
	return false
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
