package dashboard

import (
	"fmt"
	"time"

	"sundew/digester/store"
)

// chartHours is how many hours a bar graph shows, the current one included.
const chartHours = 24

// chartStart returns the start of the first hour of a graph made now.
func chartStart(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
}

// chart is a bar graph of events an hour. Its unit is arbitrary: the style sheet
// stretches it.
type chart struct {
	Bars  []bar
	Total int64
	Peak  int64
	Label string // all that the graph says, in words
}

// bar is one hour.
type bar struct {
	X, Y, Height int
	Count        int64
	Hour         string // "14:00"
	Text         string // "14:00–15:00 UTC: 3 events"
}

const (
	chartHeight = 40
	barStep     = 10 // a bar's width and the gap behind it
)

// newChart draws the hours up to now; hours that are missing had no event.
func newChart(hours []store.HourCount, now time.Time) chart {
	start := chartStart(now)
	c := chart{Bars: make([]bar, chartHours)}
	for _, h := range hours {
		i := int(h.Hour.Sub(start) / time.Hour)
		if h.Hour.Before(start) || i >= chartHours {
			continue
		}
		c.Bars[i].Count += h.Count
		c.Total += h.Count
		c.Peak = max(c.Peak, c.Bars[i].Count)
	}
	peakHour := start
	for i := range c.Bars {
		b := &c.Bars[i]
		hour := start.Add(time.Duration(i) * time.Hour)
		if b.Count == c.Peak {
			peakHour = hour
		}
		b.X = i * barStep
		b.Height = barHeight(b.Count, c.Peak)
		b.Y = chartHeight - b.Height
		b.Hour = hour.Format("15:04")
		b.Text = fmt.Sprintf("%s–%s UTC: %s", b.Hour, hour.Add(time.Hour).Format("15:04"), formatCounted(b.Count, "event"))
	}
	c.Label = "No events in the last 24 hours"
	if c.Total > 0 {
		c.Label = fmt.Sprintf("%s in the last 24 hours, at most %s in an hour, from %s UTC",
			formatCounted(c.Total, "event"), formatCount(c.Peak), peakHour.Format("15:04"))
	}
	return c
}

// barHeight keeps a lone event next to thousands visible, and marks an empty
// hour with a line.
func barHeight(count, peak int64) int {
	if count <= 0 {
		return 1
	}
	return max(4, int(float64(count)/float64(peak)*chartHeight))
}
