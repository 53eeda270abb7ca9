package dashboard

import (
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"sundew/digester/deed"
	md "sundew/digester/markdown"
	"sundew/digester/store"
)

// recentHistory is how many entries are shown at once; older ones are folded.
const recentHistory = 20

// historyList is what happened to an issue, newest first, with what people said.
type historyList struct {
	Issue  int64
	Recent []historyView
	Older  []historyView
	May    bool   // comment
	Error  string // why a comment was not taken
	Typed  string // what it was
}

// Count is how many entries there are.
func (l historyList) Count() int { return len(l.Recent) + len(l.Older) }

// historyView is one thing that happened to an issue.
type historyView struct {
	ID      int64
	At      time.Time
	Text    string
	URL     string // of the event that caused it, if one did
	Who     string // empty: an event or the program
	Member  string // of which member, by its short id; empty: of the issue itself
	Comment *commentView
}

// commentView is what somebody said.
type commentView struct {
	Issue    int64
	ID       int64
	HTML     template.HTML
	Text     string // as it was typed
	EditedAt time.Time
	Mine     bool
	Editing  bool
	Gone     bool // taken back, but it can be restored
	Error    string
}

// historyNames are the names of what entries speak of.
type historyNames struct {
	byIssue map[int64]string
	byUser  map[int64]string
	byTeam  map[int64]string
}

func (n historyNames) issue(id int64) string {
	if name := n.byIssue[id]; name != "" {
		return name
	}
	return "an issue that is gone"
}

func (n historyNames) issues(ids []int64) string {
	const named = 5
	var known []string
	for _, id := range ids[:min(len(ids), named)] {
		known = append(known, n.issue(id))
	}
	if more := len(ids) - named; more > 0 {
		known = append(known, formatCount(int64(more))+" more")
	}
	if last := len(known) - 1; last > 0 {
		return strings.Join(known[:last], ", ") + " and " + known[last]
	}
	return strings.Join(known, "")
}

func (n historyNames) assignee(to store.Assignee) string {
	switch {
	case to.User != 0 && n.byUser[to.User] != "":
		return n.byUser[to.User]
	case to.Team != 0 && n.byTeam[to.Team] != "":
		return n.byTeam[to.Team]
	case to == store.Assignee{}:
		return "nobody"
	}
	return "somebody who is gone"
}

// readHistoryNames looks up what entries speak of.
func readHistoryNames(rx *store.Rx, entries []store.HistoryEntry) (historyNames, error) {
	names := historyNames{byIssue: map[int64]string{}, byUser: map[int64]string{}, byTeam: map[int64]string{}}
	for _, e := range entries {
		for _, id := range append([]int64{e.Issue, e.Detail.Head, e.Detail.From, e.Detail.To}, e.Detail.Members...) {
			if id != 0 {
				names.byIssue[id] = ""
			}
		}
		to := store.Assignee{User: e.Detail.User, Team: e.Detail.Team}
		if known := names.byUser[to.User] + names.byTeam[to.Team]; known != "" || e.Kind != store.HistoryAssigned {
			continue
		}
		name, err := deed.AssigneeName(rx, to)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return names, err
		}
		names.byUser[to.User], names.byTeam[to.Team] = name, name
	}
	ids := make([]int64, 0, len(names.byIssue))
	for id := range names.byIssue {
		ids = append(ids, id)
	}
	issues, err := rx.IssuesByID(ids)
	for _, issue := range issues {
		names.byIssue[issue.ID] = shortID(issue)
	}
	return names, err
}

// issueHistory reads what happened to an issue and its members.
func (d *Dashboard) issueHistory(rx *store.Rx, r *http.Request, issue store.Issue) (historyList, error) {
	list := historyList{Issue: issue.ID, May: who(r).In(issue.ProjectID) >= deed.Resolve.Least()}
	entries, err := rx.History(issue.ID)
	if err != nil {
		return list, err
	}
	names, err := readHistoryNames(rx, entries)
	if err != nil {
		return list, err
	}
	edited := queryNumber(r, "edit", 1<<53, 0)
	var all []historyView
	for i := len(entries) - 1; i >= 0; i-- { // newest first, like everything here
		e := entries[i]
		if e.Detail.Head == issue.ID { // the head's own entry says it
			continue
		}
		if e.Kind == store.HistoryTakenBack && (e.User != who(r).ID || d.cfg.Now().Sub(e.At) >= store.DeletionUndo) {
			continue
		}
		view, err := d.historyView(r, e, issue, names)
		if err != nil {
			return list, err
		}
		if view.Comment != nil {
			view.Comment.Editing = view.Comment.Mine && e.ID == edited
		}
		all = append(all, view)
	}
	recent := min(len(all), recentHistory)
	list.Recent, list.Older = all[:recent], all[recent:]
	return list, nil
}

func (d *Dashboard) historyView(r *http.Request, e store.HistoryEntry, issue store.Issue, names historyNames) (historyView, error) {
	view := historyView{ID: e.ID, At: e.At, Text: historyWords(e, names), Who: e.Name}
	if e.User != 0 && view.Who == "" {
		view.Who = e.Email
	}
	if e.Event.Number != 0 {
		view.URL = d.links.event(e.Event.Issue, e.Event.Number)
	}
	if e.Issue != issue.ID {
		view.Member = names.issue(e.Issue)
	}
	switch e.Kind {
	case store.HistoryComment:
	case store.HistoryTakenBack:
		view.Comment = &commentView{Issue: issue.ID, ID: e.ID, Gone: true}
		return view, nil
	default:
		return view, nil
	}
	if e.User == 0 { // what an import says about where an issue comes from
		view.Who = "Sundew"
	}
	safe, err := md.New().HTML(e.Detail.Text)
	view.Comment = &commentView{
		Issue: issue.ID, ID: e.ID, Text: e.Detail.Text, Mine: e.User == who(r).ID,
		HTML: template.HTML(safe), // package markdown makes it so that this is right
	}
	if e.Detail.Edited != 0 {
		view.Comment.EditedAt = time.UnixMilli(e.Detail.Edited)
	}
	return view, err
}
