package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"sundew/digester/erasure"
	"sundew/schema/event"
)

// gone stands where a text about a person was.
const gone = "(removed)"

// forever is a time that nothing was seen after.
func forever() time.Time { return time.UnixMilli(1<<53 - 1) }

// FeedbackAfter returns feedback of a project, or with 0 of all, with ids above one,
// the oldest first.
func (rx *Rx) FeedbackAfter(project event.ProjectID, after int64, limit int) ([]Feedback, error) {
	// The two are queries of their own, each with its index.
	if project != 0 {
		return rx.feedback(`WHERE f.project_id = ? AND f.id > ? ORDER BY f.id LIMIT ?`, int64(project), after, limit)
	}
	return rx.feedback(`WHERE f.id > ? ORDER BY f.id LIMIT ?`, after, limit)
}

// RemoveFeedback removes feedback by its rows' ids, with the files that came with it.
func (tx *Tx) RemoveFeedback(ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	const files = `(SELECT a.id FROM json_each(?1) j CROSS JOIN feedback f ON f.id = j.value
	                CROSS JOIN attachments a ON a.event_id = f.feedback_id AND a.project_id = f.project_id)`
	for _, statement := range []string{
		`UPDATE projects SET attachment_bytes = attachment_bytes - gone.bytes, attachments_evicted = attachments_evicted + gone.n FROM (
		   SELECT project_id AS p, sum(bytes) AS bytes, count(*) AS n FROM attachments WHERE id IN ` + files + ` GROUP BY 1) gone
		 WHERE id = gone.p`,
		`DELETE FROM attachment_parts WHERE attachment_id IN ` + files,
		`DELETE FROM attachments WHERE id IN ` + files,
		`UPDATE projects SET feedback_evicted = feedback_evicted + gone.n FROM (
		   SELECT project_id AS p, count(*) AS n FROM feedback WHERE id IN ` + theseIDs + ` GROUP BY 1) gone
		 WHERE id = gone.p`,
		`DELETE FROM feedback WHERE id IN ` + theseIDs,
	} {
		if _, err := tx.exec(statement, string(list)); err != nil {
			return err
		}
	}
	return nil
}

// IssuesOfUser returns the issues of a project, or with 0 of all, that count a person
// among the users that their tags say.
func (rx *Rx) IssuesOfUser(project event.ProjectID, s erasure.Subject) ([]int64, error) {
	const having = `SELECT t.issue_id FROM issue_tags t CROSS JOIN issues i ON i.id = t.issue_id WHERE (?1 = 0 OR i.project_id = ?1) AND `
	rows, err := rx.q.QueryContext(rx.ctx,
		having+`t.key = 'user' AND t.value = ?2 COLLATE NOCASE UNION `+having+`t.key = ?3 AND t.value = ?4 COLLATE NOCASE`,
		int64(project), s.Identifier(), "user."+string(s.Kind), s.Value)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// TagsOf looks through limit tags of an issue behind a place and returns those that are
// about a person, and the place to go on from, nil if that was all.
func (rx *Rx) TagsOf(issue int64, s erasure.Subject, after TagPlace, limit int) (about []TagPlace, next *TagPlace, err error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT key, value FROM issue_tags WHERE issue_id = ? AND (key, value) > (?, ?) ORDER BY key, value LIMIT ?`, issue, after.Key, after.Value, limit)
	all, err := collect(rows, err, func(t *TagPlace) []any { return []any{&t.Key, &t.Value} })
	for _, t := range all {
		if s.InTag(t.Key, t.Value) {
			about = append(about, t)
		}
	}
	if len(all) == limit {
		next = &all[limit-1]
	}
	return about, next, err
}

// RemoveTagsOf removes values of an issue's tags, whenever they were seen.
func (tx *Tx) RemoveTagsOf(issue int64, tags []TagPlace) error {
	return tx.RemoveTags(issue, tags, forever())
}

// HasUser reports whether an issue has a stored event of a user.
func (rx *Rx) HasUser(issue int64, user string) (has bool, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT EXISTS (SELECT 1 FROM events WHERE issue_id = ? AND user = ?)`, issue, user).Scan(&has)
	return has, err
}

// ForgetUser takes a user out of those that an issue has affected, and out of its tags.
// From a sketch nobody can be taken.
func (tx *Tx) ForgetUser(issue int64, user string) error {
	hash := hashOfUser(user)
	n, err := tx.exec(`DELETE FROM issue_users WHERE issue_id = ? AND whole = 0 AND user_hash = ?`, issue, hash)
	if err != nil {
		return err
	}
	if n > 0 {
		if _, err := tx.exec(`UPDATE issues SET user_count = user_count - 1 WHERE id = ?`, issue); err != nil {
			return err
		}
		var head int64
		if err := tx.q.QueryRowContext(tx.ctx, `SELECT coalesce(merged_into, id) FROM issues WHERE id = ?`, issue).Scan(&head); err != nil {
			return err
		}
		if n, err = tx.exec(`
			DELETE FROM issue_users WHERE issue_id = ?1 AND whole = 1 AND user_hash = ?2
			  AND NOT EXISTS (SELECT 1 FROM issue_users WHERE whole = 0 AND user_hash = ?2 AND issue_id IN `+strandsOf1+`)`, head, hash); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE issues SET whole_users = whole_users - ? WHERE id = ?`, n, head); err != nil {
			return err
		}
	}
	_, err = tx.exec(`DELETE FROM issue_tags WHERE issue_id = ? AND key = 'user' AND value = ?`, issue, user)
	return err
}

// CleanIssue has an issue's title and culprit not say a person, and its text indexed
// anew, from its newest event.
func (tx *Tx) CleanIssue(issue int64, s erasure.Subject) error {
	var title, culprit, newest string
	var event int64
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT i.title, i.culprit, coalesce(e.title, ''), coalesce(e.id, 0) FROM issues i
		LEFT JOIN events e ON e.issue_id = i.id AND e.number = (SELECT max(number) FROM events WHERE issue_id = i.id)
		WHERE i.id = ?`, issue).Scan(&title, &culprit, &newest, &event)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.InText(title) {
		if title = newest; title == "" || s.InText(title) {
			title = gone
		}
	}
	if s.InText(culprit) {
		culprit = gone
	}
	if _, err := tx.exec(`UPDATE issues SET title = ?, culprit = ? WHERE id = ?`, title, culprit, issue); err != nil {
		return err
	}
	return tx.textDue(issue, event)
}

// RejectsOf returns the rows' ids of dropped messages whose explanation says a person.
func (rx *Rx) RejectsOf(s erasure.Subject) ([]int64, error) {
	type reject struct {
		id     int64
		detail string
	}
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, detail FROM rejects ORDER BY id DESC LIMIT ?`, maxRejects)
	all, err := collect(rows, err, func(r *reject) []any { return []any{&r.id, &r.detail} })
	var ids []int64
	for _, r := range all {
		if s.InText(r.detail) {
			ids = append(ids, r.id)
		}
	}
	return ids, err
}

// RemoveRejects removes dropped messages from their list.
func (tx *Tx) RemoveRejects(ids []int64) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM rejects WHERE id IN `+theseIDs, string(list))
	return err
}
