package api

import (
	"slices"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// feedbackRoutes are about what users of applications wrote.
func (a *API) feedbackRoutes() {
	const tag = "Feedback"
	doc := Doc{Tag: tag, Summary: "What users wrote about a project, the newest first", Paged: true}
	read(a, "/projects/{org}/{project}/user-feedback/", readEvents|readProjects, ofProject(access.Viewer), doc, a.feedbackOfProject)
	read(a, "/projects/{org}/{project}/user-reports/", readEvents|readProjects, ofProject(access.Viewer), doc, a.feedbackOfProject)
	doc.Summary = "What users wrote about several projects, the newest first"
	doc.Query = []Param{{Name: "project", Text: "number or slug of a project", Many: true}}
	read(a, "/organizations/{org}/user-feedback/", readEvents, anyone, doc, a.feedbackOfAll)
	for _, issue := range []string{"/issues/{issue}/", "/organizations/{org}/issues/{issue}/"} {
		read(a, issue+"user-reports/", readEvents, ofIssue(access.Viewer), Doc{Tag: tag, Summary: "What users wrote about the newest events of an issue", Text: "Of its 100 newest events."}, a.feedbackOfIssue)
	}
}

// Feedback is what a person wrote about an application.
type Feedback struct {
	ID          string         `json:"id"`
	EventID     string         `json:"eventID"`
	Name        string         `json:"name"`
	Email       string         `json:"email"`
	Comments    string         `json:"comments"`
	URL         string         `json:"url"` // Sundew's own: the page it was written on
	DateCreated Time           `json:"dateCreated"`
	User        *EvUser        `json:"user"`
	Event       *FeedbackEvent `json:"event"`
	Issue       *FeedbackIssue `json:"issue"`

	Files List[FeedbackFile] `json:"files"` // Sundew's own: that came with it
}

// FeedbackFile is a file that came with feedback, such as a screenshot. Its texts are
// the client's.
type FeedbackFile struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	MIMEType string `json:"mimetype"`
	Size     int64  `json:"size"`
	URL      string `json:"url"` // of its content, which the same token gets
}

// FeedbackEvent is the event that feedback is about.
type FeedbackEvent struct {
	ID      string `json:"id"`
	EventID string `json:"eventID"`
}

// FeedbackIssue is that event's issue.
type FeedbackIssue struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Permalink string `json:"permalink"`
}

func feedbackView(r *request, f store.Feedback) Feedback {
	view := Feedback{ID: number(f.ID), Name: f.Name, Email: f.Email, Comments: f.Message, URL: f.URL, DateCreated: Time{f.ReceivedAt}}
	if !f.About.IsZero() {
		view.EventID = f.About.String()
		view.Event = &FeedbackEvent{ID: view.EventID, EventID: view.EventID}
	}
	if f.Email != "" || f.Name != "" {
		view.User = &EvUser{Email: optional(f.Email), Name: optional(f.Name)}
	}
	if f.Issue != 0 {
		view.Issue = &FeedbackIssue{ID: number(f.Issue), Title: f.Title, Permalink: r.link("/issues/" + number(f.Issue))}
	}
	return view
}

// feedbackViews shows feedback with its files.
func feedbackViews(rx *store.Rx, r *request, all []store.Feedback) (List[Feedback], error) {
	ids := make(map[event.ProjectID][]event.ID)
	for _, f := range all {
		ids[f.ProjectID] = append(ids[f.ProjectID], f.FeedbackID)
	}
	files := make(map[event.ID]List[FeedbackFile])
	for project, of := range ids {
		some, err := rx.Attachments(project, of...)
		if err != nil {
			return nil, err
		}
		for _, f := range some {
			files[f.EventID] = append(files[f.EventID], FeedbackFile{
				ID: number(f.ID), Name: f.Name, MIMEType: f.ContentType, Size: f.Size,
				URL: r.link("/projects/" + projectNumber(project) + "/attachments/" + number(f.ID)),
			})
		}
	}
	views := make(List[Feedback], len(all))
	for i, f := range all {
		views[i] = feedbackView(r, f)
		views[i].Files = files[f.FeedbackID]
	}
	return views, nil
}

func (a *API) feedbackOfProject(rx *store.Rx, r *request) (List[Feedback], error) {
	return feedbackOf(rx, r, []store.Project{r.project})
}

func (a *API) feedbackOfAll(rx *store.Rx, r *request) (List[Feedback], error) {
	ids, err := chosenProjects(rx, r)
	if err != nil {
		return nil, err
	}
	all, err := rx.Projects()
	if err != nil {
		return nil, err
	}
	return feedbackOf(rx, r, slices.DeleteFunc(all, func(p store.Project) bool { return !slices.Contains(ids, p.ID) }))
}

// feedbackOf is a page of what was written about some projects.
func feedbackOf(rx *store.Rx, r *request, projects []store.Project) (List[Feedback], error) {
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return nil, err
	}
	limit, err := r.perPage(100, 100)
	if err != nil {
		return nil, err
	}
	var all []store.Feedback
	more := false
	for _, p := range projects {
		some, rest, err := rx.ProjectFeedback(p.ID, at.Value, limit)
		if err != nil {
			return nil, err
		}
		all, more = append(all, some...), more || rest
	}
	slices.SortFunc(all, func(a, b store.Feedback) int { return int(b.ID - a.ID) })
	if len(all) > limit {
		all, more = all[:limit], true
	}
	next := cursor{}
	if len(all) > 0 {
		next.Value = all[len(all)-1].ID
	}
	r.page(cursor{Back: true}, next, false, more)
	return feedbackViews(rx, r, all)
}

func (a *API) feedbackOfIssue(rx *store.Rx, r *request) (List[Feedback], error) {
	events, _, err := rx.Events(r.issue.ID, 0, maxEvents)
	var all []store.Feedback
	for _, ev := range events {
		about, err := rx.EventFeedback(ev.ProjectID, ev.EventID)
		if err != nil {
			return nil, err
		}
		all = append(all, about...)
	}
	if err != nil {
		return nil, err
	}
	return feedbackViews(rx, r, all)
}
