package api

import (
	"errors"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
)

const (
	// statsDays is how many days the numbers of a release are of, today included.
	statsDays = 30

	// issuesOfRelease is how many issues each list of a release has.
	issuesOfRelease = 50
)

// releaseStatsRoutes are about what events of a release made.
func (a *API) releaseStatsRoutes() {
	read(a, "/projects/{org}/{project}/releases/{version}/stats/", readReleases, ofProject(access.Viewer), Doc{Tag: "Releases", Summary: "What events of a release made",
		Text: "How many there were, of which share of the project's, where, and which issues are new in it or came back. Sundew's own."}, a.releaseStats)
}

// ReleaseStats is what events of a release made.
type ReleaseStats struct {
	Version         string                   `json:"version"`
	Events          int64                    `json:"events"` // ever
	FirstEvent      Time                     `json:"firstEvent"`
	LastEvent       Time                     `json:"lastEvent"`
	Day             Adoption                 `json:"day"`  // in the last 24 hours
	Week            Adoption                 `json:"week"` // in the last 7 days
	Environments    List[ReleaseEnvironment] `json:"environments"`
	Days            Stats                    `json:"days"` // events of each of 30 days, UTC, today included
	NewIssues       List[Issue]              `json:"newIssues"`
	RegressedIssues List[Issue]              `json:"regressedIssues"`
}

// Adoption is how many of a project's events are of a release.
type Adoption struct {
	Events int64 `json:"events"`
	Of     int64 `json:"of"`
}

// ReleaseEnvironment is where a release was seen.
type ReleaseEnvironment struct {
	Name       string `json:"name"` // empty: of events that name none
	Events     int64  `json:"events"`
	FirstEvent Time   `json:"firstEvent"`
	LastEvent  Time   `json:"lastEvent"`
}

func (a *API) releaseStats(rx *store.Rx, r *request) (ReleaseStats, error) {
	p, version, now := r.project.ID, r.PathValue("version"), a.cfg.Now()
	release, err := rx.Release(p, version)
	if err != nil {
		return ReleaseStats{}, err
	}
	view := ReleaseStats{Version: version, Events: release.Events, FirstEvent: Time{release.First}, LastEvent: Time{release.Last}}
	adoptions, err := rx.Adoptions(p, nil, now)
	if err != nil {
		return view, err
	}
	view.Day.Events, view.Week.Events = adoptions[version].Day, adoptions[version].Week
	for _, other := range adoptions {
		view.Day.Of += other.Day
		view.Week.Of += other.Week
	}
	environments, err := rx.ReleaseEnvironments(p, version)
	if err != nil {
		return view, err
	}
	for _, e := range environments {
		view.Environments = append(view.Environments, ReleaseEnvironment{e.Name, e.Events, Time{e.First}, Time{e.Last}})
	}
	if view.Days, err = releaseDays(rx, r, version, now); err != nil {
		return view, err
	}
	fresh, err := rx.NewIssues(p, version, issuesOfRelease)
	if err != nil {
		return view, err
	}
	back, err := rx.RegressedIssues(p, version, release.CreatedAt, issuesOfRelease)
	if err != nil {
		return view, err
	}
	if view.NewIssues, err = wholeViews(rx, r, fresh); err != nil {
		return view, err
	}
	view.RegressedIssues, err = wholeViews(rx, r, back)
	return view, err
}

// releaseDays are the events of a release by day.
func releaseDays(rx *store.Rx, r *request, version string, now time.Time) (Stats, error) {
	const day = 24 * time.Hour
	first := now.UTC().Truncate(day).Add(-(statsDays - 1) * day)
	hours, err := rx.ReleaseHours(r.project.ID, version, first, now)
	days := make(Stats, statsDays)
	for i := range days {
		days[i][0] = first.Add(time.Duration(i) * day).Unix()
	}
	for _, h := range hours {
		if i := int(h.Hour.Sub(first) / day); i >= 0 && i < statsDays {
			days[i][1] += h.Count
		}
	}
	return days, err
}

// wholeViews shows issues that a list knows less of, in its order.
func wholeViews(rx *store.Rx, r *request, issues []store.Issue) (List[Issue], error) {
	var whole []store.Issue
	for _, one := range issues {
		issue, err := rx.Issue(one.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		whole = append(whole, issue)
	}
	return issueViews(rx, r, whole, "")
}
