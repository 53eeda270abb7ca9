package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/digester/table"
	"sundew/schema/event"
)

// eventQueryRoutes are about events as a table, and as numbers over time.
func (a *API) eventQueryRoutes() {
	const tag = "Events"
	read(a, "/organizations/{org}/events/", readEvents, anyone, Doc{Tag: tag, Summary: "Query events as a table", Paged: true,
		Text: "Columns are of each event; with aggregates among them the events are summed up for every combination of the others. " +
			"Aggregates are count(), count_unique(column), last_seen(), first_seen(), min(timestamp), max(timestamp), epm() and eps(). " +
			"Words of the query are looked for in titles; is:, assigned: and the like are about the issues that events are of. " +
			"Without aggregates and another order the newest come first, as they came in; a page may have fewer than asked for and yet not be the last: the Link header says. " +
			"Only events that are stored are looked at, not those that were removed, or only counted in a spike. " +
			"A question about more events than one answer may cost is refused with what to narrow; nothing is summed up in part.",
		Query: append([]Param{
			{Name: "field", Text: "a column (title, issue, project, timestamp, release, user, error.type, the name of a tag, tags[name]) or an aggregate", Many: true},
			{Name: "query", Text: "which events, in the language of the search for issues: level:error browser:Safari timestamp:-24h"},
			{Name: "sort", Text: "a column that is asked for; with - in front the largest first", Many: true},
			{Name: "dataset", Text: "errors or discover; there are no others"},
			{Name: "project", Text: "number or slug of a project; -1: all", Many: true},
			{Name: "per_page", Text: "rows of a page, at most 100"},
		}, askedSpan()...)}, a.queryEvents)
	over := Doc{Tag: tag, Summary: "Numbers of events over time",
		Text: "In stretches of time of one length. With several aggregates there is a series of each, by its name.",
		Query: append([]Param{
			{Name: "yAxis", Text: "an aggregate, as of the table; count() if it is not there", Many: true},
			{Name: "query", Text: "which events, as of the table"},
			{Name: "interval", Text: "how long a stretch is, such as 15m, 1h or 1d; if it is not there, one that makes about a hundred"},
			{Name: "dataset", Text: "errors or discover; there are no others"},
			{Name: "project", Text: "number or slug of a project; -1: all", Many: true},
		}, askedSpan()...)}
	read(a, "/organizations/{org}/events-stats/", readEvents, anyone, over, a.eventStats)
	over.Text = "As events-stats, in the newer shape: times are Unix milliseconds."
	read(a, "/organizations/{org}/events-timeseries/", readEvents, anyone, over, a.eventTimeSeries)
	read(a, "/organizations/{org}/events/validate/", readEvents, anyone, Doc{Tag: tag, Summary: "Whether a question about events is understood", Text: "With the parameters of the table; nothing is read.",
		Query: []Param{{Name: "field", Text: "as of the table", Many: true}, {Name: "query", Text: "as of the table"}, {Name: "orderby", Text: "as sort of the table", Many: true}}}, a.validateQuery)
}

// askedSpan are the parameters of the time that a question is about.
func askedSpan() []Param {
	all := spanParams()
	all[0].Text += "; 90d if nothing is said"
	return all
}

// usualPeriod is what a question without a time is about.
const usualPeriod = 90 * 24 * time.Hour

// EventTable is events as a table.
type EventTable struct {
	Data List[Object] `json:"data"`
	Meta TableMeta    `json:"meta"`
}

// TableMeta says what the columns of a table are.
type TableMeta struct {
	Fields        map[string]string  `json:"fields"` // string, integer, date, array, boolean or rate
	Units         map[string]*string `json:"units"`
	IsMetricsData bool               `json:"isMetricsData"`
	Dataset       string             `json:"dataset"`
}

// asked is a question about events with which ones it is about.
type asked struct {
	*table.Question
	projects []event.ProjectID
	text     string // of the query
	span
}

// newAsked reads what an address asks of events. Its errors are a *Problem.
func (a *API) newAsked(rx *store.Rx, r *request, fields, sorted []string) (*asked, error) {
	q := r.queries()
	switch dataset := q.Get("dataset"); dataset {
	case "", "errors", "discover", "events":
	default:
		return nil, bad(fmt.Sprintf("Sundew keeps errors only: there are no %.40s, and dataset=errors is all that can be queried.", dataset))
	}
	projects, err := chosenProjects(rx, r)
	if err != nil {
		return nil, err
	}
	now := a.cfg.Now()
	one := &asked{projects: projects, text: strings.TrimSpace(q.Get("query"))}
	query, err := search.Parse(one.text)
	if err != nil {
		return nil, searchProblem(err)
	}
	if one.Question, err = table.New(fields, query, sorted, now); err != nil {
		return nil, questionProblem(err)
	}
	if one.span, err = newSpan(r, now); err != nil {
		return nil, err
	}
	if one.to.IsZero() {
		one.to = now.Add(time.Minute) // clocks of clients may be a little ahead
	}
	if one.from.IsZero() {
		one.from = one.to.Add(-usualPeriod)
	}
	if !one.from.Before(one.to) {
		return nil, bad("start has to be before end.")
	}
	return one, nil
}

// questionProblem tells what is wrong with a question.
func questionProblem(err error) error {
	if wrong, ok := err.(*table.Error); ok {
		return bad(wrong.Words)
	}
	return err
}

// tableFields are the columns that an address names, with those that tools expect
// beside them: the number beside its short id, and of events by themselves
// where they are.
func tableFields(r *request) []string {
	var fields []string
	for _, name := range r.queries()["field"] {
		if name = strings.TrimSpace(name); name != "" {
			fields = append(fields, name)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	if slices.Contains(fields, "issue") && !slices.Contains(fields, "issue.id") {
		fields = append(fields, "issue.id")
	}
	if !slices.ContainsFunc(fields, func(name string) bool { return strings.Contains(name, "(") }) {
		for _, name := range []string{"id", "project.name"} {
			if !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	return fields
}

func (a *API) queryEvents(rx *store.Rx, r *request) (EventTable, error) {
	q := r.queries()
	sorted := slices.DeleteFunc(slices.Concat(q["sort"], q["orderby"]), func(s string) bool { return s == "" })
	one, err := a.newAsked(rx, r, tableFields(r), sorted)
	if err != nil {
		return EventTable{}, err
	}
	at, err := parseCursor(q.Get("cursor"))
	if err != nil {
		return EventTable{}, err
	}
	limit, err := r.perPage(50, maxEvents)
	if err != nil {
		return EventTable{}, err
	}
	reader := a.newEventReader(rx, r, one)
	if !one.Summed() && !one.Sorted() {
		rows, next, err := reader.page(at.Value, limit)
		if err != nil {
			return EventTable{}, err
		}
		if len(rows) == 0 && next > 0 && at.Value == 0 {
			return EventTable{}, store.ErrTooMany
		}
		r.page(cursor{Back: true}, cursor{Value: next}, false, next > 0)
		return eventTable(one.Answer(rows, one.length())), nil
	}
	rows, err := reader.all()
	if err != nil {
		return EventTable{}, err
	}
	answer := one.Answer(rows, one.length())
	answer.Rows, err = paged(r, answer.Rows, 50, maxEvents)
	return eventTable(answer), err
}

func (q *asked) length() time.Duration { return q.to.Sub(q.from) }

// eventTable is a table in the shape that tools know.
func eventTable(t table.Table) EventTable {
	view := EventTable{Meta: TableMeta{Fields: make(map[string]string), Units: make(map[string]*string), Dataset: "errors"}}
	for _, c := range t.Columns {
		view.Meta.Fields[c.Name], view.Meta.Units[c.Name] = string(c.Kind), optional(c.Unit)
	}
	for _, row := range t.Rows {
		object := make(Object, len(row))
		for i, v := range row {
			object[i] = event.Field{Key: t.Columns[i].Name, Value: valueJSON(v)}
		}
		view.Data = append(view.Data, object)
	}
	return view
}

// valueJSON is a value of a table.
func valueJSON(v table.Value) []byte {
	switch v.Kind {
	case table.String:
		return quoted(v.Text)
	case table.Boolean:
		return []byte(v.Text)
	case table.Integer, table.Rate:
		return strconv.AppendFloat(nil, v.Number, 'f', -1, 64)
	case table.Date:
		return quoted(v.At.Format("2006-01-02T15:04:05-07:00"))
	case table.Array:
		out := []byte{'['}
		for i, text := range v.List {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, quoted(text)...)
		}
		return append(out, ']')
	}
	return []byte("null")
}

// tooManyWords are said about a question that would cost too much.
const tooManyWords = "These are too many events for one answer, and Sundew sums up nothing in part. Narrow it: a shorter time (statsPeriod, or start and end), " +
	"one project, an environment, or certain issues (issue:SHOP-1). Columns and conditions of what events brought themselves, such as tags and error.type, are read of 5,000 events at most, and what is said of issues (assigned:, firstSeen:, times_seen:) has to hold for at most 1,000 of them."
