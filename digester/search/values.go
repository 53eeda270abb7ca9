package search

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// maxAgo bounds spans: no event is older.
const maxAgo = 100 * 365 * 24 * time.Hour

// cutOp takes a comparison off a value; there is none: Equal.
func cutOp(value string) (Op, string) {
	for _, op := range []Op{AtLeast, AtMost, More, Less} { // the longer signs first
		if rest, ok := strings.CutPrefix(value, op.String()); ok {
			return op, rest
		}
	}
	return Equal, strings.TrimPrefix(value, "=")
}

// String returns the sign, "" for Equal.
func (o Op) String() string { return [...]string{"", "<", "<=", ">", ">="}[o] }

// holds reports whether a compares with b so.
func (o Op) holds(a, b int) bool {
	switch c := cmp.Compare(a, b); o {
	case Less:
		return c < 0
	case AtMost:
		return c <= 0
	case More:
		return c > 0
	case AtLeast:
		return c >= 0
	default:
		return c == 0
	}
}

// flip is the comparison for the other direction: what is younger than a day was
// seen after a day ago.
func (o Op) flip() Op { return [...]Op{Equal, More, AtLeast, Less, AtMost}[o] }

// parseNumber reads a count; 10k and 2m are thousands and millions.
func parseNumber(digits string) (int64, bool) {
	factor := int64(1)
	switch {
	case strings.HasSuffix(digits, "k"):
		factor, digits = 1000, strings.TrimSuffix(digits, "k")
	case strings.HasSuffix(digits, "m"):
		factor, digits = 1_000_000, strings.TrimSuffix(digits, "m")
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return int64(n) * factor, err == nil
}

// parseWhen takes -24h (younger), +7d (older), comparisons with -24h (the moment a
// day ago) and with dates. A date that is compared is its first moment, UTC.
func parseWhen(of Moment) func(*parser) (Cond, error) {
	return func(p *parser) (Cond, error) {
		v, err := p.single()
		if err != nil {
			return nil, err
		}
		op, rest := cutOp(v.plain())
		if rest == "" {
			return nil, p.fail(v, "a time is missing after `%s`", v.plain())
		}
		if sign := rest[0]; sign == '-' || sign == '+' {
			ago, ok := parseSpan(rest[1:])
			switch {
			case !ok:
				return nil, p.fail(v, "`%s` is no span; write a number with m, h, d or w, as in %s24h", rest, rest[:1])
			case op == Equal && sign == '-':
				op = AtLeast
			case op == Equal:
				op = AtMost
			case sign == '+':
				return nil, p.fail(v, "`%s` lies in the future; a time ago is written as `%s-%s`", v.plain(), op, rest[1:])
			}
			return When{Of: of, Op: op, To: Instant{Ago: ago}}, nil
		}
		if _, ok := parseSpan(rest); ok {
			return nil, p.fail(v, "is it younger or older than %s? Write `%s:-%s` or `%s:+%s`", rest, p.word.key, rest, p.word.key, rest)
		}
		at, day, ok := parseTime(rest)
		if !ok {
			return nil, p.fail(v, "`%s` is no time; it can be %s", rest, timeAllowed)
		}
		return When{Of: of, Op: op, To: Instant{At: at, Day: day}}, nil
	}
}

// parseAge compares how long ago an issue was first seen. As with firstSeen, -24h is
// younger and +24h older.
func parseAge(p *parser) (Cond, error) {
	v, err := p.single()
	if err != nil {
		return nil, err
	}
	op, rest := cutOp(v.plain())
	if op == Equal && strings.HasPrefix(rest, "-") {
		op, rest = AtMost, rest[1:]
	} else if op == Equal && strings.HasPrefix(rest, "+") {
		op, rest = AtLeast, rest[1:]
	}
	ago, ok := parseSpan(rest)
	switch {
	case !ok:
		return nil, p.fail(v, "`%s` is no age; write it as in `age:<7d` or `age:>24h`", v.plain())
	case op == Equal:
		return nil, p.fail(v, "is it younger or older than %s? Write `age:<%s` or `age:>%s`", rest, rest, rest)
	}
	return When{Of: FirstSeen, Op: op.flip(), To: Instant{Ago: ago}}, nil
}

// units of spans, the largest first.
func units() []struct {
	letter string
	length time.Duration
} {
	return []struct {
		letter string
		length time.Duration
	}{
		{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute},
	}
}

// parseSpan reads 24h, 7d, 2w, 30m.
func parseSpan(text string) (time.Duration, bool) {
	for _, u := range units() {
		digits, ok := strings.CutSuffix(text, u.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n == 0 || n > uint64(maxAgo/u.length) {
			return 0, false
		}
		return time.Duration(n) * u.length, true
	}
	return 0, false
}

// formatSpan is the inverse of parseSpan.
func formatSpan(d time.Duration) string {
	for _, u := range units() {
		if d%u.length == 0 {
			return strconv.FormatInt(int64(d/u.length), 10) + u.letter
		}
	}
	return d.String()
}

const (
	dayLayout    = "2006-01-02"
	secondLayout = "2006-01-02T15:04:05"
)

// parseTime reads a day or a time of day, in UTC unless it says otherwise.
func parseTime(text string) (at time.Time, day, ok bool) {
	for _, layout := range []string{dayLayout, secondLayout, "2006-01-02T15:04", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			at = at.UTC().Truncate(time.Second)
			return at, layout == dayLayout, at.Year() >= 1970 && at.Year() < 10000
		}
	}
	return time.Time{}, false, false
}
