package dashboard

import (
	"fmt"
	"time"

	"sundew/digester/store"
)

// graphSpan is what a bar graph shows: so many bars, each of so long.
type graphSpan struct {
	bars     int
	each     time.Duration
	name     string // in words
	eachName string // of a bar, likewise
	mark     int    // which bars have a mark below them: one of so many
	markAs   string // the layout of that
}

// graphOf returns the span that an address names; the default is a day.
func graphOf(name string) graphSpan {
	if name == "14d" {
		return graphSpan{14, 24 * time.Hour, "14 days", "a day", 7, "2 Jan"}
	}
	return graphSpan{24, time.Hour, "24 hours", "an hour", 6, "15:04"}
}

// start returns the start of the first bar of a graph made now; the last is under
// way.
func (s graphSpan) start(now time.Time) time.Time {
	return now.UTC().Truncate(s.each).Add(-time.Duration(s.bars-1) * s.each)
}

// text names a bar: its hour or its day.
func (s graphSpan) text(from time.Time) string {
	if s.each == time.Hour {
		return from.Format("15:04") + "–" + from.Add(time.Hour).Format("15:04") + " UTC"
	}
	return from.Format("Mon 2 Jan")
}

// chartStart returns the start of the first hour of a graph of a day.
func chartStart(now time.Time) time.Time { return graphOf("").start(now) }

// chart is a bar graph of events an hour or a day. Its unit is arbitrary: the style sheet
// stretches it.
type chart struct {
	Bars  []bar
	Width int
	Total int64
	Peak  int64
	Span  string   // how long it is, as in "24 hours"
	Each  string   // and a bar, as in "an hour"
	Marks []string // evenly below it from its start on; the end is now
	Label string   // all that the graph says, in words
}

// bar is one hour or day.
type bar struct {
	X, Y, Height int
	Count        int64
	Text         string // "14:00–15:00 UTC: 3 events"
}

const (
	chartHeight = 40
	barStep     = 10 // a bar's width and the gap behind it
	barGap      = 2
)

// newChart draws the hours of a day up to now; hours that are missing had no event.
func newChart(hours []store.HourCount, now time.Time) chart {
	return newChartOf(hours, now, graphOf(""))
}

// newChartOf draws a span up to now.
func newChartOf(hours []store.HourCount, now time.Time, span graphSpan) chart {
	start := span.start(now)
	c := chart{Bars: make([]bar, span.bars), Width: span.bars*barStep - barGap, Span: span.name, Each: span.eachName}
	for _, h := range hours {
		i := int(h.Hour.Sub(start) / span.each)
		if h.Hour.Before(start) || i >= span.bars {
			continue
		}
		c.Bars[i].Count += h.Count
		c.Total += h.Count
		c.Peak = max(c.Peak, c.Bars[i].Count)
	}
	peak := start
	for i := range c.Bars {
		b := &c.Bars[i]
		from := start.Add(time.Duration(i) * span.each)
		if b.Count == c.Peak {
			peak = from
		}
		b.X = i * barStep
		b.Height = barHeight(b.Count, c.Peak)
		b.Y = chartHeight - b.Height
		if i%span.mark == 0 {
			c.Marks = append(c.Marks, from.Format(span.markAs))
		}
		b.Text = fmt.Sprintf("%s: %s", span.text(from), formatCounted(b.Count, "event"))
	}
	c.Label = "No events in the last " + span.name
	if c.Total > 0 {
		c.Label = fmt.Sprintf("%s in the last %s, at most %s in %s",
			formatCounted(c.Total, "event"), span.name, formatCount(c.Peak), span.peakText(peak))
	}
	return c
}

// peakText says when the largest bar was.
func (s graphSpan) peakText(from time.Time) string {
	if s.each == time.Hour {
		return "an hour, from " + from.Format("15:04") + " UTC"
	}
	return "a day, on " + from.Format("2 Jan")
}

// barHeight keeps a lone event next to thousands visible, and marks an empty
// hour with a line.
func barHeight(count, peak int64) int {
	if count <= 0 {
		return 1
	}
	return max(4, int(float64(count)/float64(peak)*chartHeight))
}
