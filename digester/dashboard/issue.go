package dashboard

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// valuesPerTag is how many values of a tag an issue page names; the rest is
// summed up.
const valuesPerTag = 5

// issuePage is an issue with its newest event.
type issuePage struct {
	shell
	issueHead
	Chart   chart
	Spans   []tab         // what else the graph can show
	Places  []tagView     // releases and environments
	Tags    []tagView     // all others
	Members []store.Issue // that are merged into it
	History historyList
	Similar []deed.Alike
	Event   *eventView // nil when no event is stored
}

// tagView is how an issue's events divide over the values of a tag.
type tagView struct {
	Key    string
	Values []tagValue
}

// sharesView are tags of a project's issue, whose values lead to its list.
type sharesView struct {
	Project event.ProjectID
	Of      []tagView
}

// newShares returns nil where there is no tag.
func newShares(project event.ProjectID, of []tagView) *sharesView {
	if len(of) == 0 {
		return nil
	}
	return &sharesView{project, of}
}

// tagValue is one value, or all that is not named.
type tagValue struct {
	Text  string
	Count int64
	Share string // "42%"
	Width int    // of its bar, in percent
	Rest  bool   // stands for several values
}

func (d *Dashboard) showIssue(rx *store.Rx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	issue, err := rx.Issue(id)
	if err == nil && issue.State == store.StateDeleted {
		return d.showDeletedIssue(rx, r, issue)
	}
	if err == nil {
		issue, err = wholeIssue(rx, id)
	}
	if err != nil {
		return reply{}, err
	}
	if to, moved := d.moved(r, issue); moved {
		return redirect(d.links.issue(to)), nil
	}
	page, err := d.issuePage(rx, r, issue)
	return show("issue", page), err
}

// issuePage reads all that an issue's overview shows.
func (d *Dashboard) issuePage(rx *store.Rx, r *http.Request, issue store.Issue) (*issuePage, error) {
	project, err := rx.Project(issue.ProjectID)
	if err != nil {
		return nil, err
	}
	page := &issuePage{shell: shell{Title: shortID(issue) + " " + issue.Title, Trail: d.projectTrail(project)}}
	if page.issueHead, err = d.newIssueHead(rx, r, issue, tabNewest); err != nil {
		return nil, err
	}
	graph := known(graphSpans()[1:], r.URL.Query().Get("graph"))
	now, span := d.cfg.Now(), graphOf(graph)
	hours, err := rx.IssueHours([]int64{issue.ID}, span.start(now))
	if err != nil {
		return nil, err
	}
	page.Chart, page.Spans = newChartOf(hours[issue.ID], now, span), d.graphTabs(r, graph)
	if page.Places, page.Tags, err = issueTags(rx, issue); err != nil {
		return nil, err
	}
	if page.History, err = d.issueHistory(rx, r, issue); err != nil {
		return nil, err
	}
	if page.Similar, err = deed.SimilarIssues(rx, issue); err != nil {
		return nil, err
	}
	if issue.HasMembers {
		if page.Members, err = rx.Members(issue.ID); err != nil {
			return nil, err
		}
	}
	newest, _, err := rx.Events(issue.ID, 0, 1)
	if err != nil {
		return nil, err
	}
	if len(newest) > 0 {
		if page.Event, err = d.viewEvent(rx, issue.ID, newest[0], parseEventOptions(r)); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// graphTabs leads to an issue's page with each of the graphs, all else as it is.
func (d *Dashboard) graphTabs(r *http.Request, graph string) []tab {
	here := r.URL.Query()
	for _, name := range append(deedParams(), "edit", "graph") {
		here.Del(name)
	}
	tabs := make([]tab, 0, len(graphSpans()))
	for i, span := range graphSpans() {
		q := url.Values{}
		maps.Copy(q, here)
		value := span.Value
		if i == 0 { // the default is left out
			value = ""
		} else {
			q.Set("graph", value)
		}
		to := d.links.base + r.URL.EscapedPath()
		if len(q) > 0 {
			to += "?" + q.Encode()
		}
		tabs = append(tabs, tab{Text: span.Text, URL: to + "#graph", Current: value == graph})
	}
	return tabs
}

// deletedIssuePage is what is left of an issue that was deleted: for a while it can be
// taken back.
type deletedIssuePage struct {
	shell
	Issue   store.Issue
	Until   time.Time // the last moment
	MayUndo bool
	Project store.Project
}

// showDeletedIssue is showIssue for one that was deleted.
func (d *Dashboard) showDeletedIssue(rx *store.Rx, r *http.Request, issue store.Issue) (reply, error) {
	until := issue.AsideAt.Add(store.DeletionUndo)
	if !until.After(d.cfg.Now()) {
		return reply{}, store.ErrNotFound
	}
	project, err := rx.Project(issue.ProjectID)
	page := deletedIssuePage{
		shell: shell{Title: shortID(issue) + " was deleted", Trail: d.projectTrail(project)},
		Issue: issue, Until: until, MayUndo: who(r).In(issue.ProjectID) >= deed.Restore.Least(), Project: project,
	}
	return reply{status: http.StatusGone, page: "issuedeleted", data: page}, err
}

// pathIssue loads the issue that the path's {id} names, of a merged one its head, and
// the crumbs above it.
func (d *Dashboard) pathIssue(rx *store.Rx, r *http.Request) (store.Issue, []crumb, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return store.Issue{}, nil, err
	}
	issue, err := wholeIssue(rx, id)
	if err != nil {
		return store.Issue{}, nil, err
	}
	project, err := rx.Project(issue.ProjectID)
	if err != nil {
		return store.Issue{}, nil, err
	}
	return issue, d.projectTrail(project), nil
}

// wholeIssue loads an issue, of a merged one its head. A deleted one is not there.
func wholeIssue(rx *store.Rx, id int64) (store.Issue, error) {
	issue, err := rx.Issue(id)
	if err == nil && issue.State == store.StateMerged {
		issue, err = rx.Issue(issue.MergedInto)
	}
	if err == nil && issue.State == store.StateDeleted {
		err = store.ErrNotFound
	}
	return issue, err
}

// moved returns the issue that a page is about in place of the one that its address
// names, if that became part of another.
func (d *Dashboard) moved(r *http.Request, issue store.Issue) (to int64, moved bool) {
	id, err := pathNumber(r, "id")
	return issue.ID, err == nil && id != issue.ID
}

// issueTags reads how an issue's events divide over releases and environments, and
// over the values of all other tags.
func issueTags(rx *store.Rx, issue store.Issue) (places, tags []tagView, err error) {
	counts, err := rx.IssueTags(issue.ID, valuesPerTag)
	if err != nil {
		return nil, nil, err
	}
	for _, view := range newTagViews(counts, issue.Events) {
		if view.Key == "release" || view.Key == "environment" {
			places = append(places, view)
		} else {
			tags = append(tags, view)
		}
	}
	return places, tags, nil
}

// maxTagKeys bounds the tags of an issue page: clients may make up any number.
const maxTagKeys = 40

// newTagViews groups counts by key. Shares are of all the issue's events; what
// the named values leave open, untagged events included, is one last row.
func newTagViews(counts []store.TagCount, events int64) []tagView {
	var views []tagView
	hasUser := slices.ContainsFunc(counts, func(c store.TagCount) bool { return c.Key == "user" })
	for _, c := range counts {
		if hasUser && isNameOfUser(c.Key) {
			continue // the tag "user" says the same
		}
		if len(views) == 0 || views[len(views)-1].Key != c.Key {
			if len(views) == maxTagKeys {
				break
			}
			views = append(views, tagView{Key: c.Key})
		}
		v := &views[len(views)-1]
		v.Values = append(v.Values, newTagValue(c.Value, c.Count, events))
	}
	for i := range views {
		rest := events
		for _, v := range views[i].Values {
			rest -= v.Count
		}
		if rest > 0 {
			v := newTagValue("other or none", rest, events)
			v.Rest = true
			views[i].Values = append(views[i].Values, v)
		}
	}
	return views
}

// isNameOfUser reports whether a tag has further names of users.
func isNameOfUser(key string) bool {
	return slices.Contains([]string{"user.id", "user.email", "user.username", "user.ip"}, key)
}

func newTagValue(text string, count, events int64) tagValue {
	v := tagValue{Text: text, Count: count, Share: percent(count, events)}
	if events > 0 {
		v.Width = int(max(1, min(100, count*100/events)))
	}
	return v
}
