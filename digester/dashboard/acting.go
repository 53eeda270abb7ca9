package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/store"
	"sundew/schema/event"
)

// deed is what came of an action.
type deed struct {
	verb    verb
	changed []int64
	same    int // issues that were so already
	denied  int // issues that the person may only look at
	undo    []int64
	head    int64 // of doMerge
}

// act does something to issues that the person may do it to, and notes it.
func (d *Dashboard) act(tx *store.Tx, r *http.Request, a action, ids []int64) (deed, error) {
	before, err := tx.IssuesByID(ids)
	if err != nil {
		return deed{}, err
	}
	projects := make(map[event.ProjectID]bool)
	for _, issue := range before {
		projects[issue.ProjectID] = true
	}
	if a.verb == doAssign {
		if err := checkAssignee(&tx.Rx, a.assign, projects); err != nil {
			return deed{}, err
		}
	}
	changed, err := a.perform(tx, ids, who(r).ID)
	if err != nil {
		return deed{}, err
	}
	done := deed{verb: a.verb, changed: changed, same: max(0, len(ids)-len(changed)), head: a.head}
	if a.verb == doMerge {
		done.same = 0 // the head, if it was chosen
	}
	done.undo = undoable(a.verb, before, changed)
	for project := range projects {
		if err := d.auditAction(tx, r, a, project, before, changed); err != nil {
			return deed{}, err
		}
	}
	return done, nil
}

// undoable returns which issues become again what they were, all or none: what was
// muted when it was resolved, or the other way round, does not by being reopened.
func undoable(v verb, before []store.Issue, changed []int64) []int64 {
	switch v {
	case doDelete, doMerge:
		return changed
	case doResolve, doMute:
		for _, issue := range before {
			if slices.Contains(changed, issue.ID) && issue.State != store.StateOpen {
				return nil
			}
		}
		return changed
	}
	return nil
}

// auditAction notes what was done to issues of a project, in one entry.
func (d *Dashboard) auditAction(tx *store.Tx, r *http.Request, a action, project event.ProjectID, before []store.Issue, changed []int64) error {
	var names []string
	for _, issue := range before {
		if issue.ProjectID == project && slices.Contains(changed, issue.ID) {
			names = append(names, shortID(issue))
		}
	}
	if len(names) == 0 {
		return nil
	}
	const named = 10
	subject := strings.Join(names[:min(len(names), named)], ", ")
	if more := len(names) - named; more > 0 {
		subject += fmt.Sprintf(" and %d more", more)
	}
	detail, err := a.detail(&tx.Rx)
	if err != nil {
		return err
	}
	return d.audit(tx, r, store.AuditEntry{Action: "issue." + string(a.verb), Project: project, Subject: subject, Detail: detail})
}

// detail is what the audit log says of an action beside its verb and the issues.
func (a action) detail(rx *store.Rx) (string, error) {
	switch a.verb {
	case doResolve:
		return resolutionWords(a.resolve), nil
	case doMute:
		return muteWords(a.mute, a.mute.Events), nil
	case doAssign:
		name, err := assigneeName(rx, a.assign)
		if name == "" {
			name = "nobody"
		}
		return "to " + name, err
	case doMerge, doUnmerge:
		head, err := rx.Issue(a.head)
		if a.verb == doUnmerge {
			return "from " + shortID(head), err
		}
		return "into " + shortID(head), err
	}
	return "", nil
}

// assigneeName is what a person or a team is called; empty: nobody.
func assigneeName(rx *store.Rx, to store.Assignee) (string, error) {
	switch {
	case to.User != 0:
		user, err := rx.User(to.User)
		return user.Name, err
	case to.Team != 0:
		team, err := rx.Team(to.Team)
		return "#" + team.Slug, err
	}
	return "", nil
}

// deedView is what a page says about what a form has just done, and how it is undone.
type deedView struct {
	Text string
	Do   string // what undoes it; empty: nothing does
	IDs  []int64
	Head int64
	Back string // where that leads
}

// params adds to an address what newDeedView reads.
func (e deed) params(to string) string {
	q := url.Values{"did": {string(e.verb)}, "n": {strconv.Itoa(len(e.changed))}}
	for name, n := range map[string]int{"same": e.same, "denied": e.denied, "head": int(e.head)} {
		if n > 0 {
			q.Set(name, strconv.Itoa(n))
		}
	}
	if len(e.undo) > 0 {
		texts := make([]string, len(e.undo))
		for i, id := range e.undo {
			texts[i] = strconv.FormatInt(id, 10)
		}
		q.Set("undo", strings.Join(texts, "."))
	}
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + q.Encode()
}

// deedParams are the names that params adds.
func deedParams() []string { return []string{"did", "n", "same", "denied", "head", "undo"} }

// newDeedView reads from a page's address what a form has done; nil: none did.
func (d *Dashboard) newDeedView(r *http.Request) *deedView {
	q := r.URL.Query()
	v := verb(q.Get("did"))
	if !slices.Contains(verbs(), v) {
		return nil
	}
	view := &deedView{Text: deedWords(v, queryNumber(r, "n", store.MaxActed, 0), queryNumber(r, "same", store.MaxActed, 0), queryNumber(r, "denied", store.MaxActed, 0))}
	view.Back = d.backTo(r)
	view.Head = queryNumber(r, "head", 1<<53, 0)
	for text := range strings.SplitSeq(q.Get("undo"), ".") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 && len(view.IDs) < store.MaxActed {
			view.IDs = append(view.IDs, id)
		}
	}
	if len(view.IDs) == 0 {
		return view
	}
	switch v {
	case doResolve, doMute:
		view.Do = string(doReopen)
	case doDelete:
		view.Do = string(doRestore)
	case doMerge:
		view.Do = string(doUnmerge)
	}
	return view
}

// backTo is the address of a page without what a form had it say.
func (d *Dashboard) backTo(r *http.Request) string {
	q := r.URL.Query()
	for _, name := range deedParams() {
		q.Del(name)
	}
	back := d.links.base + r.URL.EscapedPath()
	if len(q) > 0 {
		back += "?" + q.Encode()
	}
	return back
}

// deedWords says what was done: "12 issues resolved, 1 was already.".
func deedWords(v verb, changed, same, denied int64) string {
	text := formatCounted(changed, "issue") + " " + v.past()
	if changed == 0 {
		text = "No issue was " + v.past()
	}
	switch {
	case same == 0:
	case v == doMerge || v == doUnmerge || v == doRestore:
		text += fmt.Sprintf(", %s could not be", formatCount(same))
	case same == 1:
		text += ", 1 was already"
	default:
		text += fmt.Sprintf(", %s were already", formatCount(same))
	}
	if denied > 0 {
		text += fmt.Sprintf("; of %s your role does not allow it", formatCount(denied))
	}
	return text + "."
}

// past is what an issue is when it was done.
func (v verb) past() string {
	switch v {
	case doMute:
		return "muted"
	case doReopen:
		return "reopened"
	case doAssign:
		return "assigned"
	case doUnmerge:
		return "taken apart"
	}
	return string(v) + "d" // resolved, merged, deleted, restored
}
