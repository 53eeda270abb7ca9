package dashboard

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/schema/event"
)

// issuesPerPage is how many issues a page of the list has.
const issuesPerPage = 50

// issuesPage is an issue list: of a project, of a team, or of all that a person sees.
type issuesPage struct {
	shell
	Project store.Project // the zero project: a list of several
	Heading string
	Base    string // address of the list, without a query
	Areas   []tab  // of the project
	List    issueList
	Lists   []tab // other lists of several projects
	Tabs    []tab
	Error   *queryError
	Fields  []listField
	Saved   savedView
	Rows    []issueRow
	Pager   pager
	Looked  *lookedView // nil: at all issues
	Unknown string      // what the query names and is nowhere, if nothing was found
	First   string      // address of the list's first page
	All     string      // address of the list without any condition
	Notice  string      // what a form has just done
	Deed    *deedView   // likewise, about issues of the list
	Bulk    *bulkBar
	Quota   *quotaView // of the project; nil: nothing is limited
	Events  int64      // ever, of all its projects
	Started bool       // there is a project
}

// tab is one of several views of the same thing.
type tab struct {
	Text    string
	Count   string // empty: none is shown
	URL     string
	Current bool
}

// listField is a field beside the query.
type listField struct {
	Name, Label string
	All         string // what no choice is called; empty: the first choice is meant
	Choices     []choice
	Value       string
}

// queryError is a query with the place that is wrong.
type queryError struct {
	Says                 []said
	Before, Wrong, After string
}

// said is a part of a message; code is a part of a query.
type said struct {
	Text string
	Code bool
}

// PageNumber is what people call the page.
func (p issuesPage) PageNumber() int { return p.List.Page + 1 }

// Filtered reports whether the list asks for more than a state.
func (p issuesPage) Filtered() bool {
	return p.List.Environment+p.List.Release+p.List.Since != "" || p.rest() != ""
}

// OpenOnly reports whether all open issues are shown, and nothing else.
func (p issuesPage) OpenOnly() bool { return p.List.Query == openQuery && !p.Filtered() }

func (p issuesPage) rest() string {
	q, err := search.Parse(p.List.Query)
	if err != nil {
		return p.List.Query
	}
	_, rest := states(p.List.Query, q)
	return rest
}

// showProject is GET /projects/{id}, for who shortens an address by hand: a project is
// its issues.
func (d *Dashboard) showProject(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	return redirect(d.links.openIssues(project.ID)), err
}

// showIssues is GET /projects/{id}/issues.
func (d *Dashboard) showIssues(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page := issuesPage{
		shell: shell{Title: project.Name, Trail: d.trail()}, Heading: project.Name, Project: project, Base: d.links.openIssues(project.ID),
		Areas:  d.areas(r, project, areaIssues),
		Notice: resolvedWords(r),
	}
	if page.Quota, err = d.newQuotaView(rx, who(r), project.ID); err != nil {
		return reply{}, err
	}
	return d.listIssues(rx, r, page, store.SearchPlace{Project: project.ID}, []store.Project{project})
}

// showTeamIssues is GET /teams/{id}/issues.
func (d *Dashboard) showTeamIssues(rx *store.Rx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	team, err := rx.Team(id)
	if err != nil {
		return reply{}, err
	}
	page := issuesPage{shell: shell{Title: team.Name, Trail: d.trail()}, Heading: "Issues of " + team.Name, Base: d.links.teamIssues(id)}
	projects, err := rx.Projects()
	if err != nil {
		return reply{}, err
	}
	projects = slices.DeleteFunc(projects, func(p store.Project) bool { return p.TeamID != id })
	return d.listIssues(rx, r, page, store.SearchPlace{Team: id}, projects)
}

// showAllIssues is GET /issues: those of all projects that the person sees.
func (d *Dashboard) showAllIssues(rx *store.Rx, r *http.Request) (reply, error) {
	projects, err := rx.Projects()
	if err != nil {
		return reply{}, err
	}
	projects = slices.DeleteFunc(projects, func(p store.Project) bool { return who(r).In(p.ID) == access.None })
	page := issuesPage{shell: shell{Title: "All issues", Trail: d.trail()}, Heading: "All issues", Base: d.links.allIssues()}
	return d.listIssues(rx, r, page, store.SearchPlace{}, projects)
}

// listIssues fills a page with a search in some projects. A query that cannot be
// understood is shown with what is wrong.
func (d *Dashboard) listIssues(rx *store.Rx, r *http.Request, page issuesPage, place store.SearchPlace, projects []store.Project) (reply, error) {
	page.List = parseIssueList(r)
	page.Started, page.Deed = len(projects) > 0, d.newDeedView(r)
	ids := make([]event.ProjectID, len(projects))
	for i, p := range projects {
		ids[i] = p.ID
		page.Events += p.Events
	}
	page.First, page.All = page.link(page.List.onPage(0)), page.link(issueList{Graph: page.List.Graph, Sort: page.List.Sort})
	var err error
	if page.Saved, err = d.savedView(rx, r, page, place); err != nil {
		return reply{}, err
	}
	if page.Bulk, err = newBulkBar(rx, r, page.link(page.List), projects); err != nil {
		return reply{}, err
	}
	if page.Fields, err = listFields(rx, page.List, ids); err != nil {
		return reply{}, err
	}
	if page.Project.ID == 0 {
		if page.Lists, err = d.listTabs(rx, who(r), place); err != nil {
			return reply{}, err
		}
	}
	query, err := search.Parse(page.List.Query)
	if err == nil {
		if page.Tabs, err = page.stateTabs(rx, query, ids); err != nil {
			return reply{}, err
		}
		err = d.findRows(rx, r, &page, query, ids)
	}
	rep := show("issues", &page)
	var wrong *search.Error
	if errors.As(err, &wrong) {
		page.Error = newQueryError(page.List.Query, wrong)
		rep.status = http.StatusUnprocessableEntity
		err = nil
	}
	return rep, err
}

// findRows runs the search.
func (d *Dashboard) findRows(rx *store.Rx, r *http.Request, page *issuesPage, query search.Query, ids []event.ProjectID) error {
	list := page.List
	found, err := rx.Find(store.Search{
		Projects: ids, Query: append(query, list.filters()...), Text: list.Query, Me: who(r).ID, Sort: list.sort(),
		Before: list.Before, Offset: list.Page * issuesPerPage, Limit: issuesPerPage, Now: d.cfg.Now(),
	})
	if err != nil {
		return err
	}
	if page.Rows, err = d.issueRows(rx, found.Issues, list.Graph); err != nil {
		return err
	}
	page.Pager = pager{NewerText: "Previous", OlderText: "Next", Text: "Page " + strconv.Itoa(list.Page+1)}
	if list.Page > 0 {
		page.Pager.Newer = page.link(list.onPage(list.Page - 1))
	}
	if found.More {
		page.Pager.Older = page.link(list.onPage(list.Page + 1))
	}
	page.Looked = page.newLookedView(found)
	if len(page.Rows) == 0 && list.Page == 0 {
		page.Unknown, err = unknownIn(rx, query, ids)
	}
	return err
}

func (l issueList) onPage(n int) issueList {
	l.Page = n
	return l
}

// link leads to another view of the list.
func (p issuesPage) link(list issueList) string { return p.Base + list.query() }

func newQueryError(text string, e *search.Error) *queryError {
	says := e.Error()
	says = strings.ToUpper(says[:1]) + says[1:]
	wrong := &queryError{Before: text[:e.At], Wrong: text[e.At:e.End], After: text[e.End:]}
	for i, part := range strings.Split(says, "`") {
		wrong.Says = append(wrong.Says, said{Text: part, Code: i%2 == 1})
	}
	return wrong
}

// stateTabs are shortcuts into the query: each sets the state that it asks for and
// leaves all else as it is. Numbers are shown where nothing else is asked for.
func (p issuesPage) stateTabs(rx *store.Rx, query search.Query, ids []event.ProjectID) ([]tab, error) {
	asked, rest := states(p.List.Query, query)
	var counts store.StateCounts
	var err error
	if !p.Filtered() {
		if counts, err = rx.CountStates(ids); err != nil {
			return nil, err
		}
	}
	newTab := func(text, state string, n int64) tab {
		list := p.List.onPage(0)
		list.Before = time.Time{}
		if list.Query = rest; state != "" {
			list.Query = strings.TrimSpace("is:" + state + " " + rest)
		}
		t := tab{Text: text, Current: asked == state, URL: p.link(list)}
		if !p.Filtered() {
			if t.Count = formatCount(n); n > store.MaxStateCount {
				t.Count = formatCount(store.MaxStateCount) + "+"
			}
		}
		return t
	}
	return []tab{
		newTab("Open", "unresolved", counts.Open),
		newTab("Resolved", "resolved", counts.Resolved),
		newTab("Muted", "muted", counts.Muted),
		newTab("All", "", counts.Open+counts.Resolved+counts.Muted),
	}, nil
}

// listTabs leads from one list of several projects to another.
func (d *Dashboard) listTabs(rx *store.Rx, p access.Person, place store.SearchPlace) ([]tab, error) {
	teams, err := rx.Teams()
	if err != nil {
		return nil, err
	}
	tabs := []tab{{Text: "All projects", URL: d.links.allIssues(), Current: place.Team == 0}}
	for _, t := range teams {
		if p.Teams[t.ID] != access.None || t.ID == place.Team {
			tabs = append(tabs, tab{Text: t.Name, URL: d.links.teamIssues(t.ID), Current: t.ID == place.Team})
		}
	}
	if len(tabs) == 1 {
		return nil, nil
	}
	return tabs, nil
}

// listFields are the fields beside the query, with what can be chosen.
func listFields(rx *store.Rx, list issueList, ids []event.ProjectID) ([]listField, error) {
	facets, err := rx.Facets(ids)
	if err != nil {
		return nil, err
	}
	return []listField{
		{Name: "env", Label: "Environment", All: "All environments", Choices: choicesOf(facets.Environments, list.Environment), Value: list.Environment},
		{Name: "release", Label: "Release", All: "All releases", Choices: choicesOf(facets.Releases, list.Release), Value: list.Release},
		{Name: "since", Label: "Last seen in", All: "Any time", Choices: spans(), Value: list.Since},
		{Name: "sort", Label: "Sort by", Choices: issueSorts(), Value: list.Sort},
		{Name: "graph", Label: "Graph", Choices: graphSpans(), Value: list.Graph},
	}, nil
}

// choicesOf makes choices of values, that of the address among them.
func choicesOf(values []string, value string) []choice {
	if value != "" && !slices.Contains(values, value) {
		values = append([]string{value}, values...)
	}
	choices := make([]choice, len(values))
	for i, v := range values {
		choices[i] = choice{v, v}
	}
	return choices
}

// trail returns the crumbs of a page right below the project list.
func (d *Dashboard) trail() []crumb {
	return []crumb{{Text: "Projects", URL: d.links.home()}}
}

// projectTrail returns the crumbs of a page below a project's issue list.
func (d *Dashboard) projectTrail(p store.Project) []crumb {
	return append(d.trail(), crumb{Text: p.Name, URL: d.links.openIssues(p.ID)})
}
