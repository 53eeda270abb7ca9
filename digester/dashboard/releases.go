package dashboard

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/schema/event"
)

const (
	// releasesPerPage is how many releases a page of the list by date has.
	releasesPerPage = 50

	// releasesCompared is how many of the newest releases the list by version has.
	releasesCompared = 500
)

// releaseRoutes are the routes of releases.
func (d *Dashboard) releaseRoutes() {
	d.get("/projects/{id}/releases", ofProject(access.Viewer), d.showReleases)
	d.get("/projects/{id}/release", ofProject(access.Viewer), d.showRelease)
	d.post("/projects/{id}/deploys", "record deploy", ofProject(access.Member), d.addDeploy)
	d.post("/projects/{id}/deploys/{deploy}/remove", "remove deploy", ofProject(access.Member), d.removeDeploy)
}

// releaseList is what the address of a list of releases says. The zero value is what
// an address without a query means.
type releaseList struct {
	ByVersion   bool
	InOne       bool // environment, the next field
	Environment string
	Before      int64 // the id of the last release of the page in front
}

func parseReleaseList(r *http.Request) releaseList {
	q := r.URL.Query()
	return releaseList{
		ByVersion: q.Get("sort") == "version", InOne: q.Has("environment"), Environment: q.Get("environment"),
		Before: queryNumber(r, "before", 1<<62, 0),
	}
}

// query is the inverse of parseReleaseList.
func (l releaseList) query() string {
	q := url.Values{}
	if l.ByVersion {
		q.Set("sort", "version")
	}
	if l.InOne {
		q.Set("environment", l.Environment)
	}
	if l.Before > 0 {
		q.Set("before", strconv.FormatInt(l.Before, 10))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// environment is the store's way to say which one.
func (l releaseList) environment() *string {
	if !l.InOne {
		return nil
	}
	return &l.Environment
}

// releasesPage is a project's releases.
type releasesPage struct {
	shell
	Project      store.Project
	Areas        []tab
	Environments []tab
	Sorts        []tab
	Rows         []releaseRow
	Pager        pager
	Cut          bool // there are more than a list by version has
	Filtered     bool // by an environment
	First        bool // page
}

// releaseRow is one release of the list.
type releaseRow struct {
	store.Release
	URL       string
	Day, Week share
}

// share is a part of a whole, for people and as a bar of 100.
type share struct {
	Text  string
	Width int
	Count int64
}

func newShare(part, whole int64) share {
	s := share{Text: percent(part, whole), Count: part}
	if whole > 0 {
		s.Width = int(part * 100 / whole)
	}
	return s
}

func (d *Dashboard) showReleases(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	list := parseReleaseList(r)
	page := releasesPage{
		shell: shell{Title: "Releases of " + p.Name, Trail: d.trail()}, Project: p, Areas: d.areas(r, p, areaReleases),
		Sorts: []tab{
			{Text: "First seen", URL: d.links.releases(p.ID, releaseList{InOne: list.InOne, Environment: list.Environment}), Current: !list.ByVersion},
			{Text: "Version", URL: d.links.releases(p.ID, releaseList{ByVersion: true, InOne: list.InOne, Environment: list.Environment}), Current: list.ByVersion},
		},
		Filtered: list.InOne, First: list.Before == 0,
	}
	environments, err := rx.ShownEnvironments(p.ID)
	if err != nil {
		return reply{}, err
	}
	page.Environments = d.environmentTabs(p, list, environments)
	releases, more, err := readReleases(rx, p.ID, list)
	if err != nil {
		return reply{}, err
	}
	adoptions, err := rx.Adoptions(p.ID, list.environment(), d.cfg.Now())
	if err != nil {
		return reply{}, err
	}
	page.Rows = d.releaseRows(p, releases, adoptions)
	if page.Cut = more && list.ByVersion; !list.ByVersion {
		page.Pager = d.releasesPager(p, list, releases, more)
	}
	return show("releases", page), nil
}

// readReleases returns the releases of a page and whether there are more.
func readReleases(rx *store.Rx, project event.ProjectID, list releaseList) ([]store.Release, bool, error) {
	query := store.ReleaseQuery{Project: project, Environment: list.environment(), Before: list.Before, Limit: releasesPerPage}
	if !list.ByVersion {
		return rx.Releases(query)
	}
	var all []store.Release
	for query.Before, query.Limit = 0, 100; ; query.Before = all[len(all)-1].ID {
		some, more, err := rx.Releases(query)
		all = append(all, some...)
		if err != nil || !more || len(all) >= releasesCompared {
			sortByVersion(all)
			return all, more, err
		}
	}
}

// sortByVersion sorts releases by semantic versioning, the highest first and package
// by package; names that are no versions come behind those of their package, the
// newest first.
func sortByVersion(releases []store.Release) {
	slices.SortStableFunc(releases, func(a, b store.Release) int {
		pa, pb := packageOf(a.Version), packageOf(b.Version)
		if pa != pb {
			return strings.Compare(pa, pb)
		}
		va, vb := isVersion(a.Version), isVersion(b.Version)
		switch {
		case va && !vb:
			return -1
		case !va && vb:
			return 1
		}
		c, _ := triage.CompareReleases(b.Version, a.Version)
		return c
	})
}

// packageOf is what stands before the version in a release's name.
func packageOf(version string) string {
	if i := strings.LastIndexByte(version, '@'); i >= 0 {
		return version[:i+1]
	}
	return ""
}

// isVersion reports whether a release can be compared with others of its package.
func isVersion(version string) bool {
	lowest := packageOf(version) + "0.0.0-0"
	_, told := triage.CompareReleases(version, lowest)
	return told || version == lowest
}

func (d *Dashboard) releaseRows(p store.Project, releases []store.Release, adoptions map[string]store.Adoption) []releaseRow {
	var whole store.Adoption
	for _, a := range adoptions {
		whole.Day += a.Day
		whole.Week += a.Week
	}
	rows := make([]releaseRow, len(releases))
	for i, release := range releases {
		a := adoptions[release.Version]
		rows[i] = releaseRow{
			Release: release, URL: d.links.release(p.ID, release.Version),
			Day: newShare(a.Day, whole.Day), Week: newShare(a.Week, whole.Week),
		}
	}
	return rows
}

// environmentTabs are the environments to filter by; one that is filtered by is
// there even if it is hidden.
func (d *Dashboard) environmentTabs(p store.Project, list releaseList, environments []store.Environment) []tab {
	tabs := []tab{{Text: "All environments", URL: d.links.releases(p.ID, releaseList{ByVersion: list.ByVersion}), Current: !list.InOne}}
	there := !list.InOne
	for _, e := range environments {
		there = there || e.Name == list.Environment
	}
	if !there {
		environments = append(environments, store.Environment{Name: list.Environment})
	}
	for _, e := range environments {
		tabs = append(tabs, tab{
			Text: environmentName(e.Name), Current: list.InOne && e.Name == list.Environment,
			URL: d.links.releases(p.ID, releaseList{ByVersion: list.ByVersion, InOne: true, Environment: e.Name}),
		})
	}
	return tabs
}

// environmentName is what an environment is called on pages.
func environmentName(name string) string {
	if name == "" {
		return "(none)"
	}
	return name
}

func (d *Dashboard) releasesPager(p store.Project, list releaseList, releases []store.Release, more bool) pager {
	pages := pager{NewerText: "Newest", OlderText: "Older"}
	if list.Before > 0 {
		pages.Newer = d.links.releases(p.ID, releaseList{InOne: list.InOne, Environment: list.Environment})
	}
	if more {
		next := list
		next.Before = releases[len(releases)-1].ID
		pages.Older = d.links.releases(p.ID, next)
	}
	return pages
}
