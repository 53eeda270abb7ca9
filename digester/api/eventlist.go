package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/digester/table"
	"sundew/schema/event"
)

// eventRoutes are about events.
func (a *API) eventRoutes() {
	const tag = "Events"
	listed := Doc{Tag: tag, Summary: "The events of an issue, the newest first", Paged: true, Query: append(spanParams(), Param{Name: "query", Text: "which events, in the language of the search for issues; words are looked for in titles"}, Param{Name: "full", Text: "true: with all that there is of each; then at most 20 of a page"})}
	one := Doc{Tag: tag, Summary: "An event of an issue", Text: "By its id, or latest, oldest or recommended, which is the latest."}
	for _, at := range []string{"/issues/{issue}/events/", "/organizations/{org}/issues/{issue}/events/"} {
		read(a, at, readEvents, ofIssue(access.Viewer), listed, a.issueEvents)
		read(a, at+"{event}/", readEvents, ofIssue(access.Viewer), one, a.issueEvent)
	}
	listed.Summary, listed.Text = "The events of a project, the newest first", "A page may have fewer events than asked for, or none, and yet not be the last: the Link header says."
	read(a, "/projects/{org}/{project}/events/", readEvents, ofProject(access.Viewer), listed, a.projectEvents)
	read(a, "/projects/{org}/{project}/events/{event}/", readEvents, ofProject(access.Viewer), Doc{Tag: tag, Summary: "An event of a project, by its id"}, a.projectEvent)
	read(a, "/organizations/{org}/eventids/{event}/", readEvents, anyone, Doc{Tag: tag, Summary: "Where the event with an id is"}, a.eventID)
}

// spanParams narrow a list of events.
func spanParams() []Param {
	return []Param{
		{Name: "statsPeriod", Text: "only those of the last e.g. 24h, 14d or 2w"},
		{Name: "start", Text: "only those at or after a time (ISO 8601)"},
		{Name: "end", Text: "only those at or before a time"},
		{Name: "environment", Text: "only those of an environment", Many: true},
	}
}

const (
	maxEvents = 100 // of a page
	maxFull   = 20  // of a page with all that there is of each
)

// span is what of a list of events is wanted.
type span struct {
	from, to     time.Time // zero: it is open
	environments []string
}

// newSpan reads what an address says. Its errors are a *Problem.
func newSpan(r *request, now time.Time) (s span, err error) {
	q := r.queries()
	s.environments = slices.DeleteFunc(q["environment"], func(e string) bool { return e == "" })
	if text := q.Get("statsPeriod"); text != "" {
		ago, ok := parsePeriod(text)
		if !ok {
			return s, badPeriod(text)
		}
		s.from = now.Add(-ago)
		return s, nil
	}
	for name, at := range map[string]*time.Time{"start": &s.from, "end": &s.to} {
		if text := q.Get(name); text != "" {
			var ok bool
			if *at, ok = parseMoment(text); !ok {
				return s, badMoment(name, text)
			}
			*at = withinReach(*at)
		}
	}
	return s, nil
}

// withinReach is a time, or the nearest that is not so far away that it is more than a
// Duration from others: no event is of any such.
func withinReach(at time.Time) time.Time {
	first, last := time.Unix(0, 0).UTC(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case at.Before(first):
		return first
	case at.After(last):
		return last
	}
	return at
}

func (s span) has(ev store.Event) bool {
	return (s.from.IsZero() || !ev.OccurredAt.Before(s.from)) && (s.to.IsZero() || !ev.OccurredAt.After(s.to)) &&
		(len(s.environments) == 0 || slices.Contains(s.environments, ev.Environment))
}

// listing is what an address of a list of events says.
type listing struct {
	span
	at    cursor
	limit int
	full  bool
}

func newListing(r *request) (l listing, err error) {
	if l.span, err = newSpan(r, r.api.cfg.Now()); err != nil {
		return l, err
	}
	if l.at, err = parseCursor(r.query("cursor")); err != nil {
		return l, err
	}
	most := maxEvents
	if full := r.query("full"); full == "true" || full == "1" {
		l.full, most = true, maxFull
	}
	l.limit, err = r.perPage(most, most)
	return l, err
}

func (a *API) issueEvents(rx *store.Rx, r *request) (List[Event], error) {
	l, err := newListing(r)
	if err != nil {
		return nil, err
	}
	if r.query("query") != "" {
		return a.foundEvents(rx, r, l)
	}
	var events []store.Event
	var more bool
	if l.at.Back {
		events, more, err = rx.EventsAfter(r.issue.ID, l.at.Value, l.limit)
	} else {
		events, more, err = rx.Events(r.issue.ID, l.at.Value, l.limit)
	}
	if err != nil {
		return nil, err
	}
	newer, older := l.at.Value > 0, more
	if l.at.Back {
		newer, older = more, true
	}
	before, after := l.at, l.at
	if n := len(events); n > 0 {
		before, after = cursor{Value: events[0].ID, Back: true}, cursor{Value: events[n-1].ID}
	}
	r.page(before, after, newer, older)
	return l.views(rx, r, events)
}

// views shows those of some events that are wanted.
func (l listing) views(rx *store.Rx, r *request, events []store.Event) (List[Event], error) {
	issues := make(map[int64]store.Issue)
	var views List[Event]
	for _, ev := range events {
		if !l.has(ev) {
			continue
		}
		if l.full {
			view, err := eventView(rx, r, ev)
			if err != nil {
				return nil, err
			}
			views = append(views, view)
			continue
		}
		issue, known := issues[ev.IssueID]
		if !known {
			var err error
			if issue, err = wholeIssue(rx, ev.IssueID); err != nil {
				return nil, err
			}
			issues[ev.IssueID] = issue
		}
		views = append(views, Event{EventRef: eventRef(ev, issue)})
	}
	return views, nil
}

// wholeIssue is an issue, or what it was merged into.
func wholeIssue(rx *store.Rx, id int64) (store.Issue, error) {
	issue, err := rx.Issue(id)
	if err == nil && issue.MergedInto != 0 {
		return rx.Issue(issue.MergedInto)
	}
	return issue, err
}

func (a *API) issueEvent(rx *store.Rx, r *request) (Event, error) {
	stored, err := EventNamed(rx, r.issue, r.PathValue("event"))
	if err != nil {
		return Event{}, err
	}
	return eventView(rx, r, stored)
}

// EventNamed returns an event of an issue and its members by the SDK's id, or the
// "latest", which is also the "recommended" one, or the "oldest". ErrNotFound if there
// is none.
func EventNamed(rx *store.Rx, issue store.Issue, name string) (store.Event, error) {
	switch name {
	case "latest", "recommended", "oldest":
		events, _, err := rx.Events(issue.ID, 0, 1)
		if err != nil || len(events) == 0 {
			return store.Event{}, cmp.Or(err, store.ErrNotFound)
		}
		if name != "oldest" {
			return events[0], nil
		}
		place, err := rx.EventPlace(issue.ID, events[0].ID)
		if err != nil {
			return store.Event{}, err
		}
		return rx.EventByNumber(place.First.Issue, place.First.Number)
	}
	id, err := event.ParseID(name)
	if err != nil {
		return store.Event{}, store.ErrNotFound
	}
	stored, err := rx.EventOf(issue.ProjectID, id)
	if err != nil {
		return stored, err
	}
	of, err := wholeIssue(rx, stored.IssueID)
	if err == nil && of.ID != issue.ID {
		err = store.ErrNotFound
	}
	return stored, err
}

func (a *API) projectEvents(rx *store.Rx, r *request) (List[Event], error) {
	l, err := newListing(r)
	if err != nil {
		return nil, err
	}
	if r.query("query") != "" {
		return a.foundEvents(rx, r, l)
	}
	events, next, err := rx.ProjectEvents(r.project.ID, l.at.Value, l.limit)
	if err != nil {
		return nil, err
	}
	r.page(cursor{Back: true}, cursor{Value: next}, false, next > 0)
	return l.views(rx, r, events)
}

// foundEvents is a page of the project's events that a query finds, of the request's issue
// or, without one, of all.
func (a *API) foundEvents(rx *store.Rx, r *request, l listing) (List[Event], error) {
	now := a.cfg.Now()
	query, err := search.Parse(strings.TrimSpace(r.query("query")))
	if err != nil {
		return nil, searchProblem(err)
	}
	question, err := table.New([]string{"id"}, query, nil, now)
	if err != nil {
		return nil, questionProblem(err)
	}
	var among []int64
	if r.issue.ID != 0 && len(question.Issues) == 0 {
		among = []int64{r.issue.ID}
	} else if r.issue.ID != 0 { // what is said of issues has to hold for this one
		only := search.Match{Column: search.ShortID, Any: []search.Pattern{{r.issue.ShortID()}}}
		question.Issues = append(question.Issues, search.Term{Cond: only})
	}
	one := &asked{Question: question, projects: []event.ProjectID{r.project.ID}, text: r.query("query"), span: l.span}
	if one.to.IsZero() {
		one.to = now.Add(time.Minute)
	}
	reader := a.newEventReader(rx, r, one)
	scan, err := reader.scan(among)
	if err != nil {
		return nil, err
	}
	rows, next, err := reader.pageOf(scan, l.at.Value, l.limit)
	if err != nil {
		return nil, err
	}
	events := make([]store.Event, len(rows))
	for i, row := range rows {
		if events[i], err = rx.EventOf(row.Project, row.EventID); err != nil {
			return nil, err
		}
	}
	r.page(cursor{Back: true}, cursor{Value: next}, false, next > 0)
	return l.views(rx, r, events)
}

// eventOf is the project's event that {event} names.
func eventOf(rx *store.Rx, r *request) (store.Event, error) {
	id, err := event.ParseID(r.PathValue("event"))
	if err != nil {
		return store.Event{}, store.ErrNotFound
	}
	return rx.EventOf(r.project.ID, id)
}

func (a *API) projectEvent(rx *store.Rx, r *request) (Event, error) {
	stored, err := eventOf(rx, r)
	if err != nil {
		return Event{}, err
	}
	return eventView(rx, r, stored)
}

// EventPlace is the answer to where an event is.
type EventPlace struct {
	OrganizationSlug string `json:"organizationSlug"`
	ProjectSlug      string `json:"projectSlug"`
	GroupID          string `json:"groupId"`
	EventID          string `json:"eventId"`
	Event            Event  `json:"event"`
}

func (a *API) eventID(rx *store.Rx, r *request) (EventPlace, error) {
	id, err := event.ParseID(r.PathValue("event"))
	if err != nil {
		return EventPlace{}, store.ErrNotFound
	}
	all, err := rx.EventsByID(id)
	if err != nil {
		return EventPlace{}, err
	}
	for _, stored := range all {
		if r.person.In(stored.ProjectID) < access.Viewer {
			continue
		}
		view, err := eventView(rx, r, stored)
		if err != nil {
			return EventPlace{}, err
		}
		project, err := rx.Project(stored.ProjectID)
		return EventPlace{OrganizationSlug: r.org(), ProjectSlug: project.Slug, GroupID: view.GroupID, EventID: view.EventID, Event: view}, err
	}
	return EventPlace{}, store.ErrNotFound
}
