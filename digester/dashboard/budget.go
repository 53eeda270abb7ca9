package dashboard

import (
	"strings"
	"unicode/utf8"

	"sundew/schema/event"
)

const (
	// pageBudget bounds what one event adds to a page, in bytes of HTML, about.
	pageBudget = 2 << 20
	// rowCost is what an item costs in markup, whatever it says.
	rowCost = 200
)

// budget is what is left of a page. An event may have a megabyte, all of it
// quotation marks, which escaping makes five: so it is the escaped length that
// is paid, and each item pays for its markup. When nothing is left, texts come
// out empty and lists end.
type budget struct {
	left    int
	cut     bool // something was left out
	painter painter
	maps    *mapsView // of the event that is shown; nil: it has no frames of scripts
}

func newBudget() *budget { return &budget{left: pageBudget} }

// row pays for an item of a list and reports whether there was enough left.
func (b *budget) row() bool {
	if b.left < rowCost {
		b.cut = true
		return false
	}
	b.left -= rowCost
	return true
}

// ellipsis ends a text that was cut.
const ellipsis = "…"

// text returns the beginning of s, at most limit bytes and no more than is left.
func (b *budget) text(s string, limit int) string {
	end, cost := 0, 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		next := escapedLen(r, size)
		if end+size > limit || cost+next > b.left {
			b.cut = true
			b.left = max(0, b.left-cost)
			return s[:end] + ellipsis
		}
		end += size
		cost += next
	}
	b.left -= cost
	return s
}

// escapedLen is the length of a character in HTML text.
func escapedLen(r rune, size int) int {
	switch r {
	case '"', '\'', '&', '+':
		return 5
	case '<', '>':
		return 4
	case 0, utf8.RuneError:
		return 3
	}
	return size
}

// value returns a JSON value for people: a string's text, anything else laid
// out.
func (b *budget) value(v event.RawJSON, limit int) string {
	if len(v) > 0 && v[0] == '"' {
		return b.text(v.Text(), limit)
	}
	laid, cut := layOut(v, limit)
	if cut {
		b.cut = true
		laid = append(laid, ellipsis...)
		limit += len(ellipsis)
	}
	return b.text(string(laid), limit)
}

// field is a name with a text, in a block of its own where a line will not do.
func (b *budget) field(key, text string) fieldView {
	return fieldView{Key: b.text(key, maxLine), Text: text, Long: len(text) > 120 || strings.Contains(strings.TrimSpace(text), "\n")}
}

// fields shows values of any kind.
func (b *budget) fields(fields []event.Field, limit int) fieldList {
	var views fieldList
	for _, f := range fields {
		if !b.row() {
			break
		}
		views = append(views, b.field(f.Key, b.value(f.Value, limit)))
	}
	return views
}

// pairs shows texts.
func (b *budget) pairs(pairs []event.Pair, limit int) fieldList {
	var views fieldList
	for _, p := range pairs {
		if !b.row() {
			break
		}
		views = append(views, b.field(p.Key, b.text(p.Value, limit)))
	}
	return views
}

// known shows those pairs that have a text.
func (b *budget) known(pairs []event.Pair) fieldList {
	var set []event.Pair
	for _, p := range pairs {
		if p.Value != "" {
			set = append(set, p)
		}
	}
	return b.pairs(set, maxValue)
}
