package dashboard

import (
	"strconv"
	"time"

	"sundew/digester/store"
	"sundew/digester/words"
	"sundew/schema/event"
)

// stamp is a point in time for a <time> element.
type stamp struct {
	ISO  string // for machines
	Full string // for people who want to know exactly
	Ago  string // for everybody else
}

func newStamp(t, now time.Time) stamp {
	t = t.UTC()
	return stamp{
		ISO:  t.Format("2006-01-02T15:04:05.000Z07:00"),
		Full: t.Format("2006-01-02 15:04:05 UTC"),
		Ago:  formatAgo(now.Sub(t)),
	}
}

// formatAgo says how long ago something was, in one unit, rounded down, or how far ahead
// it is, rounded to the nearest.
func formatAgo(d time.Duration) string {
	if d <= -time.Minute {
		return "in " + formatSpan(toNearest(-d))
	}
	if d < 5*time.Second {
		return "just now"
	}
	return formatSpan(d) + " ago"
}

// toNearest makes formatSpan, which rounds down, round to the nearest: what was just made
// for 90 days ends in 3 months, not in 2.
func toNearest(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case d >= 730*day:
		return d + 365*day/2
	case d >= 60*day:
		return d + 15*day
	case d >= 2*day:
		return d + day/2
	case d >= time.Hour:
		return d + time.Hour/2
	}
	return d + time.Minute/2
}

func formatSpan(d time.Duration) string { return words.Span(d) }

// formatClock returns the time of day, for rows of one event that are seconds
// apart.
func formatClock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// formatCount writes a number with commas: 12,345.
func formatCount(n int64) string { return words.Count(n) }

// formatCounted writes a number with its noun: "1 event", "12,345 events".
func formatCounted(n int64, noun string) string { return words.Counted(n, noun) }

// shortID returns the name by which people speak of an issue: SHOP-42.
func shortID(i store.Issue) string { return i.ShortID() }

// levelClass returns the CSS class that gives a level its colour.
func levelClass(l event.Level) string { return "level-" + l.String() }

// percent returns part of whole as "42%", and as "<1%" what would round to 0.
func percent(part, whole int64) string {
	if whole <= 0 || part <= 0 {
		return "0%"
	}
	p := (part*100 + whole/2) / whole
	if p == 0 {
		return "<1%"
	}
	return strconv.FormatInt(min(p, 100), 10) + "%"
}

// formatSize writes a number of bytes in the unit that suits it.
func formatSize(n int64) string {
	switch {
	case n < 1<<10:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', 1, 64) + " KB"
	case n < 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GB"
}
