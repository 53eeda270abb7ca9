package store

import (
	"database/sql"
	"time"

	"sundew/digester/access"
	"sundew/schema/event"
)

// maxAuditPage bounds a page of the audit log.
const maxAuditPage = 200

// AuditEntry is a change that somebody made.
type AuditEntry struct {
	ID      int64
	At      time.Time
	UserID  int64 // 0: nobody was signed in
	User    string
	Email   string
	TokenID int64
	Action  string // e.g. "project.create"
	Project event.ProjectID
	TeamID  int64
	Subject string // what was changed, e.g. its short id, name or mail address
	Detail  string // for people
	Address string
}

// Audit writes who did what into the audit log. Of e the store sets ID and At.
func (tx *Tx) Audit(by access.Person, e AuditEntry) error {
	_, err := tx.exec(`
		INSERT INTO audit (at, user_id, token_id, action, project_id, team_id, subject, detail, address)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		ms(tx.now), nullID(by.ID), nullID(by.Token), e.Action, nullID(int64(e.Project)), nullID(e.TeamID), e.Subject, e.Detail, e.Address)
	return err
}

// AuditQuery says which entries of the audit log are wanted.
type AuditQuery struct {
	Project event.ProjectID // 0: of all, and of none
	User    int64           // 0: of everybody, and of nobody
	Action  string          // empty: all
	From    time.Time       // only entries at it or later; zero: all
	To      time.Time       // only entries at it or earlier; zero: all
	Before  int64           // only entries with ids below it; 0: from the newest on
	Limit   int
}

// AuditLog returns entries of the audit log, the newest first.
func (rx *Rx) AuditLog(q AuditQuery) ([]AuditEntry, error) {
	before := q.Before
	if before <= 0 {
		before = 1<<63 - 1
	}
	where, args := `WHERE a.id < ?`, []any{before}
	if q.Project != 0 {
		where, args = where+` AND a.project_id = ?`, append(args, int64(q.Project))
	}
	if q.User != 0 {
		where, args = where+` AND a.user_id = ?`, append(args, q.User)
	}
	if q.Action != "" {
		where, args = where+` AND a.action = ?`, append(args, q.Action)
	}
	if !q.From.IsZero() {
		where, args = where+` AND a.at >= ?`, append(args, ms(q.From))
	}
	if !q.To.IsZero() {
		where, args = where+` AND a.at <= ?`, append(args, ms(q.To))
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT a.id, a.at, coalesce(a.user_id, 0), coalesce(u.name, ''), coalesce(u.email, ''), coalesce(a.token_id, 0), a.action, coalesce(a.project_id, 0),
		       coalesce(a.team_id, 0), a.subject, a.detail, a.address
		FROM audit a LEFT JOIN users u ON u.id = a.user_id `+where+` ORDER BY a.id DESC LIMIT ?`,
		append(args, min(max(q.Limit, 1), maxAuditPage))...)
	var at sql.NullInt64
	return collectThen(rows, err, func(e *AuditEntry) []any {
		return []any{&e.ID, &at, &e.UserID, &e.User, &e.Email, &e.TokenID, &e.Action, &e.Project, &e.TeamID, &e.Subject, &e.Detail, &e.Address}
	}, func(e *AuditEntry) { e.At = fromMS(at) })
}
