package dashboard

import (
	"slices"
	"time"

	"sundew/digester/search"
	"sundew/digester/store"
)

// issueRow is one issue of the list.
type issueRow struct {
	store.Issue
	Chart    chart
	Marks    []string // what is new about it, in words
	Comments int64
	Assigned string // to whom; empty: nobody
}

// Decided reports whether the row says which state the issue is in.
func (r issueRow) Decided() bool { return r.State != store.StateOpen }

// issueRows adds to a list of issues their graphs, and what there is to know of them
// before one is opened.
func (d *Dashboard) issueRows(rx *store.Rx, issues []store.Issue, graph string) ([]issueRow, error) {
	now, span := d.cfg.Now(), graphOf(graph)
	ids := make([]int64, len(issues))
	var assignees []store.Assignee
	for i, issue := range issues {
		ids[i] = issue.ID
		if a := issue.Assignee; a != (store.Assignee{}) && !slices.Contains(assignees, a) {
			assignees = append(assignees, a)
		}
	}
	hours, err := rx.IssueHours(ids, span.start(now))
	if err != nil {
		return nil, err
	}
	marks, err := rx.IssueMarks(ids)
	if err != nil {
		return nil, err
	}
	names, err := rx.AssigneeNames(assignees)
	if err != nil {
		return nil, err
	}
	rows := make([]issueRow, len(issues))
	for i, issue := range issues {
		has := marks[issue.ID]
		rows[i] = issueRow{
			Issue: issue, Chart: newChartOf(hours[issue.ID], now, span),
			Marks: markWords(issue, has, now), Comments: has.Comments, Assigned: names[issue.Assignee],
		}
	}
	return rows, nil
}

// markWords says what is new about an issue, as the search's is:new and is:regressed
// have it; a silence that is over is new for as long.
func markWords(issue store.Issue, has store.IssueMarks, now time.Time) []string {
	since := now.Add(-search.NewFor)
	open := issue.State == store.StateOpen
	var words []string
	if !issue.FirstSeen.Before(since) {
		words = append(words, "new")
	}
	if cameBack(issue, has, now) {
		words = append(words, "came back")
	}
	if open && !has.Unmuted.Before(since) && has.Unmuted.After(has.CameBack) {
		words = append(words, "no longer muted")
	}
	return words
}

// cameBack reports whether an open issue had been resolved and lately came back.
func cameBack(issue store.Issue, has store.IssueMarks, now time.Time) bool {
	return issue.State == store.StateOpen && !has.CameBack.Before(now.Add(-search.NewFor))
}
