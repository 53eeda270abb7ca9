package api

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/schema/event"
)

// listParams are what an address of an issue list says.
func listParams() []Param {
	return []Param{
		{Name: "query", Text: "what to look for, as in the dashboard; is:unresolved if it is not there"},
		{Name: "sort", Text: "date (last seen), new (first seen), freq (events), user or trends"},
		{Name: "statsPeriod", Text: "only issues seen in the last e.g. 24h, 14d or 2w"},
		{Name: "start", Text: "only issues seen at or after a time (ISO 8601)"},
		{Name: "end", Text: "only issues seen at or before a time"},
		{Name: "environment", Text: "only issues with events of it", Many: true},
		{Name: "project", Text: "number or slug of a project; -1: all", Many: true},
		{Name: "groupStatsPeriod", Text: "24h or 14d: what stats are about; 24h if it is not there"},
		{Name: "shortIdLookup", Text: "1: a query that is a short id finds that issue"},
		{Name: "limit", Text: "issues of a page, at most 100"},
	}
}

// maxList bounds a page of issues.
const maxList = 100

func (a *API) issuesOfAll(rx *store.Rx, r *request) (List[Issue], error) {
	projects, err := chosenProjects(rx, r)
	if err != nil {
		return nil, err
	}
	return a.listIssues(rx, r, projects)
}

func (a *API) issuesOfProject(rx *store.Rx, r *request) (List[Issue], error) {
	return a.listIssues(rx, r, []event.ProjectID{r.project.ID})
}

// chosenProjects are the projects that the parameter project names, or all that who
// asks sees.
func chosenProjects(rx *store.Rx, r *request) ([]event.ProjectID, error) {
	seen, err := visible(rx, r)
	if err != nil {
		return nil, err
	}
	all := idsOf(seen)
	q := r.queries()
	names := slices.Concat(q["project"], q["projectSlug"])
	if len(names) == 0 || slices.Contains(names, "-1") {
		return all, nil
	}
	var chosen []event.ProjectID
	for _, name := range names {
		p, err := projectNamed(rx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err != nil || !slices.Contains(all, p.ID) {
			return nil, &Problem{404, fmt.Sprintf("There is no project %.100q", name)}
		}
		chosen = append(chosen, p.ID)
	}
	return chosen, nil
}

// listIssues answers with a page of a search in some projects.
func (a *API) listIssues(rx *store.Rx, r *request, projects []event.ProjectID) (List[Issue], error) {
	if r.query("shortIdLookup") == "1" || r.query("shortIdLookup") == "true" {
		if issue, err := issueNamed(rx, strings.TrimSpace(r.query("query"))); err == nil && slices.Contains(projects, issue.ProjectID) {
			r.page(cursor{Back: true}, cursor{}, false, false)
			r.out.Set("X-Sentry-Direct-Hit", "1")
			return issueViews(rx, r, []store.Issue{issue}, "24h")
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	s, err := a.newSearch(r, projects, "is:unresolved")
	if err != nil {
		return nil, err
	}
	found, err := rx.Find(s)
	if err != nil {
		return nil, searchProblem(err)
	}
	at := cursor{Offset: s.Offset}
	if !s.Before.IsZero() {
		at.Value = s.Before.UnixMilli()
	}
	before, after := at, at
	before.Offset, before.Back = max(0, at.Offset-s.Limit), false
	after.Offset += len(found.Issues)
	more := found.More
	if !more && found.Looked > 0 && !found.Since.IsZero() { // it goes on behind what was looked at
		after, more = cursor{Value: found.Since.UnixMilli()}, true
	}
	r.page(before, after, at.Offset > 0, more)
	period := r.query("groupStatsPeriod")
	switch period {
	case "", "auto":
		period = "24h"
	case "24h", "14d":
	default:
		return nil, bad("groupStatsPeriod is 24h or 14d.")
	}
	return issueViews(rx, r, found.Issues, period)
}

// newSearch reads what an address asks for; usual is its query if it has none. Its
// errors are a *Problem.
func (a *API) newSearch(r *request, projects []event.ProjectID, usual string) (store.Search, error) {
	s := store.Search{Projects: projects, Me: r.person.ID, Now: a.cfg.Now()}
	q := r.queries()
	s.Text = strings.TrimSpace(q.Get("query"))
	if !q.Has("query") {
		s.Text = usual
	}
	if status := q.Get("status"); status != "" && !q.Has("query") {
		s.Text = "is:" + status // as old tools say it
	}
	var err error
	if s.Query, err = search.Parse(s.Text); err != nil {
		return s, searchProblem(err)
	}
	span, err := seenIn(r, s.Now)
	if err != nil {
		return s, err
	}
	s.Query = append(s.Query, span...)
	if environments := slices.DeleteFunc(q["environment"], func(e string) bool { return e == "" }); len(environments) > 0 {
		tag := search.Tag{Key: "environment"}
		for _, e := range environments {
			tag.Any = append(tag.Any, search.Pattern{e})
		}
		s.Query = append(s.Query, search.Term{Cond: tag})
	}
	if s.Sort, err = sortOf(q.Get("sort")); err != nil {
		return s, err
	}
	at, err := parseCursor(q.Get("cursor"))
	if err != nil {
		return s, err
	}
	if s.Offset = at.Offset; at.Value > 0 {
		s.Before = time.UnixMilli(at.Value)
	}
	s.Limit, err = r.perPage(maxList, maxList)
	return s, err
}

// sortOf is the order that tools have a name for.
func sortOf(name string) (store.IssueSort, error) {
	switch name {
	case "", "date", "recommended":
		return store.SortLastSeen, nil
	case "new":
		return store.SortFirstSeen, nil
	case "freq":
		return store.SortEvents, nil
	case "user":
		return store.SortUsers, nil
	case "trends":
		return store.SortTrend, nil
	}
	return 0, bad(fmt.Sprintf("There is no order %.40q: sort is date, new, freq, user or trends.", name))
}

// seenIn are the terms that a period stands for. An issue was seen in it if it was
// seen last after its beginning, and first before its end.
func seenIn(r *request, now time.Time) (search.Query, error) {
	q := r.queries()
	var terms search.Query
	seen := func(of search.Moment, op search.Op, to search.Instant) {
		terms = append(terms, search.Term{Cond: search.When{Of: of, Op: op, To: to}})
	}
	if text := q.Get("statsPeriod"); text != "" {
		ago, ok := parsePeriod(text)
		if !ok {
			return nil, badPeriod(text)
		}
		seen(search.LastSeen, search.AtLeast, search.Instant{Ago: ago})
		return terms, nil
	}
	for _, end := range []struct {
		name string
		of   search.Moment
		op   search.Op
	}{{"start", search.LastSeen, search.AtLeast}, {"end", search.FirstSeen, search.AtMost}} {
		text := q.Get(end.name)
		if text == "" {
			continue
		}
		at, ok := parseMoment(text)
		if !ok {
			return nil, badMoment(end.name, text)
		}
		if at.After(now) {
			at = now
		}
		seen(end.of, end.op, search.Instant{At: at})
	}
	return terms, nil
}

func badPeriod(text string) error {
	return bad(fmt.Sprintf("statsPeriod %.40q: want a number and m, h, d or w, such as 14d; ten years at most.", text))
}

func badMoment(name, text string) error {
	return bad(fmt.Sprintf("%s %.40q: want a time in ISO 8601, such as 2026-01-31T12:00:00Z.", name, text))
}

// parsePeriod reads a span of time as Sentry writes it.
func parsePeriod(text string) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
	n, err := strconv.ParseInt(text[:len(text)-1], 10, 32)
	if err != nil || n < 1 || unit == 0 || n > int64(10*365*24*time.Hour/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// parseMoment reads a time in one of the forms that tools write; without a zone it is
// UTC.
func parseMoment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// searchProblem tells what is wrong with a query in the words of the dashboard's page.
func searchProblem(err error) error {
	var wrong *search.Error
	if !errors.As(err, &wrong) {
		return err
	}
	says := wrong.Error()
	return bad(strings.ToUpper(says[:1]) + says[1:])
}
