package dashboard

import (
	"net/url"
	"strconv"
	"strings"

	"sundew/digester/deed"
	"sundew/digester/search"
	"sundew/digester/store"
	"sundew/schema/event"
)

// links makes every address of the pages, because every one of them begins with
// the path under which the dashboard is published.
type links struct {
	base string // without a slash at its end; empty: published at the root
}

func (l links) home() string     { return l.base + "/" }
func (l links) projects() string { return l.base + "/projects" }
func (l links) find() string     { return l.base + "/events" }

// signIn leads to the page that asks who somebody is, and from there to next, "" for
// the first page.
func (l links) signIn(next string) string {
	to := l.base + "/sign-in"
	if next != "" {
		to += "?" + url.Values{"next": {next}}.Encode()
	}
	return to
}

func (l links) signOut() string { return l.base + "/sign-out" }

// owner leads to the page that makes the first owner.
func (l links) owner(secret string) string { return l.base + "/setup/" + secret }

// system leads to whether the installation is well.
func (l links) system() string { return l.base + "/system" }

// ledger leads to the books, of one project or, with zero, of all.
func (l links) ledger(id event.ProjectID) string {
	to := l.base + "/ledger"
	if id != 0 {
		to += "?project=" + strconv.FormatInt(int64(id), 10)
	}
	return to
}

// limits leads to what all projects together may report.
func (l links) limits() string      { return l.base + "/limits" }
func (l links) deadLetters() string { return l.base + "/dead-letters" }
func (l links) retryDead() string   { return l.deadLetters() + "/retry" }

// deadLetter leads to a dead letter of a queue.
func (l links) deadLetter(queue, id string) string {
	return l.deadLetters() + "/letter?" + url.Values{"queue": {queue}, "id": {id}}.Encode()
}

// retried leads to the dead letters and says how many were put back.
func (l links) retried(n int) string { return l.deadLetters() + "?retried=" + strconv.Itoa(n) }

func (l links) asset(name string) string { return l.base + "/static/" + name }

func (l links) project(id event.ProjectID) string {
	return l.base + "/projects/" + strconv.FormatInt(int64(id), 10)
}

// setup leads to the set-up page, for a platform or, with "", for the first.
func (l links) setup(id event.ProjectID, platform string) string {
	to := l.project(id) + "/setup"
	if platform != "" {
		to += "?" + url.Values{"platform": {platform}}.Encode()
	}
	return to
}

// issuesAt leads to an issue list; what is the default is left out.
func (l links) issuesAt(place store.SearchPlace, list issueList) string {
	switch {
	case place.Project != 0:
		return l.openIssues(place.Project) + list.query()
	case place.Team != 0:
		return l.teamIssues(place.Team) + list.query()
	}
	return l.allIssues() + list.query()
}

func (l links) allIssues() string { return l.base + "/issues" }

func (l links) teamIssues(team int64) string {
	return l.base + "/teams/" + strconv.FormatInt(team, 10) + "/issues"
}

func (l links) searches() string { return l.base + "/searches" }

func (l links) deleteSearch(id int64) string {
	return l.searches() + "/" + strconv.FormatInt(id, 10) + "/delete"
}

// withParam adds a parameter to an address.
func withParam(to, name, value string) string {
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + url.Values{name: {value}}.Encode()
}

func (l links) openIssues(id event.ProjectID) string { return l.project(id) + "/issues" }

// tagged leads to a project's issues with a value of a tag; empty if nobody can ask for it.
func (l links) tagged(id event.ProjectID, key, value string) string {
	text, ok := search.TagText(key, value)
	if !ok {
		return ""
	}
	return l.openIssues(id) + issueList{Query: text}.query()
}

// issuesResolved leads to the open issues and says how many were just resolved.
func (l links) issuesResolved(id event.ProjectID, n int) string {
	return l.openIssues(id) + "?resolved=" + strconv.Itoa(n)
}

// quiet leads to the page about issues not seen for some days; zero: the default.
func (l links) quiet(id event.ProjectID, days int64) string {
	to := l.project(id) + "/quiet"
	if days != 0 {
		to += "?days=" + strconv.FormatInt(days, 10)
	}
	return to
}

// feedback leads to a project's feedback older than the one with that id; zero is the
// newest page.
func (l links) feedback(project event.ProjectID, before int64) string {
	to := l.project(project) + "/feedback"
	if before > 0 {
		to += "?before=" + strconv.FormatInt(before, 10)
	}
	return to
}

func (l links) attachment(project event.ProjectID, id int64) string {
	return l.project(project) + "/attachments/" + strconv.FormatInt(id, 10)
}

func (l links) issue(id int64) string { return l.base + "/issues/" + strconv.FormatInt(id, 10) }

// act leads to the form that does something to an issue.
func (l links) act(id int64, verb string) string { return l.issue(id) + "/" + verb }

func (l links) bulk() string          { return l.base + "/issues/bulk" }
func (l links) merge(id int64) string { return l.act(id, string(deed.Merge)) }

// short leads to an issue by its short id, for ever.
func (l links) short(id string) string { return l.base + "/s/" + url.PathEscape(id) }

// comments leads to the form that adds a comment to an issue.
func (l links) comments(issue int64) string { return l.issue(issue) + "/comments" }

// comment leads to the form that changes one.
func (l links) comment(issue, comment int64) string {
	return l.comments(issue) + "/" + strconv.FormatInt(comment, 10)
}

// editComment leads to an issue with a comment to be changed.
func (l links) editComment(issue, comment int64) string {
	return l.issue(issue) + "?edit=" + strconv.FormatInt(comment, 10) // its field takes the focus, which scrolls to it
}

// historyEntry leads to an entry of an issue's history; 0: to its beginning.
func (l links) historyEntry(issue, entry int64) string {
	if entry == 0 {
		return l.issue(issue) + "#history"
	}
	return l.issue(issue) + "#entry-" + strconv.FormatInt(entry, 10)
}

// apiDocs leads to what programs can ask.
func (l links) apiDocs() string { return l.base + "/docs/api" }

// shortcuts leads to the list of keyboard shortcuts.
func (l links) shortcuts() string { return l.base + "/shortcuts" }

// events leads to an issue's list of events in front of the one with an id; zero is
// the newest page.
func (l links) events(issue, before int64) string {
	to := l.issue(issue) + "/events"
	if before > 0 {
		to += "?before=" + strconv.FormatInt(before, 10)
	}
	return to
}

// newerEvents leads to the events right behind the one with an id.
func (l links) newerEvents(issue, after int64) string {
	return l.issue(issue) + "/events?after=" + strconv.FormatInt(after, 10)
}

func (l links) event(issue, number int64) string {
	return l.issue(issue) + "/events/" + strconv.FormatInt(number, 10)
}

// eventAs leads to an event page as a reader wants to see it.
func (l links) eventAs(issue, number int64, options eventOptions) string {
	return l.event(issue, number) + options.query()
}

// eventMarkdown leads to an event as text, to be pasted elsewhere.
func (l links) eventMarkdown(issue, number int64) string {
	return l.event(issue, number) + "/markdown"
}

func (l links) eventJSON(issue, number int64) string { return l.event(issue, number) + "/json" }

// DSN returns what an SDK is configured with to report to a project. publicURL
// is the installation's address; a path in it is kept.
func DSN(publicURL, key string, project event.ProjectID) string {
	scheme, rest, _ := strings.Cut(publicURL, "://")
	return scheme + "://" + key + "@" + strings.TrimRight(rest, "/") + "/" + strconv.FormatInt(int64(project), 10)
}
