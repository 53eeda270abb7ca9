package event

import (
	"net/url"
	"strings"
)

// pairs reads keys with texts, at most n of them, from an object, a list of
// two-element lists, or a list of {"key":…,"value":…}. Of a key that comes twice
// the last value counts; null is no value.
func (r *reader) pairs(n int) []Pair {
	var pairs []Pair
	add := func(p Pair, ok bool) {
		if ok && p.Key != "" && len(pairs) < n {
			pairs = append(pairs, p)
		}
	}
	if r.kind() == '{' {
		r.object(func(name []byte) {
			key := oneLine(cut(name, maxKey))
			value, ok := r.pairValue()
			add(Pair{key, value}, ok)
		})
		return pairs
	}
	r.list(func() { add(r.pair()) })
	return pairs
}

// pair reads one element of a list of pairs; ok is false if it has no value.
func (r *reader) pair() (p Pair, ok bool) {
	switch r.kind() {
	case '[':
		i := 0
		r.list(func() {
			switch i {
			case 0:
				p.Key = r.line(maxKey)
			case 1:
				p.Value, ok = r.pairValue()
			default:
				r.skip()
			}
			i++
		})
	case '{':
		r.object(func(name []byte) {
			switch string(name) {
			case "key", "name":
				p.Key = r.line(maxKey)
			case "value", "version":
				p.Value, ok = r.pairValue()
			default:
				r.skip()
			}
		})
	default:
		r.skip()
	}
	return p, ok
}

// pairValue reads a text, or a list of texts joined by commas, as PHP sends the
// values of headers; ok is false for null.
func (r *reader) pairValue() (value string, ok bool) {
	switch r.kind() {
	case 'n':
		r.skip()
		return "", false
	case '[':
		var parts []string
		r.list(func() {
			if part := r.text(maxURL); len(parts) < maxParams {
				parts = append(parts, part)
			}
		})
		return cut([]byte(strings.Join(parts, ", ")), maxURL), true
	}
	return r.text(maxURL), true
}

// query reads the parameters of a query: the string itself, or pairs.
func (r *reader) query() []Pair {
	if r.kind() != '"' {
		return r.pairs(maxPairs)
	}
	return split(strings.TrimPrefix(r.text(maxText), "?"), "&", url.QueryUnescape)
}

// cookies reads the value of a Cookie header, or pairs.
func (r *reader) cookies() []Pair {
	if r.kind() != '"' {
		return r.pairs(maxPairs)
	}
	return split(r.text(maxText), ";", url.PathUnescape)
}

// split takes apart "a=1&b=2" and the like. What cannot be unescaped stays as it
// is.
func split(s, separator string, unescape func(string) (string, error)) []Pair {
	var pairs []Pair
	for part := range strings.SplitSeq(s, separator) {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if key == "" || len(pairs) == maxPairs {
			continue
		}
		pairs = append(pairs, Pair{
			Key:   oneLine(cut([]byte(unescaped(key, unescape)), maxKey)),
			Value: cut([]byte(unescaped(value, unescape)), maxURL),
		})
	}
	return pairs
}

// unescaped returns what unescape makes of s, without what the escapes may have
// hidden: NUL and invalid UTF-8.
func unescaped(s string, unescape func(string) (string, error)) string {
	plain, err := unescape(s)
	if err != nil {
		return s
	}
	return strings.ToValidUTF8(strings.ReplaceAll(plain, "\x00", ""), "\ufffd")
}

// tags reads the client's own tags: keys without spaces, values of one line, no
// key twice.
func (r *reader) tags() []Pair {
	tags := r.pairs(maxTags)
	kept := tags[:0]
	for _, t := range tags {
		t.Key = strings.ReplaceAll(t.Key, " ", "-")
		t.Value = oneLine(cut([]byte(t.Value), maxName))
		if t.Value == "" {
			continue
		}
		if i := indexOf(kept, t.Key); i >= 0 {
			kept[i].Value = t.Value
		} else {
			kept = append(kept, t)
		}
	}
	return kept
}

// indexOf returns the place of the pair with that key, -1 if there is none.
func indexOf(pairs []Pair, key string) int {
	for i := range pairs {
		if pairs[i].Key == key {
			return i
		}
	}
	return -1
}
