package store

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"sundew/digester/access"
	"sundew/digester/erasure"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// ErasureState says how far the removal of a person's data is.
type ErasureState int

// The states.
const (
	ErasureSearching ErasureState = iota // for what there is
	ErasureFound                         // it waits for somebody to say that it shall go
	ErasureRemoving
	ErasureDone
	ErasureWithdrawn
)

// String is the state in a word.
func (s ErasureState) String() string {
	switch s {
	case ErasureSearching:
		return "searching"
	case ErasureFound:
		return "found"
	case ErasureRemoving:
		return "removing"
	case ErasureDone:
		return "done"
	}
	return "withdrawn"
}

// Erasure is a request to remove what is stored about a person.
type Erasure struct {
	ID          int64
	Project     event.ProjectID // 0: all
	Subject     erasure.Subject // its value is empty once there is nothing left to do
	Hash        string          // of the subject
	State       ErasureState
	Searched    int64 // the last event, by its row's id, that was looked at
	Events      int64 // found
	Feedback    int64
	Attachments int64
	By          int64 // who asked for it
	Name        string
	CreatedAt   time.Time
	DoneAt      time.Time
}

// maxErasures bounds a list of them.
const maxErasures = 50

// CreateErasure begins to search for what is stored about a person, in a project or in
// all of them.
func (tx *Tx) CreateErasure(project event.ProjectID, s erasure.Subject, by int64) (Erasure, error) {
	id, err := tx.insert(`INSERT INTO erasures (project_id, kind, value, value_hash, created_by, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		nullID(int64(project)), string(s.Kind), s.Value, s.Hash(), by, ms(tx.now))
	if err != nil {
		return Erasure{}, err
	}
	return tx.Erasure(id)
}

// ConfirmErasure has removed what was found, and what has come since. ErrNotFound if
// it is not time for that.
func (tx *Tx) ConfirmErasure(id int64) error {
	return someChanged(tx.exec(`UPDATE erasures SET state = 2 WHERE id = ? AND state = 1`, id))
}

// WithdrawErasure forgets a search, and whom it was for. ErrNotFound if it is too late.
func (tx *Tx) WithdrawErasure(id int64) error {
	if err := someChanged(tx.exec(`UPDATE erasures SET state = 4, value = '', done_at = ? WHERE id = ? AND state < 2`, ms(tx.now), id)); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM erasure_events WHERE erasure_id = ?`, id)
	return err
}

// Erasure returns one, ErrNotFound if there is none.
func (rx *Rx) Erasure(id int64) (Erasure, error) { return one(rx.erasures(`WHERE e.id = ?`, id)) }

// Erasures returns the newest of a project, or with 0 those of all projects.
func (rx *Rx) Erasures(project event.ProjectID) ([]Erasure, error) {
	return rx.erasures(`WHERE e.project_id IS ? ORDER BY e.id DESC LIMIT ?`, nullID(int64(project)), maxErasures)
}

// ErasuresToDo returns those that wait for the program, the oldest first.
func (rx *Rx) ErasuresToDo() ([]Erasure, error) {
	return rx.erasures(`WHERE e.state IN (0, 2) ORDER BY e.id LIMIT ?`, maxErasures)
}

func (rx *Rx) erasures(where string, args ...any) ([]Erasure, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT e.id, coalesce(e.project_id, 0), e.kind, e.value, e.value_hash, e.state, e.searched, e.events, e.feedback, e.attachments,
		       e.created_by, u.name, e.created_at, e.done_at
		FROM erasures e JOIN users u ON u.id = e.created_by `+where, args...)
	var kind string
	var created, done sql.NullInt64
	return collectThen(rows, err, func(e *Erasure) []any {
		return []any{&e.ID, &e.Project, &kind, &e.Subject.Value, &e.Hash, &e.State, &e.Searched, &e.Events, &e.Feedback, &e.Attachments,
			&e.By, &e.Name, &created, &done}
	}, func(e *Erasure) {
		e.Subject.Kind, e.CreatedAt, e.DoneAt = erasure.Kind(kind), fromMS(created), fromMS(done)
	})
}

// LastEvent returns the row's id of the newest event, 0 if there is none.
func (rx *Rx) LastEvent() (id int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(max(id), 0) FROM events`).Scan(&id)
	return id, err
}

// SearchedEvent is an event as a search for a person looks at it.
type SearchedEvent struct {
	ID      int64
	EventID event.ID
	Project event.ProjectID
	Issue   int64
	User    string
	Body    EventBody
	Err     error // why the body cannot be read; ErrNotFound: it was not asked for
}

// EventsToSearch returns the next events behind one, in digest order, of a project or
// with 0 of all; those of other projects come without their bodies.
func (rx *Rx) EventsToSearch(project event.ProjectID, after int64, limit int) ([]SearchedEvent, error) {
	return rx.searched(`(SELECT id, event_id, project_id, issue_id, user FROM events WHERE id > ?2 ORDER BY id LIMIT ?3) e
		LEFT JOIN event_bodies b ON b.event_id = e.id AND (?1 = 0 OR e.project_id = ?1) ORDER BY e.id`, int64(project), after, limit)
}

// EventsFound returns the next events behind one that a search found.
func (rx *Rx) EventsFound(id, after int64, limit int) ([]SearchedEvent, error) {
	return rx.searched(`(SELECT event_id FROM erasure_events WHERE erasure_id = ?1 AND event_id > ?2 ORDER BY event_id LIMIT ?3) f
		CROSS JOIN events e ON e.id = f.event_id JOIN event_bodies b ON b.event_id = e.id ORDER BY e.id`, id, after, limit)
}

func (rx *Rx) searched(from string, args ...any) ([]SearchedEvent, error) {
	var id []byte
	var kind, encoding sql.NullInt64
	var stored storedBody
	var meta sql.NullString
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT e.id, e.event_id, e.project_id, e.issue_id, e.user, b.kind, b.encoding, b.meta, b.body FROM `+from, args...)
	return collectThen(rows, err, func(e *SearchedEvent) []any {
		return []any{&e.ID, &id, &e.Project, &e.Issue, &e.User, &kind, &encoding, &meta, &stored.body}
	}, func(e *SearchedEvent) {
		copy(e.EventID[:], id)
		if !kind.Valid {
			e.Err = ErrNotFound
			return
		}
		stored.kind, stored.encoding, stored.meta = wire.Kind(kind.Int64), wire.Encoding(encoding.Int64), meta.String
		stored.body = bytes.Clone(stored.body)
		e.Body, e.Err = rx.readBody(stored)
	})
}

// NoteFound notes events that a search found, and how far it has come. ErrNotFound if
// nobody wants it any more.
func (tx *Tx) NoteFound(id, searched int64, found []SearchedEvent) error {
	if err := someChanged(tx.exec(`UPDATE erasures SET searched = ? WHERE id = ? AND state IN (0, 2)`, searched, id)); err != nil {
		return err
	}
	for _, e := range found {
		n, err := tx.exec(`INSERT INTO erasure_events (erasure_id, event_id, issue_id, user) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, id, e.ID, e.Issue, e.User)
		if err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE erasures SET events = events + ? WHERE id = ?`, n, id); err != nil {
			return err
		}
	}
	return nil
}

// FoundEvents returns the rows' ids of events that a search found, behind one.
func (rx *Rx) FoundEvents(id, after int64, limit int) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT event_id FROM erasure_events WHERE erasure_id = ? AND event_id > ? ORDER BY event_id LIMIT ?`, id, after, limit)
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// FoundUser is a user that a search found in an issue; empty: events of nobody.
type FoundUser struct {
	Issue int64
	User  string
}

// FoundUsers returns the users that a search found, by issue.
func (rx *Rx) FoundUsers(id int64) ([]FoundUser, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT DISTINCT issue_id, user FROM erasure_events WHERE erasure_id = ? ORDER BY 1, 2`, id)
	return collect(rows, err, func(u *FoundUser) []any { return []any{&u.Issue, &u.User} })
}

// FoundFiles returns how many files came with events that a search found, and with
// feedback.
func (rx *Rx) FoundFiles(id int64, feedback []int64) (n int64, err error) {
	list, err := json.Marshal(feedback)
	if err != nil {
		return 0, err
	}
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT (SELECT count(*) FROM erasure_events f CROSS JOIN events e ON e.id = f.event_id
		          CROSS JOIN attachments a ON a.event_id = e.event_id AND a.project_id = e.project_id WHERE f.erasure_id = ?1)
		     + (SELECT count(*) FROM json_each(?2) j CROSS JOIN feedback f ON f.id = j.value
		          CROSS JOIN attachments a ON a.event_id = f.feedback_id AND a.project_id = f.project_id)`, id, string(list)).Scan(&n)
	return n, err
}

// EndSearch notes that a search has seen everything, and what else it found.
func (tx *Tx) EndSearch(id, feedback, attachments int64) error {
	_, err := tx.exec(`UPDATE erasures SET state = 1, feedback = ?, attachments = ? WHERE id = ? AND state = 0`, feedback, attachments, id)
	return err
}

// EndErasure notes that everything is removed, also in the audit log, and forgets whom
// it was about.
func (tx *Tx) EndErasure(id, feedback, attachments int64) error {
	n, err := tx.exec(`
		UPDATE erasures SET state = 3, value = '', feedback = max(feedback, ?), attachments = max(attachments, ?), done_at = ? WHERE id = ? AND state = 2`,
		feedback, attachments, ms(tx.now), id)
	if err != nil || n == 0 {
		return err
	}
	e, err := tx.Erasure(id)
	if err != nil {
		return err
	}
	return tx.Audit(access.Person{}, AuditEntry{
		Action: "person.removed", Project: e.Project, Subject: e.Hash,
		Detail: fmt.Sprintf("%d events, %d feedback, %d attachments", e.Events, e.Feedback, e.Attachments),
	})
}

// ForgetFound removes some of what is noted of a search that has ended. It returns
// whether there may be more.
func (tx *Tx) ForgetFound(id int64) (bool, error) {
	n, err := tx.exec(`
		DELETE FROM erasure_events WHERE erasure_id = ?1 AND event_id IN (
		  SELECT event_id FROM erasure_events WHERE erasure_id = ?1 ORDER BY event_id LIMIT ?2)`, id, removedTags)
	return n == removedTags, err
}
