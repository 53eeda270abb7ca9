package api

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// issuePartRoutes are about what issues consist of, what is like them, and what was
// deleted.
func (a *API) issuePartRoutes() {
	const tag = "Issues"
	member := ofIssue(deed.Unmerge.Least())
	for _, at := range []string{"/issues/{issue}/", "/organizations/{org}/issues/{issue}/"} {
		read(a, at+"hashes/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "The groups of events that are an issue", Paged: true}, a.hashes)
		change(a, "DELETE", at+"hashes/", "unmerge issue by API", writeEvents, member, Doc{Tag: tag, Summary: "Take groups of events out of an issue", Status: 202,
			Text:  "They have to be all groups of issues that were merged into it: these become issues of their own again. A grouping cannot be divided further.",
			Query: []Param{{Name: "id", Text: "id of a group", Many: true}}}, a.unmergeHashes)
		read(a, at+"members/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "The issues that were merged into one", Text: "Sundew's own."}, a.issueMembers)
		change(a, "DELETE", at+"members/", "unmerge issue by API", writeEvents, member, Doc{Tag: tag, Summary: "Take merged issues apart", Text: "Those of the ids become issues of their own again. Sundew's own.",
			Query: []Param{{Name: "id", Text: "number or short id of a member", Many: true}}}, a.unmerge)
		read(a, at+"similar/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "Issues that may have the same cause", Text: "By where they are and the words of their titles, the most alike first. The shape is Sundew's own."}, a.similar)
	}
	change(a, "POST", "/organizations/{org}/issues/restore/", "restore issues by API", adminEvents, anyone, Doc{Tag: tag, Summary: "Take back that issues were deleted",
		Text: "Within 10 minutes. Sundew's own.", Query: []Param{{Name: "id", Text: "number or short id of an issue", Many: true}}}, a.restoreIssues)
}

// Hash is a group of an issue: the events that grouping takes for one problem. Which of
// an issue's groups an event is of is not kept.
type Hash struct {
	ID          string `json:"id"`
	LatestEvent *Event `json:"latestEvent"` // null
	MemberID    string `json:"memberId"`    // whose it was before the merge; Sundew's own
}

func (a *API) hashes(rx *store.Rx, r *request) (List[Hash], error) {
	all, err := rx.IssueGroupings(r.issue.ID)
	if err != nil {
		return nil, err
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Hash], len(page))
	for i, g := range page {
		views[i] = Hash{ID: g.Key, MemberID: number(g.Issue)}
	}
	return views, err
}

// Changes is what became of issues that were taken apart or restored.
type Changes struct {
	Changed List[string] `json:"changed"` // their numbers
}

func changesOf(done deed.Done) Changes {
	var c Changes
	for _, id := range done.Changed {
		c.Changed = append(c.Changed, number(id))
	}
	return c
}

// unmergeHashes is DELETE …/hashes/.
func (a *API) unmergeHashes(tx *store.Tx, r *request, _ None) (None, error) {
	named := r.queries()["id"]
	all, err := tx.IssueGroupings(r.issue.ID)
	if err != nil {
		return None{}, err
	}
	var members []int64
	for _, g := range all {
		if slices.Contains(named, g.Key) && !slices.Contains(members, g.Issue) {
			members = append(members, g.Issue)
		}
	}
	if len(members) == 0 {
		return None{}, bad("Name groups of the issue: id=…&id=….")
	}
	for _, g := range all {
		switch {
		case slices.Contains(members, r.issue.ID):
			return None{}, bad("A group that is the issue's own cannot be taken out of it: name those of issues that were merged into it.")
		case slices.Contains(members, g.Issue) && !slices.Contains(named, g.Key):
			return None{}, bad(fmt.Sprintf("%.40s is of the same merged issue as another that is named: name all of its groups.", g.Key))
		}
	}
	_, err = doAll(tx, r, deed.Action{Verb: deed.Unmerge, Head: r.issue.ID}, members)
	return None{}, err
}

// issueMembers is GET …/members/ of an issue.
func (a *API) issueMembers(rx *store.Rx, r *request) (List[Issue], error) {
	all, err := rx.Members(r.issue.ID)
	if err != nil {
		return nil, err
	}
	return issueViews(rx, r, all, "")
}

// unmerge is DELETE …/members/.
func (a *API) unmerge(tx *store.Tx, r *request, _ None) (Changes, error) {
	ids, err := partsNamed(&tx.Rx, r)
	if err != nil {
		return Changes{}, err
	}
	done, err := doAll(tx, r, deed.Action{Verb: deed.Unmerge, Head: r.issue.ID}, ids)
	if errors.Is(err, store.ErrNotFound) {
		err = bad("None of these is a member of the issue.")
	}
	return changesOf(done), err
}

// partsNamed are the issues of the parameter id as they are, merged or deleted.
func partsNamed(rx *store.Rx, r *request) ([]int64, error) {
	var ids []int64
	names := r.queries()["id"]
	if len(names) == 0 {
		return nil, bad("Name the issues: id=1&id=2.")
	}
	if len(names) > store.MaxActed {
		return nil, deed.TooMany()
	}
	for _, name := range names {
		id, err := partNamed(rx, strings.TrimSpace(name))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, store.ErrNotFound
	}
	return ids, nil
}

func partNamed(rx *store.Rx, name string) (int64, error) {
	if slug, n, ok := cutShortID(name); ok {
		issue, err := rx.IssueByShortID(slug, n)
		return issue.ID, err
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	_, err = rx.Issue(id)
	return id, err
}

// SimilarIssue is an issue with why it is like another.
type SimilarIssue struct {
	Issue
	Why string `json:"why"`
}

func (a *API) similar(rx *store.Rx, r *request) (List[SimilarIssue], error) {
	all, err := deed.SimilarIssues(rx, r.issue)
	if err != nil {
		return nil, err
	}
	issues := make([]store.Issue, len(all))
	for i, one := range all {
		issues[i] = one.Issue
	}
	shown, err := wholeViews(rx, r, issues)
	views := make(List[SimilarIssue], len(shown))
	for i, issue := range shown {
		views[i] = SimilarIssue{issue, all[i].Why}
	}
	return views, err
}

// restoreIssues is POST …/issues/restore/.
func (a *API) restoreIssues(tx *store.Tx, r *request, _ None) (Changes, error) {
	ids, err := partsNamed(&tx.Rx, r)
	if err != nil {
		return Changes{}, err
	}
	projects, err := tx.IssueProjects(ids)
	if err != nil {
		return Changes{}, err
	}
	if !slices.ContainsFunc(ids, func(id int64) bool { return r.person.In(projects[id]) > access.None }) {
		return Changes{}, store.ErrNotFound
	}
	done, err := doAll(tx, r, deed.Action{Verb: deed.Restore}, ids)
	if errors.Is(err, store.ErrNotFound) {
		err = deed.Cannot(deed.TooLate)
	}
	return changesOf(done), err
}
