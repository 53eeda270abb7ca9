package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// statsRoutes are about how much was reported, and what became of it: the books.
func (a *API) statsRoutes() {
	const tag = "Statistics"
	const books = "From the books, which are kept by the hour: what arrived is accepted, filtered, rate_limited, invalid or client_discard."
	counted := askedSpan()[:3]
	projects := Param{Name: "project", Text: "number or slug of a project; -1: all", Many: true}
	read(a, "/organizations/{org}/stats_v2/", readOrg, anyone, Doc{Tag: tag, Summary: "How much was reported, by what became of it", Text: books,
		Query: append([]Param{
			{Name: "field", Text: "sum(quantity) or sum(times_seen), which are the same here", Many: true},
			{Name: "groupBy", Text: "outcome, category, reason or project", Many: true},
			{Name: "interval", Text: "1h, 1d or other whole hours; 1h if it is not there"},
			{Name: "category", Text: "only of a category: error, security, attachment, feedback, …", Many: true},
			{Name: "outcome", Text: "only with an outcome", Many: true},
			{Name: "reason", Text: "only with a reason", Many: true}, projects,
		}, counted...)}, a.statsV2)
	read(a, "/organizations/{org}/events-dropped/", readOrg, anyone, Doc{Tag: tag, Summary: "What was not stored, and what was", Text: books + " Times are Unix milliseconds.",
		Query: append([]Param{{Name: "interval", Text: "as of stats_v2"}, {Name: "outcome", Text: "only with an outcome"}, {Name: "reason", Text: "only with a reason"}, projects}, counted...)}, a.eventsDropped)
	read(a, "/projects/{org}/{project}/stats/", readOrg, ofProject(access.Viewer), Doc{Tag: tag, Summary: "How many events a project reported over time", Text: "As pairs of a time, in Unix seconds, and a number.",
		Query: []Param{{Name: "stat", Text: "received, rejected, blacklisted (filtered) or generated, which is what was stored; received if it is not there"},
			{Name: "resolution", Text: "1h or 1d; 1h if it is not there"}, {Name: "since", Text: "Unix seconds; a day before until"}, {Name: "until", Text: "Unix seconds; now"}}}, a.projectStats)
}

// Sums are what was reported in each stretch of time.
type Sums struct {
	Start     Time           `json:"start"`
	End       Time           `json:"end"`
	Intervals List[Time]     `json:"intervals"`
	Groups    List[SumGroup] `json:"groups"`
}

// SumGroup is the part of it that is the same in what was grouped by.
type SumGroup struct {
	By     map[string]string      `json:"by"`
	Totals map[string]int64       `json:"totals"`
	Series map[string]List[int64] `json:"series"`
}

// outcomeOf is what became of something in the words that tools know.
func outcomeOf(o store.OutcomeHour) string {
	switch o.Outcome {
	case store.BookStored:
		return "accepted"
	case store.BookLimited:
		return "rate_limited"
	case store.BookClient:
		return "client_discard"
	case store.BookUnstored:
		return "filtered"
	case store.BookDropped:
		if strings.HasSuffix(o.Reason, "_quota") || o.Reason == "attachments_full" {
			return "rate_limited"
		}
		if o.Reason == "attachments_off" {
			return "filtered"
		}
	}
	return "invalid"
}

// reasonOf is why, in the books' own words.
func reasonOf(o store.OutcomeHour) string {
	if o.Reason == "" && o.Outcome == store.BookDuplicate {
		return "duplicate"
	}
	return o.Reason
}

// bookSpan is which hours an address asks about, in stretches of how long.
type bookSpan struct {
	from, to time.Time
	step     time.Duration
}

// bookSpanOf reads what an address says of it; usual is how far it goes back otherwise.
func bookSpanOf(r *request, now time.Time, usual time.Duration) (bookSpan, error) {
	s, err := newSpan(r, now)
	if err != nil {
		return bookSpan{}, err
	}
	if s.to.IsZero() {
		s.to = now
	}
	if s.from.IsZero() {
		s.from = s.to.Add(-usual)
	}
	return newBookSpan(s.from, s.to, r.query("interval"))
}

// newBookSpan is that of a time, in whole stretches. Its errors are a *Problem.
func newBookSpan(from, to time.Time, interval string) (bookSpan, error) {
	b := bookSpan{from: from, to: to, step: time.Hour}
	if interval != "" {
		step, ok := parsePeriod(interval)
		if !ok || step < time.Hour || step%time.Hour != 0 {
			return b, bad(fmt.Sprintf("interval %.40q: the books are kept by the hour, so it is 1h, 1d or other whole hours.", interval))
		}
		b.step = step
	}
	b.from = bucketOf(b.from, b.step)
	if last := bucketOf(b.to, b.step); last.Before(b.to) {
		b.to = last.Add(b.step)
	}
	if !b.from.Before(b.to) {
		return b, bad("start has to be before end.")
	}
	if int64(b.to.Sub(b.from)/b.step) > 10_000 {
		return b, bad("These are more than 10,000 stretches of time: ask for a longer interval, or less time.")
	}
	return b, nil
}

func (b bookSpan) read(rx *store.Rx, projects []event.ProjectID) ([]store.OutcomeHour, error) {
	return rx.OutcomeHours(projects, b.from, b.to, int64(b.step/time.Hour))
}

// starts are when the stretches begin.
func (b bookSpan) starts() List[Time] {
	var all List[Time]
	for at := b.from; at.Before(b.to); at = at.Add(b.step) {
		all = append(all, Time{at})
	}
	return all
}

// meant reports whether the parameters of an address allow for a line of the books.
func meant(r *request, o store.OutcomeHour) bool {
	q := r.queries()
	for name, is := range map[string]string{"category": o.Category, "outcome": outcomeOf(o), "reason": reasonOf(o)} {
		if any := q[name]; len(any) > 0 && any[0] != "" && !slices.Contains(any, is) {
			return false
		}
	}
	return true
}

// statsV2 is GET …/stats_v2/.
func (a *API) statsV2(rx *store.Rx, r *request) (Sums, error) {
	q := r.queries()
	fields := q["field"]
	if len(fields) == 0 {
		return Sums{}, bad("Name a field: sum(quantity).")
	}
	for _, f := range fields {
		if f != "sum(quantity)" && f != "sum(times_seen)" {
			return Sums{}, bad(fmt.Sprintf("There is no field %.60q: sum(quantity) is there.", f))
		}
	}
	for _, by := range q["groupBy"] {
		if !slices.Contains([]string{"outcome", "category", "reason", "project"}, by) {
			return Sums{}, bad(fmt.Sprintf("groupBy %.40q: it is outcome, category, reason or project.", by))
		}
	}
	projects, err := chosenProjects(rx, r)
	if err != nil {
		return Sums{}, err
	}
	span, err := bookSpanOf(r, a.cfg.Now(), usualPeriod)
	if err != nil {
		return Sums{}, err
	}
	lines, err := span.read(rx, projects)
	if err != nil {
		return Sums{}, err
	}
	sums := Sums{Start: Time{span.from}, End: Time{span.to}, Intervals: span.starts()}
	at := make(map[string]int)
	for _, line := range lines {
		if !meant(r, line) {
			continue
		}
		all := map[string]string{"outcome": outcomeOf(line), "category": line.Category, "reason": reasonOf(line), "project": projectNumber(line.Project)}
		by, key := make(map[string]string), ""
		for _, name := range q["groupBy"] {
			by[name], key = all[name], key+all[name]+"\x00"
		}
		i, known := at[key]
		if !known {
			i = len(sums.Groups)
			at[key] = i
			sums.Groups = append(sums.Groups, newSumGroup(by, fields, len(sums.Intervals)))
		}
		for _, f := range fields {
			sums.Groups[i].Totals[f] += line.Quantity
			sums.Groups[i].Series[f][int(line.Hour.Sub(span.from)/span.step)] += line.Quantity
		}
	}
	return sums, nil
}

func newSumGroup(by map[string]string, fields []string, n int) SumGroup {
	g := SumGroup{By: by, Totals: make(map[string]int64), Series: make(map[string]List[int64])}
	for _, f := range fields {
		g.Totals[f], g.Series[f] = 0, make(List[int64], n)
	}
	return g
}

// DroppedEvents are what was not stored beside what was.
type DroppedEvents struct {
	Meta           DroppedMeta        `json:"meta"`
	DroppedEvents  List[CountedEvent] `json:"droppedEvents"`
	AcceptedEvents List[CountedEvent] `json:"acceptedEvents"`
}

// DroppedMeta is what the numbers are of.
type DroppedMeta struct {
	Dataset  string `json:"dataset"`
	Start    int64  `json:"start"`
	End      int64  `json:"end"`
	Interval int64  `json:"interval"`
}

// CountedEvent is a number of events that the same became of.
type CountedEvent struct {
	Type     string `json:"type"`
	Category string `json:"category"`
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
	Start    int64  `json:"start"`
	End      int64  `json:"end"`
	Count    int64  `json:"count"`
}

// eventsDropped is GET …/events-dropped/.
func (a *API) eventsDropped(rx *store.Rx, r *request) (DroppedEvents, error) {
	q := r.queries()
	if dataset := cmp.Or(q.Get("dataset"), "errors"); dataset != "errors" {
		return DroppedEvents{}, bad(fmt.Sprintf("Sundew keeps errors only: there are no %.40s.", dataset))
	}
	projects, err := chosenProjects(rx, r)
	if err != nil {
		return DroppedEvents{}, err
	}
	span, err := bookSpanOf(r, a.cfg.Now(), 24*time.Hour)
	if err != nil {
		return DroppedEvents{}, err
	}
	lines, err := span.read(rx, projects)
	view := DroppedEvents{Meta: DroppedMeta{"errors", span.from.UnixMilli(), span.to.UnixMilli(), span.step.Milliseconds()}}
	for _, line := range lines {
		if line.Category != store.CategoryError && line.Category != store.CategorySecurity {
			continue
		}
		counted := CountedEvent{"dropped", line.Category, outcomeOf(line), reasonOf(line), line.Hour.UnixMilli(), line.Hour.Add(span.step).UnixMilli(), line.Quantity}
		if counted.Outcome == "accepted" {
			counted.Type = "accepted"
			view.AcceptedEvents = append(view.AcceptedEvents, counted)
		} else if meant(r, line) {
			view.DroppedEvents = append(view.DroppedEvents, counted)
		}
	}
	return view, err
}

// projectStats is GET …/stats/ of a project.
func (a *API) projectStats(rx *store.Rx, r *request) (List[Stat], error) {
	q := r.queries()
	stat := cmp.Or(q.Get("stat"), "received")
	wanted := map[string][]string{"received": {"accepted", "filtered", "rate_limited", "invalid"}, "rejected": {"rate_limited", "invalid"}, "blacklisted": {"filtered"}, "generated": {"accepted"}}[stat]
	if wanted == nil {
		return nil, bad(fmt.Sprintf("There is no stat %.40q: it is received, rejected, blacklisted or generated.", stat))
	}
	until, err := unixParam(q.Get("until"), a.cfg.Now())
	if err != nil {
		return nil, err
	}
	since, err := unixParam(q.Get("since"), until.Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	span, err := newBookSpan(since, until, q.Get("resolution"))
	if err != nil {
		return nil, err
	}
	lines, err := span.read(rx, []event.ProjectID{r.project.ID})
	if err != nil {
		return nil, err
	}
	all := make(List[Stat], len(span.starts()))
	for i, at := range span.starts() {
		all[i][0] = at.Unix()
	}
	for _, line := range lines {
		if (line.Category == store.CategoryError || line.Category == store.CategorySecurity) && slices.Contains(wanted, outcomeOf(line)) {
			all[int(line.Hour.Sub(span.from)/span.step)][1] += line.Quantity
		}
	}
	return all, nil
}

// unixParam reads a time in Unix seconds.
func unixParam(text string, usual time.Time) (time.Time, error) {
	if text == "" {
		return usual, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > 1e11 {
		return usual, bad("since and until are times in Unix seconds.")
	}
	return withinReach(time.Unix(int64(seconds), 0)), nil
}
