package store

import (
	"time"

	"sundew/schema/event"
)

// Feedback is what a person wrote about an application.
type Feedback struct {
	ID         int64 // digest order
	ProjectID  event.ProjectID
	FeedbackID event.ID // the SDK's; files may belong to it
	event.Feedback
	ReceivedAt time.Time

	// Of the event that it is about; zero: that is not stored.
	Issue       int64
	IssueNumber int64 // within the project
	Number      int64 // the event's, in its issue
	Title       string
}

// maxFeedbackPage bounds a page of feedback.
const maxFeedbackPage = 100

// insertFeedback relies on UNIQUE to tell feedback that is stored already, and on NOT
// NULL for a project that is not there or deleted.
func (p *plan) insertFeedback() error {
	in, f := p.in, p.in.Feedback
	var about any
	if !f.About.IsZero() {
		about = f.About[:]
	}
	return p.to.assert(`
		INSERT INTO feedback (project_id, feedback_id, event_id, name, email, message, url, received_at, digested_at)
		VALUES ((SELECT id FROM projects WHERE id = ? AND deleted_at IS NULL), ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(in.Project), f.FeedbackID[:], about, f.Name, f.Email, f.Message, f.URL, ms(in.ReceivedAt), p.now)
}

// ProjectFeedback returns a project's feedback with ids below before, newest first, and
// whether there is more; before 0 starts at the newest.
func (rx *Rx) ProjectFeedback(project event.ProjectID, before int64, limit int) ([]Feedback, bool, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	limit = min(max(limit, 1), maxFeedbackPage)
	all, err := rx.feedback(`WHERE f.project_id = ? AND f.id < ? ORDER BY f.id DESC LIMIT ?`, int64(project), before, limit+1)
	if len(all) > limit {
		return all[:limit], true, err
	}
	return all, false, err
}

// EventFeedback returns the newest feedback about an event.
func (rx *Rx) EventFeedback(project event.ProjectID, about event.ID) ([]Feedback, error) {
	return rx.feedback(`WHERE f.event_id = ? AND f.project_id = ? ORDER BY f.id DESC LIMIT ?`, about[:], int64(project), maxFeedbackPage)
}

func (rx *Rx) feedback(where string, args ...any) ([]Feedback, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT f.id, f.project_id, f.feedback_id, f.event_id, f.name, f.email, f.message, f.url, f.received_at,
		       coalesce(e.issue_id, 0), coalesce(i.number, 0), coalesce(e.number, 0), coalesce(e.title, '')
		FROM feedback f LEFT JOIN events e ON e.event_id = f.event_id AND e.project_id = f.project_id
		LEFT JOIN issues i ON i.id = e.issue_id `+where, args...)
	var id, about []byte
	var received int64
	return collectThen(rows, err, func(f *Feedback) []any {
		return []any{&f.ID, &f.ProjectID, &id, &about, &f.Name, &f.Email, &f.Message, &f.URL, &received,
			&f.Issue, &f.IssueNumber, &f.Number, &f.Title}
	}, func(f *Feedback) {
		copy(f.FeedbackID[:], id)
		copy(f.About[:], about)
		f.ReceivedAt = time.UnixMilli(received).UTC()
	})
}
