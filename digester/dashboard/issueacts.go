package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// actRoutes are the forms that do something to issues, and what leads to one.
func (d *Dashboard) actRoutes() {
	d.get("/s/{short}", signedIn, d.findShort)                          // it leads to an issue's page, which asks
	d.get("/organizations/{org}/issues/{short}", signedIn, d.findShort) // as tools write it that know organizations
	d.get("/shortcuts", open, d.showShortcuts)
	d.get("/docs/api", open, d.showAPI)
	d.post("/issues/bulk", "change issues", signedIn, d.bulk)
	for _, v := range []deed.Verb{deed.Resolve, deed.Reopen, deed.Mute, deed.Assign, deed.Delete, deed.Restore} {
		d.post("/issues/{id}/"+string(v), string(v)+" issue", ofIssue(v.Least()), d.actOnIssue(v))
	}
	d.get("/issues/{id}/merge", ofIssue(deed.Merge.Least()), d.showMerge)
	d.post("/issues/{id}/merge", "merge issues", ofIssue(deed.Merge.Least()), d.merge)
	d.post("/issues/{id}/unmerge", "unmerge issues", ofIssue(deed.Unmerge.Least()), d.unmerge)
	d.post("/issues/{id}/comments", "comment on issue", ofIssue(access.Member), d.comment)
	d.post("/issues/{id}/comments/{comment}", "edit comment", ofIssue(access.Member), d.editComment)
	d.post("/issues/{id}/comments/{comment}/delete", "delete comment", ofIssue(access.Member), d.deleteComment)
	d.post("/issues/{id}/comments/{comment}/restore", "restore comment", ofIssue(access.Member), d.restoreComment)
}

// actOnIssue is POST /issues/{id}/ and a verb.
func (d *Dashboard) actOnIssue(v deed.Verb) writer {
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		id, err := pathNumber(r, "id")
		if err != nil {
			return reply{}, err
		}
		a, err := parseAction(r.PostForm, v, who(r).ID, d.cfg.Now())
		if err != nil {
			return reply{}, err
		}
		if a.Verb != v {
			return reply{}, errForm // it would need another role
		}
		did, err := d.act(tx, r, a, []int64{id})
		if v == deed.Restore && errors.Is(err, store.ErrNotFound) {
			return reply{}, deed.Cannot(deed.TooLate)
		}
		if err != nil {
			return reply{}, err
		}
		if v != deed.Delete {
			return redirect(d.links.issue(id)), nil
		}
		project, err := tx.IssueProject(id)
		return redirect(did.params(d.links.openIssues(project))), err
	}
}

// findShort is GET /s/{short}: the permanent address of an issue, by its short id in
// any case; below an organization by its number, too.
func (d *Dashboard) findShort(rx *store.Rx, r *http.Request) (reply, error) {
	issue, err := issueByShort(rx, r.PathValue("short"))
	if id, errID := strconv.ParseInt(r.PathValue("short"), 10, 64); errID == nil && r.PathValue("org") != "" {
		issue, err = rx.Issue(id)
	}
	if err != nil {
		return reply{}, err
	}
	if who(r).In(issue.ProjectID) < access.Viewer {
		return reply{}, store.ErrNotFound
	}
	return redirect(d.links.issue(issue.ID)), nil
}

// issueByShort finds an issue by what people call it, as in SHOP-42.
func issueByShort(rx *store.Rx, short string) (store.Issue, error) {
	short = strings.TrimSpace(short)
	dash := strings.LastIndexByte(short, '-')
	if dash < 1 {
		return store.Issue{}, store.ErrNotFound
	}
	number, err := strconv.ParseInt(short[dash+1:], 10, 64)
	if err != nil {
		return store.Issue{}, store.ErrNotFound
	}
	return rx.IssueByShortID(strings.ToLower(short[:dash]), number)
}

// actChoices is what the forms of an action let people choose of.
type actChoices struct {
	Releases []string       // the newest first
	Users    []store.User   // without who looks
	Teams    []store.Team   // of which the project is
	Spans    []muteSpan     // for which an issue can be muted
	Me       int64          // who looks
	To       store.Assignee // whose it is now
}

// maxReleaseChoices bounds the releases of a form.
const maxReleaseChoices = 50

// readActChoices reads what there is to choose of for issues of a project.
func readActChoices(rx *store.Rx, p access.Person, project event.ProjectID) (actChoices, error) {
	choices := actChoices{Me: p.ID, Spans: muteSpans()}
	var err error
	if choices.Releases, err = rx.ReleaseNames(project, maxReleaseChoices); err != nil {
		return choices, err
	}
	who, err := rx.Assignees(project)
	choices.Users = slices.DeleteFunc(who.Users, func(u store.User) bool { return u.ID == p.ID })
	choices.Teams = who.Teams
	return choices, err
}

// issueHead is the top of every page about an issue.
type issueHead struct {
	Issue     store.Issue
	Stored    int64 // of its events; the others were counted only, or are removed
	Current   issueTab
	Words     string    // what was decided about it
	Until     time.Time // when that ends; zero: it does not say
	CameBack  bool      // lately, after it was resolved
	Assigned  string
	Releases  store.IssueReleases
	Permalink string
	Choices   *actChoices // nil: the person may only look at it
	MayDelete bool
	Deed      *deedView // what a form has just done
}

// issueTab is one of the views of an issue.
type issueTab int

const (
	tabNewest issueTab = iota
	tabEvents
	tabEvent // a certain event: none of the tabs
	tabMerge // likewise
)

// Newest reports whether the page is the issue's overview.
func (h issueHead) Newest() bool { return h.Current == tabNewest }

// List reports whether the page is the list of events.
func (h issueHead) List() bool { return h.Current == tabEvents }

// Open reports whether nobody has decided anything about the issue.
func (h issueHead) Open() bool { return h.Issue.State == store.StateOpen }

// Resolved reports whether the issue is resolved.
func (h issueHead) Resolved() bool { return h.Issue.State == store.StateResolved }

// Muted reports whether the issue is muted.
func (h issueHead) Muted() bool { return h.Issue.State == store.StateMuted }

// newIssueHead reads what a page about an issue has at its top.
func (d *Dashboard) newIssueHead(rx *store.Rx, r *http.Request, issue store.Issue, tab issueTab) (issueHead, error) {
	head := issueHead{Issue: issue, Current: tab, Deed: d.newDeedView(r), Permalink: d.permalink(issue)}
	head.Words, head.Until = stateWords(issue)
	var err error
	if head.Stored, err = rx.StoredCount(issue.ID); err != nil {
		return head, err
	}
	if head.Releases, err = rx.IssueReleases(issue.ID); err != nil {
		return head, err
	}
	marks, err := rx.IssueMarks([]int64{issue.ID})
	if err != nil {
		return head, err
	}
	head.CameBack = cameBack(issue, marks[issue.ID], d.cfg.Now())
	if head.Assigned, err = deed.AssigneeName(rx, issue.Assignee); err != nil && !errors.Is(err, store.ErrNotFound) {
		return head, err
	}
	role := who(r).In(issue.ProjectID)
	if role < deed.Resolve.Least() {
		return head, nil
	}
	head.MayDelete = role >= deed.Delete.Least()
	choices, err := readActChoices(rx, who(r), issue.ProjectID)
	choices.To = issue.Assignee
	head.Choices = &choices
	return head, err
}

// permalink is an issue's address for others, by its short id.
func (d *Dashboard) permalink(issue store.Issue) string {
	return strings.TrimRight(d.cfg.PublicURL, "/") + strings.TrimPrefix(d.links.short(shortID(issue)), d.links.base)
}

// mergePage is about what an issue consists of.
type mergePage struct {
	shell
	issueHead
	Members []store.Issue
	Similar []deed.Alike
	Error   string // why nothing was merged
	Typed   string // the short ids that were
}

// showMerge is GET /issues/{id}/merge.
func (d *Dashboard) showMerge(rx *store.Rx, r *http.Request) (reply, error) {
	issue, _, err := d.pathIssue(rx, r)
	if err != nil {
		return reply{}, err
	}
	if to, moved := d.moved(r, issue); moved {
		return redirect(d.links.merge(to)), nil
	}
	page, err := d.mergePage(rx, r, issue)
	return show("merge", page), err
}

func (d *Dashboard) mergePage(rx *store.Rx, r *http.Request, issue store.Issue) (mergePage, error) {
	project, err := rx.Project(issue.ProjectID)
	if err != nil {
		return mergePage{}, err
	}
	page := mergePage{shell: shell{Title: "Merge " + shortID(issue), Trail: d.issueTrail(d.projectTrail(project), issue)}}
	if page.issueHead, err = d.newIssueHead(rx, r, issue, tabMerge); err != nil {
		return page, err
	}
	if page.Members, err = rx.Members(issue.ID); err != nil {
		return page, err
	}
	page.Similar, err = deed.SimilarIssues(rx, issue)
	return page, err
}

// merge is POST /issues/{id}/merge: the issues that are chosen, and those whose short
// ids were typed, become members of the issue. Of another project's it says no more
// than of those that there are not.
func (d *Dashboard) merge(tx *store.Tx, r *http.Request) (reply, error) {
	issue, err := pathIssueAlone(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	typed := r.PostFormValue("short")
	ids, err := mergeIDs(&tx.Rx, issue, r.PostForm["issue"], typed)
	var did done
	if err == nil {
		did, err = d.act(tx, r, deed.Action{Verb: deed.Merge, Head: issue.ID}, ids)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = deed.Cannot("These issues are one already.")
	}
	var why *deed.Unfit
	if errors.As(err, &why) {
		page, err := d.mergePage(&tx.Rx, r, issue)
		page.Error, page.Typed = why.Words, typed
		return returned("merge", page), err
	}
	return redirect(did.params(d.links.issue(issue.ID))), err
}

// mergeIDs returns which issues of the same project are meant. The error is *deed.Unfit.
func mergeIDs(rx *store.Rx, issue store.Issue, chosen []string, typed string) ([]int64, error) {
	ids, err := formIDs(chosen)
	if err != nil {
		return nil, err
	}
	projects, err := rx.IssueProjects(ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if projects[id] != issue.ProjectID {
			return nil, deed.Cannot("One of these issues is not there any more.")
		}
	}
	for _, short := range strings.FieldsFunc(typed, func(c rune) bool { return c == ',' || c == ';' || c == ' ' || c == '\n' || c == '\r' }) {
		other, err := issueByShort(rx, short)
		if errors.Is(err, store.ErrNotFound) || err == nil && other.ProjectID != issue.ProjectID {
			return nil, deed.Cannot(fmt.Sprintf("This project has no issue %q.", short))
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, other.ID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	switch {
	case len(ids) == 0:
		return nil, deed.Cannot("Choose an issue, or type the short id of one.")
	case len(ids) > store.MaxActed:
		return nil, deed.Cannot(fmt.Sprintf("At most %d issues can be merged at a time.", store.MaxActed))
	}
	return ids, nil
}

// unmerge is POST /issues/{id}/unmerge.
func (d *Dashboard) unmerge(tx *store.Tx, r *http.Request) (reply, error) {
	issue, err := pathIssueAlone(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	ids, err := formIDs(r.PostForm["issue"])
	var did done
	if err == nil {
		did, err = d.act(tx, r, deed.Action{Verb: deed.Unmerge, Head: issue.ID}, ids)
	}
	if errors.Is(err, store.ErrNotFound) {
		page, err := d.mergePage(&tx.Rx, r, issue)
		page.Error = "Choose what is to be an issue of its own again."
		return returned("merge", page), err
	}
	return redirect(did.params(d.links.issue(issue.ID))), err
}

// formIDs reads ids of issues, each once. The error is errForm, or *deed.Unfit if they are
// too many.
func formIDs(texts []string) ([]int64, error) {
	var ids []int64
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id < 1 {
			return nil, errForm
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if len(ids) > store.MaxActed {
			return nil, deed.TooMany()
		}
	}
	return ids, nil
}
