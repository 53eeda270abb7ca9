package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// eventsPerPage is how many events a page of the list has.
const eventsPerPage = 50

// eventPage is one event of an issue.
type eventPage struct {
	shell
	issueHead
	Event *eventView
}

// eventsPage lists an issue's events, newest first.
type eventsPage struct {
	shell
	issueHead
	Events []store.Event
	Pager  pager
}

func (d *Dashboard) showEvents(rx *store.Rx, r *http.Request) (reply, error) {
	issue, trail, err := d.pathIssue(rx, r)
	if err != nil {
		return reply{}, err
	}
	if to, moved := d.moved(r, issue); moved {
		return redirect(d.links.events(to, 0)), nil
	}
	events, pages, err := d.pageOfEvents(rx, r, issue.ID)
	if err != nil {
		return reply{}, err
	}
	page := eventsPage{
		shell:  shell{Title: "Events of " + shortID(issue), Trail: d.issueTrail(trail, issue)},
		Events: events,
		Pager:  pages,
	}
	page.issueHead, err = d.newIssueHead(rx, r, issue, tabEvents)
	return show("events", page), err
}

// pageOfEvents reads the page of an issue's events that the query names: those
// before one or those after one.
func (d *Dashboard) pageOfEvents(rx *store.Rx, r *http.Request, issue int64) ([]store.Event, pager, error) {
	const lastID = 1 << 53
	before, after := queryNumber(r, "before", lastID, 0), queryNumber(r, "after", lastID, 0)
	pages := pager{NewerText: "Newer", OlderText: "Older"}
	var events []store.Event
	var older, newer bool
	var err error
	if after > 0 {
		events, newer, err = rx.EventsAfter(issue, after, eventsPerPage)
		older = true
	} else {
		events, older, err = rx.Events(issue, before, eventsPerPage)
		newer = before > 0
	}
	if err != nil || len(events) == 0 {
		return nil, pages, err
	}
	if older {
		pages.Older = d.links.events(issue, events[len(events)-1].ID)
	}
	if newer {
		pages.Newer = d.links.newerEvents(issue, events[0].ID)
	}
	return events, pages, nil
}

func (d *Dashboard) showEvent(rx *store.Rx, r *http.Request) (reply, error) {
	issue, trail, err := d.pathIssue(rx, r)
	if err != nil {
		return reply{}, err
	}
	ev, err := pathEvent(rx, r)
	if err != nil {
		return reply{}, err
	}
	if id, err := pathNumber(r, "id"); err == nil && ev.IssueID != id { // it moved
		return redirect(d.links.event(ev.IssueID, ev.Number)), nil
	}
	page := eventPage{shell: shell{Title: fmt.Sprintf("%s event %d: %s", shortID(issue), ev.Number, ev.Title), Trail: d.issueTrail(trail, issue)}}
	if page.issueHead, err = d.newIssueHead(rx, r, issue, tabEvent); err != nil {
		return reply{}, err
	}
	if page.Event, err = d.viewEvent(rx, issue.ID, ev, parseEventOptions(r)); err != nil {
		return reply{}, err
	}
	return show("event", page), nil
}

// showEventJSON sends what the client sent, for people and programs that want
// all of it.
func (d *Dashboard) showEventJSON(rx *store.Rx, r *http.Request) (reply, error) {
	issue, err := pathIssueAlone(rx, r)
	if err != nil {
		return reply{}, err
	}
	ev, err := pathEvent(rx, r)
	if err != nil {
		return reply{}, err
	}
	body, err := rx.EventBody(ev.ID)
	if err != nil {
		return reply{}, err
	}
	return reply{document: &document{
		contentType: "application/json; charset=utf-8",
		filename:    fmt.Sprintf("%s-event-%d.json", shortID(issue), ev.Number),
		body:        ReadableJSON(body.JSON),
	}}, nil
}

// findEvent leads from an SDK's event id to the event's page, and from a short id to
// the issue's.
func (d *Dashboard) findEvent(rx *store.Rx, r *http.Request) (reply, error) {
	text := r.PathValue("event")
	if text == "" {
		text = r.URL.Query().Get("id")
	}
	id, err := event.ParseID(strings.TrimSpace(text))
	if err != nil {
		if issue, err := issueByShort(rx, text); err == nil && who(r).In(issue.ProjectID) >= access.Viewer {
			return redirect(d.links.issue(issue.ID)), nil
		}
		return reply{}, fmt.Errorf("%w: %w", errNoEvent, err)
	}
	events, err := rx.EventsByID(id)
	if err != nil {
		return reply{}, err
	}
	// Several projects may have it: the newest that this person may see.
	for _, ev := range events {
		if who(r).In(ev.ProjectID) >= access.Viewer {
			return redirect(d.links.event(ev.IssueID, ev.Number)), nil
		}
	}
	return reply{}, errNoEvent
}

// pathIssueAlone is pathIssue for what is no page and has no crumbs.
func pathIssueAlone(rx *store.Rx, r *http.Request) (store.Issue, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return store.Issue{}, err
	}
	return wholeIssue(rx, id)
}

// pathEvent loads the event that the path names: the {number}-th of the issue {id},
// which may be a member of another; or that was this before it moved.
func pathEvent(rx *store.Rx, r *http.Request) (store.Event, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return store.Event{}, err
	}
	number, err := pathNumber(r, "number")
	if err != nil {
		return store.Event{}, err
	}
	ev, err := rx.EventByNumber(id, number)
	if errors.Is(err, store.ErrNotFound) {
		return rx.MovedEvent(id, number)
	}
	return ev, err
}

// issueTrail returns the crumbs of a page below an issue's overview.
func (d *Dashboard) issueTrail(trail []crumb, issue store.Issue) []crumb {
	return append(trail, crumb{Text: shortID(issue), URL: d.links.issue(issue.ID)})
}

// viewEvent loads and parses all that an event page shows. An event whose body
// is gone or cannot be parsed still has a page, which says so.
func (d *Dashboard) viewEvent(rx *store.Rx, issue int64, ev store.Event, options eventOptions) (*eventView, error) {
	place, err := rx.EventPlace(issue, ev.ID)
	if err != nil {
		return nil, err
	}
	view := &eventView{Event: ev, Place: place, Options: options}
	view.Share = strings.TrimRight(d.cfg.PublicURL, "/") + strings.TrimPrefix(d.links.event(ev.IssueID, ev.Number), d.links.base)
	if view.Attached, err = d.viewAttached(rx, ev.ProjectID, ev.EventID); err != nil {
		return nil, err
	}
	body, err := rx.EventBody(ev.ID)
	if errors.Is(err, store.ErrNotFound) {
		view.Problem = "The content of this event is no longer stored."
		return view, nil
	}
	if err != nil {
		return nil, err
	}
	view.Meta = body.Meta
	parsed, err := body.Event()
	if err != nil {
		view.Problem = "The content of this event could not be read. Its JSON is below, as it was received."
		return view, nil
	}
	parsed.ResolveIP(body.Meta.RemoteIP)
	if view.Maps, err = d.viewMaps(rx, ev.ProjectID, parsed, body.Symbols, options); err != nil {
		return nil, err
	}
	view.fill(parsed, d.languages)
	return view, nil
}
