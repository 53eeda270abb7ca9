package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sundew/digester/store"
	"sundew/digester/table"
)

// maxStretches bounds a series.
const maxStretches = 1000

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

// eventStats is GET …/events-stats/.
func (a *API) eventStats(rx *store.Rx, r *request) (RawJSON, error) {
	q := r.queries()
	axes := slices.DeleteFunc(q["yAxis"], func(name string) bool { return name == "" })
	if len(axes) == 0 {
		axes = []string{"count()"}
	}
	if len(q["field"]) > 0 || q.Get("topEvents") != "" {
		return nil, bad("Series of groups (topEvents) are not something Sundew has: narrow the query to one, or ask for the table.")
	}
	one, err := a.newAsked(rx, r, append([]string{table.Bucket}, axes...), nil)
	if err != nil {
		return nil, err
	}
	if len(one.Headers()) != len(axes)+1 || !one.Summed() {
		return nil, bad("yAxis takes aggregates, each once.")
	}
	step, err := stepOf(q.Get("interval"), one.length())
	if err != nil {
		return nil, err
	}
	one.from = bucketOf(one.from, step)
	reader := eventReader{rx: rx, api: a, person: r.person.ID, asked: one, step: step}
	rows, err := reader.all()
	if err != nil {
		return nil, err
	}
	all := seriesOf(one, one.Answer(rows, step), step)
	if len(all) == 1 {
		return json.Marshal(all[axes[0]])
	}
	return json.Marshal(all)
}

// stepOf is how long a stretch of time is.
func stepOf(text string, length time.Duration) (time.Duration, error) {
	if text == "" {
		for _, step := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 24 * time.Hour} {
			if length/step <= 120 {
				return step, nil
			}
		}
		return 7 * 24 * time.Hour, nil
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
