package dashboard

import (
	"net/http"
	"time"

	"sundew/digester/store"
	"sundew/digester/triage"
)

// valuesPerTag is how many values of a tag an issue page names; the rest is
// summed up.
const valuesPerTag = 5

// issueHead is the top of every page about an issue.
type issueHead struct {
	Issue   store.Issue
	Current issueTab
}

// issueTab is one of the views of an issue.
type issueTab int

const (
	tabNewest issueTab = iota
	tabEvents
	tabEvent // a certain event: none of the tabs
)

// Newest reports whether the page is the issue's overview.
func (h issueHead) Newest() bool { return h.Current == tabNewest }

// List reports whether the page is the list of events.
func (h issueHead) List() bool { return h.Current == tabEvents }

// Resolved reports whether the issue's button says "Reopen".
func (h issueHead) Resolved() bool { return h.Issue.State == store.StateResolved }

// issuePage is an issue with its newest event.
type issuePage struct {
	shell
	issueHead
	Chart   chart
	Tags    []tagView
	History []historyView
	Similar []similarView
	Event   *eventView // nil when no event is stored
}

// tagView is how an issue's events divide over the values of a tag.
type tagView struct {
	Key    string
	Values []tagValue
}

// tagValue is one value, or all that is not named.
type tagValue struct {
	Text  string
	Count int64
	Share string // "42%"
	Width int    // of its bar, in percent
	Rest  bool   // stands for several values
}

// historyView is one thing that happened to an issue.
type historyView struct {
	At   time.Time
	Text string
	URL  string // of the event that caused it, if one did
}

func (d *Dashboard) showIssue(rx *store.Rx, r *http.Request) (reply, error) {
	issue, trail, err := d.pathIssue(rx, r)
	if err != nil {
		return reply{}, err
	}
	if to, moved := d.moved(r, issue); moved {
		return redirect(d.links.issue(to)), nil
	}
	page := issuePage{
		shell:     shell{Title: shortID(issue) + " " + issue.Title, Trail: trail},
		issueHead: issueHead{Issue: issue, Current: tabNewest},
	}
	now := d.cfg.Now()
	hours, err := rx.IssueHours([]int64{issue.ID}, chartStart(now))
	if err != nil {
		return reply{}, err
	}
	page.Chart = newChart(hours[issue.ID], now)
	if page.Tags, err = issueTags(rx, issue); err != nil {
		return reply{}, err
	}
	if page.History, err = d.issueHistory(rx, issue); err != nil {
		return reply{}, err
	}
	if page.Similar, err = similarIssues(rx, issue); err != nil {
		return reply{}, err
	}
	newest, _, err := rx.Events(issue.ID, 0, 1)
	if err != nil {
		return reply{}, err
	}
	if len(newest) > 0 {
		if page.Event, err = d.viewEvent(rx, issue.ID, newest[0], parseEventOptions(r)); err != nil {
			return reply{}, err
		}
	}
	return show("issue", page), nil
}

// setIssueState is POST /issues/{id}/resolve and /reopen.
func (d *Dashboard) setIssueState(state store.IssueState) writer {
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		id, err := pathNumber(r, "id")
		if err != nil {
			return reply{}, err
		}
		var changed []int64
		if state == store.StateResolved {
			changed, err = tx.Resolve([]int64{id}, triage.Resolution{}, who(r).ID)
		} else {
			changed, err = tx.Reopen([]int64{id}, who(r).ID)
		}
		if err != nil {
			return reply{}, err
		}
		if len(changed) > 0 {
			err = d.auditIssueState(tx, r, id, state)
		}
		return redirect(d.links.issue(id)), err
	}
}

func (d *Dashboard) auditIssueState(tx *store.Tx, r *http.Request, id int64, state store.IssueState) error {
	issue, err := tx.Issue(id)
	if err != nil {
		return err
	}
	action := "issue.reopen"
	if state == store.StateResolved {
		action = "issue.resolve"
	}
	return d.audit(tx, r, store.AuditEntry{Action: action, Project: issue.ProjectID, Subject: shortID(issue)})
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

func issueTags(rx *store.Rx, issue store.Issue) ([]tagView, error) {
	counts, err := rx.IssueTags(issue.ID, valuesPerTag)
	if err != nil {
		return nil, err
	}
	return newTagViews(counts, issue.Events), nil
}

// maxTagKeys bounds the tags of an issue page: clients may make up any number.
const maxTagKeys = 40

// newTagViews groups counts by key. Shares are of all the issue's events; what
// the named values leave open, untagged events included, is one last row.
func newTagViews(counts []store.TagCount, events int64) []tagView {
	var views []tagView
	for _, c := range counts {
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

func newTagValue(text string, count, events int64) tagValue {
	v := tagValue{Text: text, Count: count, Share: percent(count, events)}
	if events > 0 {
		v.Width = int(max(1, min(100, count*100/events)))
	}
	return v
}

func (d *Dashboard) issueHistory(rx *store.Rx, issue store.Issue) ([]historyView, error) {
	entries, err := rx.History(issue.ID)
	if err != nil {
		return nil, err
	}
	views := make([]historyView, 0, len(entries))
	for i := len(entries) - 1; i >= 0; i-- { // newest first, like everything here
		view := historyView{At: entries[i].At, Text: historyText(entries[i].Kind)}
		if ev := entries[i].Event; ev.Number != 0 {
			view.URL = d.links.event(ev.Issue, ev.Number)
		}
		views = append(views, view)
	}
	return views, nil
}

// historyText says in words what happened. Kinds that this program does not know
// come from a newer one and are shown as they are.
func historyText(kind string) string {
	switch kind {
	case store.HistoryCreated:
		return "First seen"
	case store.HistoryResolved:
		return "Resolved"
	case store.HistoryReopened:
		return "Reopened"
	case store.HistoryRegressed:
		return "Came back after it was resolved"
	case store.HistoryMuted:
		return "Muted"
	case store.HistoryUnmuted:
		return "No longer muted"
	case store.HistoryAssigned:
		return "Assigned"
	case store.HistoryComment:
		return "Commented on"
	case store.HistoryMerged:
		return "Merged"
	case store.HistoryUnmerged:
		return "Unmerged"
	case store.HistoryDeleted:
		return "Deleted"
	case store.HistoryRestored:
		return "Restored"
	}
	return kind
}
