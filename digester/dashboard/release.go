package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

const (
	// issuesOfRelease is how many issues each list of a release's page has.
	issuesOfRelease = 50

	// releaseDays is how many days the graph of a release shows, today included.
	releaseDays = 30
)

// releasePage is one release of a project.
type releasePage struct {
	shell
	Project      store.Project
	Areas        []tab
	Notice       string
	Error        string // why the form came back
	Release      store.Release
	Seen         bool // by an event; a release may only be made or deployed yet
	Day, Week    share
	Environments []releaseEnvironment
	All          string // address of the list of all its issues
	New          []store.Issue
	Regressed    []store.Issue
	Graph        dayGraph
	Deploys      []store.Deploy
	Commits      []releaseCommit
	MoreCommits  bool         // than are shown
	Deploy       store.Deploy // as typed, when the form comes back
	Records      bool         // who asks may record deploys
}

// releaseEnvironment is where a release was seen.
type releaseEnvironment struct {
	store.Environment
	Share share
}

func (d *Dashboard) showRelease(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.releasePage(rx, r, p, r.URL.Query().Get("version"))
	return show("release", page), err
}

func (d *Dashboard) releasePage(rx *store.Rx, r *http.Request, p store.Project, version string) (releasePage, error) {
	page := releasePage{
		shell: shell{Title: version, Trail: append(d.projectTrail(p), crumb{"Releases", d.links.releases(p.ID, releaseList{})})},
		Areas: d.areas(r, p, areaReleases), Project: p, Notice: settledWords(r.URL.Query().Get("done")),
		Records: who(r).In(p.ID) >= access.Member,
	}
	var err error
	if page.Deploys, err = rx.Deploys(p.ID, version, 20); err != nil {
		return page, err
	}
	page.Release, err = rx.Release(p.ID, version)
	if errors.Is(err, store.ErrNotFound) && len(page.Deploys) > 0 {
		page.Release.Version = version
		return page, nil
	}
	if err != nil {
		return page, err
	}
	if err := page.addCommits(rx); err != nil {
		return page, err
	}
	page.Seen = page.Release.Events > 0
	if !page.Seen {
		return page, nil
	}
	return page, d.fillRelease(rx, &page)
}

// fillRelease reads what events of a release made.
func (d *Dashboard) fillRelease(rx *store.Rx, page *releasePage) error {
	p, version, now := page.Project, page.Release.Version, d.cfg.Now()
	adoptions, err := rx.Adoptions(p.ID, nil, now)
	if err != nil {
		return err
	}
	row := d.releaseRows(p, []store.Release{page.Release}, adoptions)[0]
	page.Day, page.Week = row.Day, row.Week
	page.All = d.links.issuesAt(store.SearchPlace{Project: p.ID}, issueList{Release: version})
	environments, err := rx.ReleaseEnvironments(p.ID, version)
	if err != nil {
		return err
	}
	for _, e := range environments {
		page.Environments = append(page.Environments, releaseEnvironment{e, newShare(e.Events, page.Release.Events)})
	}
	if page.New, err = rx.NewIssues(p.ID, version, issuesOfRelease); err != nil {
		return err
	}
	if page.Regressed, err = rx.RegressedIssues(p.ID, version, page.Release.CreatedAt, issuesOfRelease); err != nil {
		return err
	}
	hours, err := rx.ReleaseHours(p.ID, version, firstDay(now), now)
	page.Graph = newDayGraph(hours, now)
	return err
}

// addDeploy is POST /projects/{id}/deploys: a release went somewhere just now.
func (d *Dashboard) addDeploy(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	deploy := store.Deploy{Release: r.PostFormValue("release"), Environment: r.PostFormValue("environment"), Name: r.PostFormValue("name")}
	_, err = deed.AddDeploy(tx, d.by(r), p, deploy)
	if words := formWords(err); words != "" {
		page, err := d.releasePage(&tx.Rx, r, p, deploy.Release)
		page.Error, page.Deploy = words, deploy
		return returned("release", page), err
	}
	return d.afterDeploy(tx, p, deploy, "deployed", err)
}

// removeDeploy is POST /projects/{id}/deploys/{deploy}/remove.
func (d *Dashboard) removeDeploy(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	id, err := pathNumber(r, "deploy")
	if err != nil {
		return reply{}, err
	}
	deploy, err := deed.RemoveDeploy(tx, d.by(r), p, id)
	return d.afterDeploy(tx, p, deploy, "deploy-removed", err)
}

func (d *Dashboard) afterDeploy(tx *store.Tx, p store.Project, deploy store.Deploy, word string, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	to := d.links.releases(p.ID, releaseList{})
	if _, err := tx.Release(p.ID, deploy.Release); err == nil || word == "deployed" {
		return redirect(d.links.release(p.ID, deploy.Release) + "&done=" + word), nil
	}
	return redirect(d.links.done(to, word)), nil
}

// dayGraph is a bar graph of events a day. Its unit is arbitrary: the style sheet
// stretches it.
type dayGraph struct {
	Bars  []bar
	Total int64
	Peak  int64
	Label string // all that the graph says, in words
	From  string // the first day
}

// Width is that of all bars.
func (g dayGraph) Width() int { return len(g.Bars)*barStep - 2 }

// firstDay is the beginning of a graph that is made now.
func firstDay(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-releaseDays)
}

func newDayGraph(hours []store.HourCount, now time.Time) dayGraph {
	start := firstDay(now)
	g := dayGraph{Bars: make([]bar, releaseDays), From: start.Format("2 Jan")}
	for _, h := range hours {
		if i := int(h.Hour.Sub(start) / (24 * time.Hour)); i >= 0 && i < releaseDays {
			g.Bars[i].Count += h.Count
			g.Total += h.Count
			g.Peak = max(g.Peak, g.Bars[i].Count)
		}
	}
	for i := range g.Bars {
		b := &g.Bars[i]
		b.X, b.Height = i*barStep, barHeight(b.Count, g.Peak)
		b.Y = chartHeight - b.Height
		b.Text = start.AddDate(0, 0, i).Format("Mon 2 Jan") + ": " + formatCounted(b.Count, "event")
	}
	g.Label = fmt.Sprintf("%s in the last %d days, at most %s a day", formatCounted(g.Total, "event"), releaseDays, formatCount(g.Peak))
	return g
}
