package event

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// timestamp reads a time in any of the forms clients send: RFC 3339 with or
// without fraction and zone (none means UTC), a space for its T, seconds since
// 1970 as a number or a string of one, or milliseconds. What is none of these is
// the zero time.
func (r *reader) timestamp() time.Time {
	k := r.kind()
	s := r.text(maxShort)
	if k != '0' && k != '"' {
		return time.Time{}
	}
	return parseTime(strings.TrimSpace(s))
}

// layouts are tried in turn; a fraction after the seconds needs no mention.
var layouts = [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05 MST"}

func parseTime(s string) time.Time {
	if len(s) < 10 || s[4] != '-' {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return time.Time{}
		}
		return fromUnix(f)
	}
	if len(s) > 10 && (s[10] == ' ' || s[10] == 't') {
		s = s[:10] + "T" + s[11:]
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			return t.UTC()
		}
	}
	return time.Time{}
}

// fromUnix takes seconds, or milli-, micro- or nanoseconds when that many
// seconds would be far in the future.
func fromUnix(f float64) time.Time {
	for f > 1e11 && f < 1e20 {
		f /= 1000
	}
	if !(f > 0 && f < 1e11) {
		return time.Time{}
	}
	whole, fraction := math.Modf(f)
	// A float holds the time of these years to a quarter of a microsecond.
	t := time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC()
	if !plausible(t) {
		return time.Time{}
	}
	return t
}

// plausible keeps out years that a time cannot be written with.
func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() <= 9999 }
