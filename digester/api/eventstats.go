package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/store"
	"sundew/digester/table"
)

const (
	// maxStretches bounds a series.
	maxStretches = 1000

	// longestStep is the longest stretch of time that nobody asked for.
	longestStep = 7 * 24 * time.Hour
)

// EventSeries are numbers over time.
type EventSeries struct {
	Data  List[Stretch] `json:"data"`
	Start int64         `json:"start"` // Unix seconds
	End   int64         `json:"end"`
	Meta  TableMeta     `json:"meta"`
	Order int           `json:"order"` // among several series
}

// Stretch is when a stretch of time began, in Unix seconds, and what there was in it.
type Stretch struct {
	At    int64
	Count float64
}

// MarshalJSON implements json.Marshaler: [at, [{"count": n}]].
func (s Stretch) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `[%d,[{"count":%s}]]`, s.At, strconv.FormatFloat(s.Count, 'f', -1, 64)), nil
}

// series are the numbers over time that an address asks for, by their names, and the
// names in their order.
func (a *API) series(rx *store.Rx, r *request) (axes []string, one *asked, all map[string]EventSeries, step time.Duration, err error) {
	q := r.queries()
	axes = slices.DeleteFunc(q["yAxis"], func(name string) bool { return name == "" })
	if len(axes) == 0 {
		axes = []string{"count()"}
	}
	if len(q["field"])+len(q["groupBy"]) > 0 || q.Get("topEvents") != "" {
		return nil, nil, nil, 0, bad("Series of groups (topEvents) are not something Sundew has: narrow the query to one, or ask for the table.")
	}
	if one, err = a.newAsked(rx, r, append([]string{table.Bucket}, axes...), nil); err != nil {
		return nil, nil, nil, 0, err
	}
	for _, axis := range one.Headers()[1:] {
		if axis.Kind != table.Integer && axis.Kind != table.Rate || !strings.Contains(axis.Name, "(") {
			return nil, nil, nil, 0, bad("yAxis takes aggregates that are numbers: count(), count_unique(user), epm(), eps().")
		}
	}
	if step, err = stepOf(q.Get("interval"), one.length()); err != nil {
		return nil, nil, nil, 0, err
	}
	one.from = bucketOf(one.from, step)
	reader := a.newEventReader(rx, r, one)
	reader.step = step
	rows, err := reader.all()
	if err != nil {
		return nil, nil, nil, 0, err
	}
	return axes, one, seriesOf(one, one.Answer(rows, step), step), step, nil
}

// eventStats is GET …/events-stats/.
func (a *API) eventStats(rx *store.Rx, r *request) (RawJSON, error) {
	axes, _, all, _, err := a.series(rx, r)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		return json.Marshal(all[axes[0]])
	}
	return json.Marshal(all)
}

// TimeSeries are numbers over time in the newer shape.
type TimeSeries struct {
	TimeSeries List[Series] `json:"timeSeries"`
	Meta       SeriesMeta   `json:"meta"`
}

// SeriesMeta is what all series are of. Times are Unix milliseconds.
type SeriesMeta struct {
	Dataset string `json:"dataset"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
}

// Series is one of them.
type Series struct {
	YAxis  string        `json:"yAxis"`
	Values List[Reading] `json:"values"`
	Meta   ReadingMeta   `json:"meta"`
}

// Reading is the number of one stretch of time.
type Reading struct {
	Timestamp  int64   `json:"timestamp"`
	Value      float64 `json:"value"`
	Incomplete bool    `json:"incomplete"` // it is not over yet
}

// ReadingMeta says what the numbers are.
type ReadingMeta struct {
	Interval  int64   `json:"interval"` // ms
	ValueType string  `json:"valueType"`
	ValueUnit *string `json:"valueUnit"`
}

// eventTimeSeries is GET …/events-timeseries/.
func (a *API) eventTimeSeries(rx *store.Rx, r *request) (TimeSeries, error) {
	axes, one, all, step, err := a.series(rx, r)
	if err != nil {
		return TimeSeries{}, err
	}
	now := a.cfg.Now()
	view := TimeSeries{Meta: SeriesMeta{Dataset: "errors", Start: one.from.UnixMilli(), End: one.to.UnixMilli()}}
	for _, axis := range axes {
		s := all[axis]
		series := Series{YAxis: axis, Meta: ReadingMeta{step.Milliseconds(), s.Meta.Fields[axis], s.Meta.Units[axis]}}
		for _, stretch := range s.Data {
			series.Values = append(series.Values, Reading{stretch.At * 1000, stretch.Count, time.Unix(stretch.At, 0).Add(step).After(now)})
		}
		view.TimeSeries = append(view.TimeSeries, series)
	}
	return view, nil
}

// stepOf is how long a stretch of time is.
func stepOf(text string, length time.Duration) (time.Duration, error) {
	if text == "" {
		for _, step := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour} {
			if length/step <= 120 {
				return step, nil
			}
		}
		if length/longestStep > maxStretches {
			return 0, bad(fmt.Sprintf("This time has more than %d weeks: ask for less, or say an interval.", maxStretches))
		}
		return longestStep, nil
	}
	step, ok := parsePeriod(text)
	switch {
	case !ok || step < time.Minute:
		return 0, bad(fmt.Sprintf("interval %.40q: want a number and m, h, d or w, such as 1h.", text))
	case length/step > maxStretches:
		return 0, bad(fmt.Sprintf("interval %.40q makes more than %d stretches of this time: ask for longer ones, or less time.", text, maxStretches))
	}
	return step, nil
}

// bucketOf is when the stretch of time began that a moment is in, as the store counts
// them.
func bucketOf(at time.Time, step time.Duration) time.Time {
	ms := step.Milliseconds()
	return time.UnixMilli(at.UnixMilli() / ms * ms).UTC()
}

// seriesOf makes series, by their names, of a table whose first column is the stretch of
// time.
func seriesOf(one *asked, t table.Table, step time.Duration) map[string]EventSeries {
	at := make(map[int64][]table.Value, len(t.Rows))
	for _, row := range t.Rows {
		at[row[0].At.Unix()] = row
	}
	all := make(map[string]EventSeries)
	meta := eventTable(table.Table{Columns: t.Columns[1:]}).Meta
	for i, c := range t.Columns[1:] {
		s := EventSeries{Start: one.from.Unix(), End: one.to.Unix(), Meta: meta, Order: i}
		for from := one.from; from.Before(one.to); from = from.Add(step) {
			stretch := Stretch{At: from.Unix()}
			if row := at[stretch.At]; row != nil {
				stretch.Count = row[i+1].Number
			}
			s.Data = append(s.Data, stretch)
		}
		all[c.Name] = s
	}
	return all
}
