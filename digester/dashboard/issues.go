package dashboard

import (
	"net/http"
	"net/url"
	"strconv"

	"sundew/digester/store"
)

// issuesPerPage is how many issues a page of the list has.
const issuesPerPage = 50

// issueList is what the address of an issue list says. The zero value is what an
// address without a query means.
type issueList struct {
	State stateFilter
	Sort  store.IssueSort
	Page  int // from 0
}

// stateFilter is a tab of the issue list.
type stateFilter int

const (
	onlyOpen stateFilter = iota
	onlyResolved
	anyState
)

// states returns what the store is asked for.
func (f stateFilter) states() []store.IssueState {
	switch f {
	case onlyResolved:
		return []store.IssueState{store.StateResolved}
	case anyState:
		return nil
	}
	return []store.IssueState{store.StateOpen}
}

// parseIssueList reads a query. What it does not understand is the default.
func parseIssueList(r *http.Request) issueList {
	const lastPage = 10_000 // beyond it nobody looks; it bounds the offset
	list := issueList{Page: int(queryNumber(r, "page", lastPage, 1)) - 1}
	switch r.URL.Query().Get("state") {
	case "resolved":
		list.State = onlyResolved
	case "all":
		list.State = anyState
	}
	if r.URL.Query().Get("sort") == "events" {
		list.Sort = store.SortEvents
	}
	return list
}

// query is the inverse of parseIssueList.
func (l issueList) query() string {
	q := url.Values{}
	switch l.State {
	case onlyResolved:
		q.Set("state", "resolved")
	case anyState:
		q.Set("state", "all")
	}
	if l.Sort == store.SortEvents {
		q.Set("sort", "events")
	}
	if l.Page > 0 {
		q.Set("page", strconv.Itoa(l.Page+1))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// issuesPage is a project's issue list.
type issuesPage struct {
	shell
	Project store.Project
	List    issueList
	Tabs    []tab
	Sorts   []tab
	Rows    []issueRow
	Pager   pager
	First   string // address of the list's first page
	Notice  string // what a form has just done
}

// tab is one of several views of the same thing.
type tab struct {
	Text    string
	Count   string // empty: none is shown
	URL     string
	Current bool
}

// issueRow is one issue of the list.
type issueRow struct {
	store.Issue
	Chart chart
}

// PageNumber is what people call the page.
func (p issuesPage) PageNumber() int { return p.List.Page + 1 }

// OpenOnly reports whether the tab of open issues is shown.
func (p issuesPage) OpenOnly() bool { return p.List.State == onlyOpen }

// ResolvedRow reports whether the issue is resolved.
func (r issueRow) ResolvedRow() bool { return r.State == store.StateResolved }

func (d *Dashboard) showIssues(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	list := parseIssueList(r)
	page := issuesPage{
		shell:   shell{Title: project.Name, Trail: d.trail()},
		Project: project, List: list,
		Sorts:  d.sortTabs(project, list),
		Notice: resolvedWords(r),
	}
	counts, err := rx.IssueCounts(project.ID)
	if err != nil {
		return reply{}, err
	}
	page.Tabs = d.stateTabs(project, list, counts)
	issues, more, err := rx.Issues(store.IssueQuery{
		Project: project.ID, States: list.State.states(), Sort: list.Sort,
		Offset: list.Page * issuesPerPage, Limit: issuesPerPage,
	})
	if err != nil {
		return reply{}, err
	}
	if page.Rows, err = d.issueRows(rx, issues); err != nil {
		return reply{}, err
	}
	page.First = d.links.issues(project.ID, issueList{State: list.State, Sort: list.Sort})
	page.Pager = d.issuesPager(project, list, more)
	return show("issues", page), nil
}

func (d *Dashboard) issuesPager(p store.Project, list issueList, more bool) pager {
	pages := pager{NewerText: "Previous", OlderText: "Next", Text: "Page " + strconv.Itoa(list.Page+1)}
	if list.Page > 0 {
		pages.Newer = d.links.issues(p.ID, issueList{list.State, list.Sort, list.Page - 1})
	}
	if more {
		pages.Older = d.links.issues(p.ID, issueList{list.State, list.Sort, list.Page + 1})
	}
	return pages
}

// issueRows adds the graphs to a list of issues.
func (d *Dashboard) issueRows(rx *store.Rx, issues []store.Issue) ([]issueRow, error) {
	now := d.cfg.Now()
	ids := make([]int64, len(issues))
	for i, issue := range issues {
		ids[i] = issue.ID
	}
	hours, err := rx.IssueHours(ids, chartStart(now))
	if err != nil {
		return nil, err
	}
	rows := make([]issueRow, len(issues))
	for i, issue := range issues {
		rows[i] = issueRow{Issue: issue, Chart: newChart(hours[issue.ID], now)}
	}
	return rows, nil
}

func (d *Dashboard) stateTabs(p store.Project, list issueList, counts store.StateCounts) []tab {
	newTab := func(text string, state stateFilter, n int64) tab {
		return tab{
			Text: text, Count: formatCount(n), Current: list.State == state,
			URL: d.links.issues(p.ID, issueList{State: state, Sort: list.Sort}),
		}
	}
	return []tab{
		newTab("Open", onlyOpen, counts.Open),
		newTab("Resolved", onlyResolved, counts.Resolved),
		newTab("All", anyState, counts.Open+counts.Resolved+counts.Muted),
	}
}

func (d *Dashboard) sortTabs(p store.Project, list issueList) []tab {
	newTab := func(text string, sort store.IssueSort) tab {
		return tab{
			Text: text, Current: list.Sort == sort,
			URL: d.links.issues(p.ID, issueList{State: list.State, Sort: sort}),
		}
	}
	return []tab{newTab("Last seen", store.SortLastSeen), newTab("Events", store.SortEvents)}
}

// trail returns the crumbs of a page right below the project list.
func (d *Dashboard) trail() []crumb {
	return []crumb{{Text: "Projects", URL: d.links.home()}}
}

// projectTrail returns the crumbs of a page below a project's issue list.
func (d *Dashboard) projectTrail(p store.Project) []crumb {
	return append(d.trail(), crumb{Text: p.Name, URL: d.links.openIssues(p.ID)})
}
