package api

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/schema/event"
)

// issueRoutes are about issues: each is there twice, since tools know an issue by its
// organization and without it.
func (a *API) issueRoutes() {
	const tag = "Issues"
	viewer := ofIssue(access.Viewer)
	listed := Doc{Tag: tag, Summary: "Search issues", Text: "The query is in the language of the dashboard's search; a part that is not understood answers 400 with where it is wrong.", Query: listParams(), Paged: true}
	read(a, "/organizations/{org}/issues/", readEvents, anyone, listed, a.issuesOfAll)
	read(a, "/projects/{org}/{project}/issues/", readEvents, ofProject(access.Viewer), listed, a.issuesOfProject)
	bulk := Doc{Tag: tag, Summary: "Change issues", Text: "Those of the ids; without any, those that the query finds. Without either it is about all of them.", Query: bulkParams()}
	change(a, "PUT", "/organizations/{org}/issues/", "change issues by API", writeEvents, a.about(anyone), bulk, a.changeIssues)
	change(a, "PUT", "/projects/{org}/{project}/issues/", "change issues by API", writeEvents, a.about(ofProject(access.Member)), bulk, a.changeIssues)
	bulk = Doc{Tag: tag, Summary: "Delete issues", Text: "Those of the ids. They can be restored for 10 minutes.", Query: bulkParams()[:1], Status: 204}
	change(a, "DELETE", "/organizations/{org}/issues/", "delete issues by API", adminEvents, a.about(anyone), bulk, a.deleteIssues)
	change(a, "DELETE", "/projects/{org}/{project}/issues/", "delete issues by API", adminEvents, a.about(ofProject(access.Admin)), bulk, a.deleteIssues)
	for _, at := range []string{"/issues/{issue}/", "/organizations/{org}/issues/{issue}/"} {
		read(a, at, readEvents, viewer, Doc{Tag: tag, Summary: "An issue, by number or short id"}, a.issue)
		change(a, "PUT", at, "change issue by API", writeEvents, ofIssue(access.Member), Doc{Tag: tag, Summary: "Change an issue"}, a.changeIssue)
		change(a, "DELETE", at, "delete issue by API", adminEvents, ofIssue(access.Admin), Doc{Tag: tag, Summary: "Delete an issue", Text: "It can be restored for 10 minutes.", Status: 202}, a.deleteIssue)
	}
	read(a, "/organizations/{org}/shortids/{issue}/", readEvents, viewer, Doc{Tag: tag, Summary: "The issue that has a short id"}, a.shortID)
}

// Issue is a group of events that are one problem.
type Issue struct {
	ID                  string           `json:"id"`
	ShortID             string           `json:"shortId"`
	ShareID             *string          `json:"shareId"`
	Title               string           `json:"title"`
	Culprit             string           `json:"culprit"`
	Permalink           string           `json:"permalink"`
	Logger              *string          `json:"logger"`
	Level               string           `json:"level"`
	Status              string           `json:"status"`
	StatusDetails       StatusDetails    `json:"statusDetails"`
	Substatus           *string          `json:"substatus"`
	IsPublic            bool             `json:"isPublic"`
	Platform            string           `json:"platform"`
	Project             ProjectRef       `json:"project"`
	Type                string           `json:"type"`
	IssueType           string           `json:"issueType"`
	IssueCategory       string           `json:"issueCategory"`
	Metadata            Metadata         `json:"metadata"`
	NumComments         int64            `json:"numComments"`
	AssignedTo          *Actor           `json:"assignedTo"`
	IsBookmarked        bool             `json:"isBookmarked"`
	IsSubscribed        bool             `json:"isSubscribed"`
	SubscriptionDetails *None            `json:"subscriptionDetails"`
	HasSeen             bool             `json:"hasSeen"`
	Annotations         List[string]     `json:"annotations"`
	IsUnhandled         bool             `json:"isUnhandled"`
	Count               string           `json:"count"`
	UserCount           int64            `json:"userCount"`
	FirstSeen           Time             `json:"firstSeen"`
	LastSeen            Time             `json:"lastSeen"`
	Stats               map[string]Stats `json:"stats"`
}

// Stats are numbers of events in each stretch of time, with when it began.
type Stats List[Stat]

// Stat is a moment, in Unix seconds, and a number.
type Stat [2]int64

// Metadata is what an issue's title is made of.
type Metadata struct {
	Title string `json:"title"`
	Type  string `json:"type,omitempty"`
	Value string `json:"value"`
}

// StatusDetails is how an issue was resolved or muted; of an open one nothing.
type StatusDetails struct {
	InRelease     string `json:"inRelease,omitempty"`
	InNextRelease bool   `json:"inNextRelease,omitempty"`
	IgnoreUntil   *Time  `json:"ignoreUntil,omitempty"`
	IgnoreCount   int64  `json:"ignoreCount,omitempty"`  // how many more events there have to be
	IgnoreWindow  int64  `json:"ignoreWindow,omitempty"` // within how many minutes
}

// Actor is a person or a team.
type Actor struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

// ofIssue asks for a role in the project of the issue that {issue} names, by number or
// short id, and puts the issue into the request. One that was merged is that which it
// was merged into; one that is deleted is not there.
func ofIssue(least access.Role) guard {
	return func(rx *store.Rx, r *request) (err error) {
		if r.issue, err = issueNamed(rx, r.PathValue("issue")); err != nil {
			return err
		}
		if r.project, err = rx.Project(r.issue.ProjectID); err != nil {
			return err
		}
		return enough(r.person.In(r.issue.ProjectID), least)
	}
}

// issueNamed returns an issue by number or short id.
func issueNamed(rx *store.Rx, name string) (store.Issue, error) {
	id, err := strconv.ParseInt(name, 10, 64)
	var issue store.Issue
	if err == nil {
		issue, err = rx.Issue(id)
	} else {
		slug, number, ok := cutShortID(name)
		if !ok {
			return issue, store.ErrNotFound
		}
		issue, err = rx.IssueByShortID(slug, number)
	}
	if err == nil && issue.MergedInto != 0 {
		issue, err = rx.Issue(issue.MergedInto)
	}
	if err == nil && issue.State == store.StateDeleted {
		err = store.ErrNotFound
	}
	return issue, err
}

// namesIssue reports whether a name can be that of an issue.
func namesIssue(name string) bool {
	_, err := strconv.ParseInt(name, 10, 64)
	_, _, short := cutShortID(name)
	return err == nil || short
}

// cutShortID reads a name like SHOP-42.
func cutShortID(name string) (slug string, number int64, ok bool) {
	dash := strings.LastIndexByte(name, '-')
	if dash < 1 {
		return "", 0, false
	}
	number, err := strconv.ParseInt(name[dash+1:], 10, 64)
	return strings.ToLower(name[:dash]), number, err == nil
}

// issueViews shows issues, with numbers of a period: "24h", "14d" or none.
func issueViews(rx *store.Rx, r *request, issues []store.Issue, period string) (List[Issue], error) {
	ids, who := make([]int64, len(issues)), make([]store.Assignee, 0, len(issues))
	for i, issue := range issues {
		ids[i] = issue.ID
		if a := issue.Assignee; a != (store.Assignee{}) && !slices.Contains(who, a) {
			who = append(who, a)
		}
	}
	names, err := rx.AssigneeNames(who)
	if err != nil {
		return nil, err
	}
	marks, err := rx.IssueMarks(ids)
	if err != nil {
		return nil, err
	}
	stats, err := statsOf(rx, ids, period, r.api.cfg.Now())
	if err != nil {
		return nil, err
	}
	projects, err := projectRefs(rx)
	if err != nil {
		return nil, err
	}
	views := make(List[Issue], len(issues))
	for i, issue := range issues {
		views[i] = issueView(r, issue, marks[issue.ID])
		views[i].Project, views[i].Stats = projects[issue.ProjectID], stats[issue.ID]
		if views[i].AssignedTo, err = actorOf(rx, issue.Assignee, names[issue.Assignee]); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// projectRefs are all projects, by number.
func projectRefs(rx *store.Rx) (map[event.ProjectID]ProjectRef, error) {
	all, err := rx.Projects()
	refs := make(map[event.ProjectID]ProjectRef, len(all))
	for _, p := range all {
		refs[p.ID] = projectRef(p)
	}
	return refs, err
}

// issueView is what an issue says of itself.
func issueView(r *request, issue store.Issue, marks store.IssueMarks) Issue {
	status, details, substatus := statusOf(issue, marks, r.api.cfg.Now())
	kind, value, _ := strings.Cut(issue.Title, ": ")
	view := Issue{
		ID: number(issue.ID), ShortID: issue.ShortID(), Title: issue.Title, Culprit: issue.Culprit, Permalink: r.link("/issues/" + number(issue.ID)),
		Level: issue.Level.String(), Status: status, StatusDetails: details, Platform: issue.Platform,
		Type: "error", IssueType: "error", IssueCategory: "error", Metadata: Metadata{Title: issue.Title, Type: kind, Value: value},
		NumComments: marks.Comments, HasSeen: true, Count: number(issue.Events), UserCount: issue.Users,
		FirstSeen: Time{issue.FirstSeen}, LastSeen: Time{issue.LastSeen},
	}
	if substatus != "" {
		view.Substatus = &substatus
	}
	return view
}

// statusOf says in the words that tools know what people decided about an issue.
func statusOf(issue store.Issue, marks store.IssueMarks, now time.Time) (status string, d StatusDetails, substatus string) {
	lately := now.Add(-search.NewFor)
	switch issue.State {
	case store.StateResolved:
		switch issue.Resolution.Kind {
		case triage.ResolvedIn:
			d.InRelease = issue.Resolution.Release
		case triage.ResolvedNext:
			d.InNextRelease = true
		}
		return "resolved", d, ""
	case store.StateMuted:
		m := issue.Mute
		switch m.Kind {
		case triage.MuteWorse:
			return "ignored", d, "archived_until_escalating"
		case triage.MuteUntil:
			d.IgnoreUntil = &Time{m.Until}
		case triage.MuteMore:
			d.IgnoreCount = max(1, m.Events-issue.Events)
		case triage.MuteRate:
			d.IgnoreCount, d.IgnoreWindow = m.Events, int64(m.Period/time.Minute)
		default:
			return "ignored", d, "archived_forever"
		}
		return "ignored", d, "archived_until_condition_met"
	}
	switch {
	case !marks.CameBack.Before(lately):
		return "unresolved", d, "regressed"
	case !issue.FirstSeen.Before(lately):
		return "unresolved", d, "new"
	}
	return "unresolved", d, "ongoing"
}

// actorOf is whom an issue is assigned to; nil: nobody.
func actorOf(rx *store.Rx, to store.Assignee, name string) (*Actor, error) {
	switch {
	case to.Team != 0:
		return &Actor{Type: "team", ID: number(to.Team), Name: strings.TrimPrefix(name, "#")}, nil
	case to.User == 0:
		return nil, nil
	}
	user, err := rx.User(to.User)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &Actor{Type: "user", ID: number(to.User), Name: name, Email: user.Email}, err
}

// statsOf counts the events of issues in the hours of a day, or the days of two weeks.
func statsOf(rx *store.Rx, issues []int64, period string, now time.Time) (map[int64]map[string]Stats, error) {
	step, n := time.Hour, 24
	switch period {
	case "":
		return nil, nil
	case "14d":
		step, n = 24*time.Hour, 14
	}
	since := now.UTC().Truncate(step).Add(-time.Duration(n-1) * step)
	hours, err := rx.IssueHours(issues, since)
	stats := make(map[int64]map[string]Stats, len(issues))
	for _, id := range issues {
		all := make(Stats, n)
		for i := range all {
			all[i][0] = since.Add(time.Duration(i) * step).Unix()
		}
		for _, h := range hours[id] {
			if i := int(h.Hour.Sub(since) / step); i >= 0 && i < n {
				all[i][1] += h.Count
			}
		}
		stats[id] = map[string]Stats{period: all}
	}
	return stats, err
}

// IssueDetails is an issue with more about it.
type IssueDetails struct {
	Issue
	FirstRelease *ReleaseRef      `json:"firstRelease"`
	LastRelease  *ReleaseRef      `json:"lastRelease"`
	Tags         List[TagSummary] `json:"tags"`
	Activity     List[Activity]   `json:"activity"`
	SeenBy       List[User]       `json:"seenBy"`
	Participants List[User]       `json:"participants"`
	PluginIssues List[None]       `json:"pluginIssues"`
	UserReports  int64            `json:"userReportCount"`
}

// ReleaseRef is a release as other things mention it.
type ReleaseRef struct {
	Version      string `json:"version"`
	ShortVersion string `json:"shortVersion"`
}

func releaseRef(version string) *ReleaseRef {
	if version == "" {
		return nil
	}
	short := version
	if _, after, ok := strings.Cut(version, "@"); ok {
		short = after
	}
	return &ReleaseRef{Version: version, ShortVersion: short}
}

func (a *API) issue(rx *store.Rx, r *request) (IssueDetails, error) {
	views, err := issueViews(rx, r, []store.Issue{r.issue}, "24h")
	if err != nil {
		return IssueDetails{}, err
	}
	days, err := statsOf(rx, []int64{r.issue.ID}, "14d", a.cfg.Now())
	if err != nil {
		return IssueDetails{}, err
	}
	view := IssueDetails{Issue: views[0]}
	view.Stats["14d"] = days[r.issue.ID]["14d"]
	releases, err := rx.IssueReleases(r.issue.ID)
	if err != nil {
		return view, err
	}
	view.FirstRelease, view.LastRelease = releaseRef(releases.First), releaseRef(releases.Last)
	if view.Activity, err = activitiesOf(rx, r.issue); err != nil {
		return view, err
	}
	view.Tags, err = tagSummaries(rx, r.issue.ID)
	return view, err
}

// ShortID is the answer to whose a short id is.
type ShortID struct {
	OrganizationSlug string `json:"organizationSlug"`
	ProjectSlug      string `json:"projectSlug"`
	GroupID          string `json:"groupId"`
	ShortID          string `json:"shortId"`
	Group            Issue  `json:"group"`
}

func (a *API) shortID(rx *store.Rx, r *request) (ShortID, error) {
	views, err := issueViews(rx, r, []store.Issue{r.issue}, "24h")
	if err != nil {
		return ShortID{}, err
	}
	return ShortID{OrganizationSlug: r.org(), ProjectSlug: r.issue.Project, GroupID: number(r.issue.ID), ShortID: r.issue.ShortID(), Group: views[0]}, nil
}
