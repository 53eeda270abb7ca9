package api

import (
	"errors"
	"time"

	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/digester/table"
)

// Bounds of what one question reads.
const (
	maxAskedRows   = 20_000 // events one by one
	maxAskedBodies = 5_000  // of these, what they brought
	bodyChunk      = 100
	rowChunk       = 1_000
	maxAsking      = 10 * time.Second
)

// eventReader reads what a question is about. It belongs to one request.
type eventReader struct {
	rx     *store.Rx
	api    *API
	person int64
	*asked
	step time.Duration // of a series; 0: it is a table

	began  time.Time
	bodies int                   // read so far
	heads  map[int64]store.Issue // of strands
}

func (a *API) newEventReader(rx *store.Rx, r *request, one *asked) *eventReader {
	return &eventReader{rx: rx, api: a, person: r.person.ID, asked: one, began: a.cfg.Now(), heads: make(map[int64]store.Issue)}
}

// late reports whether the question has taken too long.
func (e *eventReader) late() bool { return e.api.cfg.Now().Sub(e.began) > maxAsking }

// scan is which events can be meant. Where the query says something of issues, or only
// few issues can have such events, it is restricted to these.
func (e *eventReader) scan(among []int64) (store.EventScan, error) {
	s := store.EventScan{Projects: e.projects, Environments: e.environments, Issues: among, From: e.from, To: e.to, Step: e.stretch()}
	if e.From.After(s.From) {
		s.From = e.From
	}
	if !e.To.IsZero() && e.To.Before(s.To) {
		s.To = e.To
	}
	if among != nil || len(e.Issues)+len(e.Narrow) == 0 {
		return s, nil
	}
	issues, err := e.issues(append(append(search.Query{}, e.Issues...), e.Narrow...))
	if errors.Is(err, store.ErrTooMany) && len(e.Issues) == 0 {
		return s, nil // each event is asked
	}
	s.Issues = issues
	return s, err
}

// stretch is by what stretches of time rows have to be told apart: such that those of a
// series, and hours, consist of them.
func (e *eventReader) stretch() time.Duration {
	if e.Needs()&table.Hour == 0 {
		return e.step
	}
	a, b := time.Hour, e.step
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

func (e *eventReader) issues(query search.Query) ([]int64, error) {
	ids, err := e.rx.IssuesOf(store.Search{Projects: e.projects, Query: query, Text: e.text, Me: e.person, Now: e.api.cfg.Now()})
	return ids, searchProblem(err)
}

// all reads all rows that the question is about. The error is store.ErrTooMany where that
// would cost too much.
func (e *eventReader) all() ([]table.Row, error) {
	rows, err := e.read(nil)
	if !errors.Is(err, store.ErrTooMany) {
		return rows, err
	}
	if len(e.Issues)+len(e.Narrow) == 0 { // the issues of a project may have had few, where all projects had many
		since := search.Term{Cond: search.When{Of: search.LastSeen, Op: search.AtLeast, To: search.Instant{At: e.from}}}
		ids, errIssues := e.issues(search.Query{since})
		if errIssues == nil {
			rows, err = e.read(ids)
		} else if !errors.Is(errIssues, store.ErrTooMany) {
			return nil, errIssues
		}
	}
	return rows, err
}

func (e *eventReader) read(among []int64) ([]table.Row, error) {
	scan, err := e.scan(among)
	if err != nil {
		return nil, err
	}
	if e.Needs()&table.EachEvent == 0 {
		return e.sums(scan, e.Needs())
	}
	var all []table.Row
	for before := int64(0); ; {
		events, next, err := e.rx.ScannedEvents(scan, before, rowChunk)
		if err != nil {
			return nil, err
		}
		rows, err := e.rows(events, e.Needs()&table.Body != 0)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		switch before = next; {
		case next == 0:
			return all, nil
		case len(all) > maxAskedRows || len(events) < rowChunk || e.late():
			return nil, store.ErrTooMany
		}
	}
}

// sums reads rows of several events each.
func (e *eventReader) sums(scan store.EventScan, needs table.Needs) ([]table.Row, error) {
	for need, by := range map[table.Needs]store.EventColumns{table.Title: store.EventTitle, table.Level: store.EventLevel,
		table.Release: store.EventRelease, table.Environment: store.EventEnvironment, table.User: store.EventUser} {
		if needs&need != 0 {
			scan.By |= by
		}
	}
	found, err := e.rx.EventRows(scan)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(found))
	for i, f := range found {
		ids[i] = f.Issue
	}
	if err := e.know(ids); err != nil {
		return nil, err
	}
	var rows []table.Row
	for _, f := range found {
		head, ok := e.heads[f.Issue]
		if !ok {
			continue
		}
		row := ofIssueRow(head)
		row.Title, row.Level, row.Release, row.Environment, row.User = f.Title, f.Level, f.Release, f.Environment, f.User
		row.First, row.Last, row.Count = f.First, f.Last, f.Count
		if e.step > 0 {
			row.Bucket = bucketOf(f.Bucket, e.step)
		}
		if e.Holds(&row) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// page reads a page of events, and where to go on; 0: there are no more.
func (e *eventReader) page(before int64, limit int) (rows []table.Row, next int64, err error) {
	scan, err := e.scan(nil)
	if err != nil {
		return nil, 0, err
	}
	return e.pageOf(scan, before, limit)
}

// pageOf is page of a scan. It ends where it is full, or has looked at enough.
func (e *eventReader) pageOf(scan store.EventScan, before int64, limit int) (rows []table.Row, next int64, err error) {
	next = before
	for looked := 0; len(rows) < limit && looked < maxAskedRows && !e.late(); {
		chunk := max(limit, bodyChunk)
		found, after, err := e.rx.ScannedEvents(scan, next, chunk)
		if err != nil {
			return nil, 0, err
		}
		looked += len(found)
		some, err := e.rows(found, e.WhereBody())
		if errors.Is(err, store.ErrTooMany) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if room := limit - len(rows); len(some) > room {
			some = some[:room]
			after = some[room-1].ID
		}
		rows, next = append(rows, some...), after
		if after == 0 || len(found) < chunk { // as far as one scan goes
			break
		}
	}
	if e.Needs()&table.Body != 0 && !e.WhereBody() {
		err = e.load(rows)
	}
	return rows, next, err
}

// rows are those of some events for which the query holds; body: with what they brought.
// The error is store.ErrTooMany if that is too much.
func (e *eventReader) rows(events []store.Event, body bool) ([]table.Row, error) {
	ids := make([]int64, len(events))
	for i, ev := range events {
		ids[i] = ev.IssueID
	}
	if err := e.know(ids); err != nil {
		return nil, err
	}
	var rows []table.Row
	for _, ev := range events {
		head, ok := e.heads[ev.IssueID]
		if !ok {
			continue
		}
		row := ofIssueRow(head)
		if e.step > 0 {
			row.Bucket = bucketOf(ev.OccurredAt, e.step)
		}
		row.ID, row.EventID, row.First, row.Last, row.Count = ev.ID, ev.EventID, ev.OccurredAt, ev.OccurredAt, 1
		row.Title, row.Level, row.Release, row.Environment, row.User = ev.Title, ev.Level, ev.Release, ev.Environment, ev.User
		if e.Passes(&row) {
			rows = append(rows, row)
		}
	}
	if !body {
		return rows, nil
	}
	if e.bodies += len(rows); e.bodies > maxAskedBodies || e.late() {
		return nil, store.ErrTooMany
	}
	if err := e.load(rows); err != nil {
		return nil, err
	}
	kept := rows[:0]
	for i := range rows {
		if e.Holds(&rows[i]) {
			kept = append(kept, rows[i])
		}
	}
	return kept, nil
}

// load reads what the events of rows brought. Of what is not stored any more, or cannot
// be read, nothing is known.
func (e *eventReader) load(rows []table.Row) error {
	for start := 0; start < len(rows); start += bodyChunk {
		part := rows[start:min(start+bodyChunk, len(rows))]
		ids := make([]int64, len(part))
		for i, row := range part {
			ids[i] = row.ID
		}
		bodies, err := e.rx.EventBodies(ids)
		if err != nil {
			return err
		}
		for i := range part {
			body, ok := bodies[part[i].ID]
			if !ok {
				continue
			}
			if ev, err := body.Event(); err == nil {
				ev.ResolveIP(body.Meta.RemoteIP)
				part[i].Event = ev
			}
		}
	}
	return nil
}

// know reads the issues of some strands that are not known yet.
func (e *eventReader) know(strands []int64) error {
	seen := make(map[int64]bool)
	var unknown []int64
	for _, id := range strands {
		if _, known := e.heads[id]; !known && !seen[id] {
			seen[id] = true
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	heads, err := e.rx.HeadsOf(unknown)
	for id, head := range heads {
		e.heads[id] = head
	}
	return err
}

// ofIssueRow is what an issue says in the rows of its events.
func ofIssueRow(issue store.Issue) table.Row {
	state := search.Open
	switch issue.State {
	case store.StateResolved:
		state = search.Resolved
	case store.StateMuted:
		state = search.Muted
	}
	return table.Row{
		Project: issue.ProjectID, ProjectSlug: issue.Project, Issue: issue.ID, ShortID: issue.ShortID(), Culprit: issue.Culprit, Platform: issue.Platform,
		State: state, Assigned: issue.Assignee != (store.Assignee{}),
	}
}
