package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sundew/digester/retention"
	"sundew/schema/event"
)

const (
	// AuditKept is for how long the audit log says who changed what.
	AuditKept = 2 * 365 * 24 * time.Hour

	// notedFeedback is of how much feedback of a project the events are noted.
	notedFeedback = 1000

	// maxNoted bounds how many events of an issue the history notes.
	maxNoted = 1000

	// removedAudit is how many lines go in one transaction.
	removedAudit = 500
)

// ProjectRetention is how much a project has stored, and how much it wants to have.
type ProjectRetention struct {
	Project event.ProjectID
	Stored  int64 // events
	Setting retention.Setting
}

// Retentions returns this of all projects.
func (rx *Rx) Retentions() ([]ProjectRetention, error) {
	return rx.retentions(`WHERE p.deleted_at IS NULL`)
}

// Retention returns it of one, ErrNotFound if there is none.
func (rx *Rx) Retention(project event.ProjectID) (ProjectRetention, error) {
	return one(rx.retentions(`WHERE p.id = ?`, int64(project)))
}

func (rx *Rx) retentions(where string, args ...any) ([]ProjectRetention, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT p.id, p.event_count - p.evicted_events, r.days, r.events
		FROM projects p LEFT JOIN project_retention r ON r.project_id = p.id `+where+` ORDER BY p.id`, args...)
	var days, events sql.NullInt64
	return collectThen(rows, err, func(r *ProjectRetention) []any { return []any{&r.Project, &r.Stored, &days, &events} },
		func(r *ProjectRetention) { r.Setting = retention.Setting{Days: known(days), Events: known(events)} })
}

func known(v sql.NullInt64) *int64 {
	if !v.Valid {
		return nil
	}
	return new(v.Int64)
}

// SetRetention sets how long a project's events are kept. The error wraps ErrInvalid.
func (tx *Tx) SetRetention(project event.ProjectID, s retention.Setting) error {
	if s.Days != nil && (*s.Days < 0 || *s.Days > retention.MaxDays) {
		return fmt.Errorf("%w number of days: at most %d", ErrInvalid, retention.MaxDays)
	}
	if s.Events != nil && *s.Events != 0 && (*s.Events < retention.MinEvents || *s.Events > retention.MaxEvents) {
		return fmt.Errorf("%w number of events: from %d to %d", ErrInvalid, retention.MinEvents, retention.MaxEvents)
	}
	_, err := tx.exec(`
		INSERT INTO project_retention (project_id, days, events) VALUES (?1, ?2, ?3)
		ON CONFLICT DO UPDATE SET days = ?2, events = ?3`, int64(project), orNull(s.Days), orNull(s.Events))
	return err
}

func orNull(v *int64) any {
	if v == nil {
		return nil
	}
	return *v
}

// IssueStock is what is stored of an issue's own events.
type IssueStock struct {
	ID        int64
	Number    int64 // within the project
	State     IssueState
	Head      int64 // whose member it is, itself if it is none
	Count     int64 // events ever
	Stored    int64
	Oldest    time.Time // when the oldest stored one was digested; zero: there is none
	FirstSeen time.Time
	LastSeen  time.Time // of a head with its members
}

// IssueStocks returns the stock of a project's issues with numbers below one, the
// newest issues first.
func (rx *Rx) IssueStocks(project event.ProjectID, below int64, limit int) ([]IssueStock, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, number, state, coalesce(merged_into, id), event_count, event_count - evicted_events,
		       (SELECT digested_at FROM events WHERE issue_id = i.id ORDER BY number LIMIT 1), first_seen, total_last_seen
		FROM issues i WHERE project_id = ? AND number < ? ORDER BY number DESC LIMIT ?`, int64(project), below, limit)
	var oldest, first, last sql.NullInt64
	return collectThen(rows, err, func(s *IssueStock) []any {
		return []any{&s.ID, &s.Number, &s.State, &s.Head, &s.Count, &s.Stored, &oldest, &first, &last}
	}, func(s *IssueStock) { s.Oldest, s.FirstSeen, s.LastSeen = fromMS(oldest), fromMS(first), fromMS(last) })
}

// ExpiredEvents returns the rows' ids of an issue's oldest events that were digested
// before a time.
func (rx *Rx) ExpiredEvents(issue int64, before time.Time, limit int) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id FROM (SELECT id, digested_at FROM events WHERE issue_id = ? ORDER BY number LIMIT ?) WHERE digested_at < ?`, issue, limit, ms(before))
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// StoredEvents returns an issue's oldest stored events, by the numbers alone.
func (rx *Rx) StoredEvents(issue int64, limit int) ([]retention.Event, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, number FROM events WHERE issue_id = ? ORDER BY number LIMIT ?`, issue, limit)
	return collect(rows, err, func(e *retention.Event) []any { return []any{&e.ID, &e.Number} })
}

// NotedEvents returns the rows' ids of events that the history of an issue and its head
// tells of.
func (rx *Rx) NotedEvents(issue, head int64) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT event_id FROM history WHERE issue_id IN (?, ?) AND event_id IS NOT NULL ORDER BY id DESC LIMIT ?`, issue, head, maxNoted)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// FeedbackEvents returns the rows' ids of events that the newest feedback of a project
// is about.
func (rx *Rx) FeedbackEvents(project event.ProjectID) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT e.id FROM (SELECT event_id, project_id FROM feedback WHERE project_id = ? ORDER BY id DESC LIMIT ?) f
		CROSS JOIN events e ON e.event_id = f.event_id AND e.project_id = f.project_id`, int64(project), notedFeedback)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// TagPlace is a value of an issue's tag, among which they are read in pieces.
type TagPlace struct{ Key, Value string }

// OldTags looks through limit tags of an issue behind a place and returns those that
// were last seen before a time, and the place to go on from, nil if that was all.
func (rx *Rx) OldTags(issue int64, before time.Time, after TagPlace, limit int) (old []TagPlace, next *TagPlace, err error) {
	type tag struct {
		TagPlace
		seen int64
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT key, value, last_seen FROM issue_tags WHERE issue_id = ? AND (key, value) > (?, ?) ORDER BY key, value LIMIT ?`,
		issue, after.Key, after.Value, limit)
	all, err := collect(rows, err, func(t *tag) []any { return []any{&t.Key, &t.Value, &t.seen} })
	for _, t := range all {
		if t.seen < ms(before) {
			old = append(old, t.TagPlace)
		}
	}
	if len(all) == limit {
		next = &all[limit-1].TagPlace
	}
	return old, next, err
}

// RemoveTags removes values of an issue's tags, unless they were seen again meanwhile,
// at a time or later.
func (tx *Tx) RemoveTags(issue int64, tags []TagPlace, before time.Time) error {
	list, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	_, err = tx.exec(`
		DELETE FROM issue_tags WHERE issue_id = ?1 AND last_seen < ?3
		  AND (key, value) IN (SELECT json_extract(value, '$.Key'), json_extract(value, '$.Value') FROM json_each(?2))`, issue, string(list), ms(before))
	return err
}

// ForgetIssue deletes an issue of which no event is stored any more, nobody said
// anything, and that was last seen before a time. It returns whether it was so.
func (tx *Tx) ForgetIssue(issue int64, before time.Time) (bool, error) {
	var idle bool
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT EXISTS (SELECT 1 FROM issues WHERE id = ?1 AND state < 3 AND total_last_seen < ?2)
		  AND NOT EXISTS (SELECT 1 FROM events WHERE issue_id IN `+strandsOf1+`)
		  AND NOT EXISTS (SELECT 1 FROM history WHERE issue_id IN `+strandsOf1+` AND kind = 'comment')`, issue, ms(before)).Scan(&idle)
	if err != nil || !idle {
		return false, err
	}
	_, err = tx.DeleteIssues([]int64{issue}, 0)
	return err == nil, err
}

// RemoveOldAside removes some of a project's feedback and attachments that were
// digested before a time, and returns whether there may be more.
func (tx *Tx) RemoveOldAside(project event.ProjectID, before time.Time) (bool, error) {
	files, err := tx.evictUntil(int64(project), before)
	if err != nil {
		return false, err
	}
	n, err := tx.exec(`
		DELETE FROM feedback WHERE digested_at < ? AND id IN (SELECT id FROM feedback WHERE project_id = ? ORDER BY id LIMIT ?)`,
		ms(before), int64(project), removedFeedback)
	if err != nil {
		return false, err
	}
	_, err = tx.exec(`UPDATE projects SET feedback_evicted = feedback_evicted + ? WHERE id = ?`, n, int64(project))
	return files > 0 || n > 0, err
}

// OldAside reports whether RemoveOldAside has something to do.
func (rx *Rx) OldAside(project event.ProjectID, before time.Time) (old bool, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT coalesce((SELECT digested_at FROM feedback WHERE project_id = ?1 ORDER BY id LIMIT 1) < ?2, 0)
		    OR coalesce((SELECT digested_at FROM attachments WHERE project_id = ?1 ORDER BY id LIMIT 1) < ?2, 0)`, int64(project), ms(before)).Scan(&old)
	return old, err
}

// RemoveOldAudit removes some lines of the audit log that are older than AuditKept, and
// returns whether there may be more.
func (tx *Tx) RemoveOldAudit() (bool, error) {
	n, err := tx.exec(`DELETE FROM audit WHERE at < ? AND id IN (SELECT id FROM audit ORDER BY id LIMIT ?)`, ms(tx.now.Add(-AuditKept)), removedAudit)
	return n == removedAudit, err
}

// OldAudit reports whether RemoveOldAudit has something to do.
func (rx *Rx) OldAudit(now time.Time) (old bool, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT coalesce((SELECT at FROM audit ORDER BY id LIMIT 1) < ?, 0)`, ms(now.Add(-AuditKept))).Scan(&old)
	return old, err
}
