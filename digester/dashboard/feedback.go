package dashboard

import (
	"net/http"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
)

// feedbackPerPage is how many a page of the list has.
const feedbackPerPage = 50

// feedbackPage is what people wrote about a project, newest first.
type feedbackPage struct {
	shell
	Project  store.Project
	Areas    []tab
	Feedback []feedbackView
	Pager    pager
	Later    bool // there may be more in front
}

// feedbackView is what one person wrote.
type feedbackView struct {
	ID         int64
	At         time.Time
	Name       string
	Email      string
	Message    string
	URL        string // of the page that it was written on
	Link       string // URL if it may be followed, else empty
	EventURL   string // of the event that it is about; empty: none, or not stored
	EventID    string // of an event that is not stored; empty: none
	EventTitle string
	ShortID    string // of the event's issue
	Files      []fileView
}

// Who is the person's name, or what else is known of them.
func (v feedbackView) Who() string {
	switch {
	case v.Name != "":
		return v.Name
	case v.Email != "":
		return v.Email
	}
	return "Anonymous"
}

func (d *Dashboard) showFeedback(rx *store.Rx, r *http.Request) (reply, error) {
	project, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	before := queryNumber(r, "before", 1<<53, 0)
	all, more, err := rx.ProjectFeedback(project.ID, before, feedbackPerPage)
	if err != nil {
		return reply{}, err
	}
	page := feedbackPage{
		shell:   shell{Title: "Feedback about " + project.Name, Trail: d.trail()},
		Areas:   d.areas(r, project, areaFeedback),
		Project: project, Later: before > 0,
		Pager: pager{NewerText: "Newest", OlderText: "Older"},
	}
	if page.Feedback, err = d.viewFeedback(rx, project, all); err != nil {
		return reply{}, err
	}
	if before > 0 {
		page.Pager.Newer = d.links.feedback(project.ID, 0)
	}
	if more {
		page.Pager.Older = d.links.feedback(project.ID, all[len(all)-1].ID)
	}
	return show("feedback", page), nil
}

// viewFeedback makes feedback of a project fit to be shown, with the files that belong
// to it.
func (d *Dashboard) viewFeedback(rx *store.Rx, project store.Project, all []store.Feedback) ([]feedbackView, error) {
	ids := make([]event.ID, len(all))
	for i, f := range all {
		ids[i] = f.FeedbackID
	}
	files, err := d.filesOf(rx, project.ID, ids...)
	if err != nil {
		return nil, err
	}
	b := newBudget()
	var views []feedbackView
	for _, f := range all {
		if !b.row() {
			break
		}
		view := feedbackView{
			ID: f.ID, At: f.ReceivedAt, Name: b.text(f.Name, maxLine), Email: b.text(f.Email, maxLine), Message: b.text(f.Message, maxBody),
			URL: b.text(f.URL, maxValue), Link: webLink(f.URL), Files: files[f.FeedbackID],
		}
		switch {
		case f.Issue != 0:
			view.EventURL, view.EventTitle = d.links.event(f.Issue, f.Number), b.text(f.Title, maxLine)
			view.ShortID = shortID(store.Issue{Project: project.Slug, Number: f.IssueNumber})
		case !f.About.IsZero():
			view.EventID = f.About.String()
		}
		views = append(views, view)
	}
	return views, nil
}
