package api

import (
	"strconv"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/triage"
)

// noteRoutes are about what people say about an issue, and what happened to it.
func (a *API) noteRoutes() {
	const tag = "Comments and history"
	member := ofIssue(access.Member)
	for _, issue := range []string{"/issues/{issue}/", "/organizations/{org}/issues/{issue}/"} {
		for _, at := range []string{issue + "comments/", issue + "notes/"} { // it has both names
			read(a, at, readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "The comments on an issue, the newest first", Paged: true}, a.notes)
			change(a, "POST", at, "comment by API", writeEvents, member, Doc{Tag: tag, Summary: "Comment on an issue", Status: 201}, a.comment)
			change(a, "PUT", at+"{note}/", "edit comment by API", writeEvents, member, Doc{Tag: tag, Summary: "Change a comment of one's own"}, a.editComment)
			change(a, "DELETE", at+"{note}/", "delete comment by API", writeEvents, member, Doc{Tag: tag, Summary: "Delete a comment of one's own", Status: 204}, a.deleteComment)
			change(a, "POST", at+"{note}/restore/", "restore comment by API", writeEvents, member, Doc{Tag: tag, Summary: "Take back that a comment of one's own was deleted", Text: "Within 10 minutes. Sundew's own."}, a.restoreComment)
		}
		read(a, issue+"activities/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "What happened to an issue, the newest first"}, a.activities)
	}
}

// Activity is something that happened to an issue.
type Activity struct {
	ID          string       `json:"id"`
	Type        string       `json:"type"`
	DateCreated Time         `json:"dateCreated"`
	User        *User        `json:"user"`
	Data        ActivityData `json:"data"`
}

// ActivityData is what else there is to say; what, depends on the type.
type ActivityData struct {
	Text         string `json:"text,omitempty"`         // note
	Version      string `json:"version,omitempty"`      // set_resolved_in_release, set_regression
	Assignee     string `json:"assignee,omitempty"`     // assigned
	AssigneeType string `json:"assigneeType,omitempty"` // assigned
	IgnoreUntil  *Time  `json:"ignoreUntil,omitempty"`  // set_ignored
	IgnoreCount  int64  `json:"ignoreCount,omitempty"`  // set_ignored
	IgnoreWindow int64  `json:"ignoreWindow,omitempty"` // set_ignored, in minutes
	EventID      string `json:"event_id,omitempty"`
}

// Activities is the answer to what happened to an issue.
type Activities struct {
	Activity List[Activity] `json:"activity"`
}

// activitiesOf lists what happened to an issue, the newest first.
func activitiesOf(rx *store.Rx, issue store.Issue) (List[Activity], error) {
	all, err := rx.History(issue.ID)
	views := make(List[Activity], 0, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind != store.HistoryTakenBack {
			views = append(views, activityOf(all[i]))
		}
	}
	return views, err
}

// activityOf is an entry of an issue's history in the words that tools know; kinds
// that they have no word for are called as they are.
func activityOf(e store.HistoryEntry) Activity {
	view := Activity{ID: number(e.ID), Type: e.Kind, DateCreated: Time{e.At}}
	if e.User != 0 {
		view.User = &User{ID: number(e.User), Name: e.Name, Username: e.Email, Email: e.Email, IsActive: true}
	}
	d := e.Detail
	switch e.Kind {
	case store.HistoryCreated:
		view.Type = "first_seen"
	case store.HistoryResolved:
		view.Type = "set_resolved"
		if d.Resolve != triage.ResolvedNow {
			view.Type, view.Data.Version = "set_resolved_in_release", d.Release
		}
	case store.HistoryReopened, store.HistoryUnmuted:
		view.Type = "set_unresolved"
	case store.HistoryRegressed:
		view.Type, view.Data.Version = "set_regression", e.Release
	case store.HistoryMuted:
		view.Type = "set_ignored"
		view.Data.IgnoreCount, view.Data.IgnoreWindow = d.Events, d.Period/int64(time.Minute/time.Millisecond)
		if d.Until != 0 {
			view.Data.IgnoreUntil = &Time{time.UnixMilli(d.Until)}
		}
	case store.HistoryAssigned:
		switch view.Type = "assigned"; {
		case d.User != 0:
			view.Data.Assignee, view.Data.AssigneeType = number(d.User), "user"
		case d.Team != 0:
			view.Data.Assignee, view.Data.AssigneeType = number(d.Team), "team"
		default:
			view.Type = "unassigned"
		}
	case store.HistoryComment:
		view.Type, view.Data.Text = "note", d.Text
	case store.HistoryMerged:
		view.Type = "merge"
	case store.HistoryUnmerged:
		view.Type = "unmerge_source"
	}
	return view
}

func (a *API) activities(rx *store.Rx, r *request) (Activities, error) {
	all, err := activitiesOf(rx, r.issue)
	return Activities{all}, err
}

func (a *API) notes(rx *store.Rx, r *request) (List[Activity], error) {
	all, err := activitiesOf(rx, r.issue)
	if err != nil {
		return nil, err
	}
	var notes []Activity
	for _, v := range all {
		if v.Type == "note" {
			notes = append(notes, v)
		}
	}
	return paged(r, notes, 100, 100)
}

// Note is a comment.
type Note struct {
	Text string `json:"text"`
}

func (a *API) comment(tx *store.Tx, r *request, n Note) (Activity, error) {
	id, err := deed.Comment(tx, r.by(), r.issue, n.Text)
	if err != nil {
		return Activity{}, err
	}
	return noteOf(&tx.Rx, r, id)
}

// noteOf is one of an issue's comments.
func noteOf(rx *store.Rx, r *request, id int64) (Activity, error) {
	all, err := rx.History(r.issue.ID)
	for _, e := range all {
		if e.ID == id && e.Kind == store.HistoryComment {
			return activityOf(e), nil
		}
	}
	if err == nil {
		err = store.ErrNotFound
	}
	return Activity{}, err
}

// noteNumber is the comment that {note} names.
func noteNumber(r *request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("note"), 10, 64)
	if err != nil {
		return 0, store.ErrNotFound
	}
	return id, nil
}

func (a *API) editComment(tx *store.Tx, r *request, n Note) (Activity, error) {
	id, err := noteNumber(r)
	if err == nil {
		err = deed.EditComment(tx, r.by(), r.issue, id, n.Text)
	}
	if err != nil {
		return Activity{}, err
	}
	return noteOf(&tx.Rx, r, id)
}

func (a *API) deleteComment(tx *store.Tx, r *request, _ None) (None, error) {
	id, err := noteNumber(r)
	if err != nil {
		return None{}, err
	}
	return None{}, deed.DeleteComment(tx, r.by(), r.issue, id)
}

// restoreComment is POST …/restore/ of a comment.
func (a *API) restoreComment(tx *store.Tx, r *request, _ None) (Activity, error) {
	id, err := noteNumber(r)
	if err == nil {
		err = deed.RestoreComment(tx, r.by(), r.issue, id)
	}
	if err != nil {
		return Activity{}, err
	}
	return noteOf(&tx.Rx, r, id)
}
