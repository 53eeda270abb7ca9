package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Mail is a letter to somebody, to be sent after the transaction that wrote it.
type Mail struct {
	To      string
	Subject string
	Text    string
	Link    int64  // whose address follows the text; 0: none
	After   string // what follows the address
}

// MailState is how far a mail is.
type MailState string

// The states.
const (
	MailWaiting MailState = "waiting" // for its next attempt
	MailSent    MailState = "sent"    // a server took it
	MailFailed  MailState = "failed"  // given up; it can be tried again
)

// OutboxMail is a mail as the outbox knows it.
type OutboxMail struct {
	ID        int64
	To        string
	Subject   string
	CreatedAt time.Time
	DueAt     time.Time // zero unless it is waiting
	Attempts  int64
	Error     string // of the last attempt
	SentAt    time.Time
}

// State returns how far the mail is.
func (m OutboxMail) State() MailState {
	switch {
	case !m.DueAt.IsZero():
		return MailWaiting
	case !m.SentAt.IsZero():
		return MailSent
	}
	return MailFailed
}

// Posting is a mail at the moment in which it is handed to a mail server.
type Posting struct {
	ID       int64
	To       string
	Subject  string
	Text     string
	LinkKind LinkKind // of the address that follows the text; empty: none does
	Secret   string   // of that address
	After    string
}

// ErrOutboxFull says that so much mail waits to be sent that no more is taken.
var ErrOutboxFull = errors.New("too much mail waits to be sent")

// errLinkGone is why a mail is given up whose link does not work any more.
var errLinkGone = errors.New("its link was used, withdrawn or has expired")

const (
	maxWaiting   = 2000
	mailKept     = 30 * 24 * time.Hour // of what is sent or given up
	maxMailError = 500

	// mailLease is how long an attempt may take before another one is made; the
	// process may have died in it.
	mailLease = 5 * time.Minute
)

// mailPauses are the pauses after each attempt that failed; after the last the mail
// is given up.
func mailPauses() []time.Duration {
	return []time.Duration{
		10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	}
}

// QueueMail writes a mail into the outbox. The error wraps ErrOutboxFull.
func (tx *Tx) QueueMail(m Mail) error {
	var waiting int
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM outbox WHERE due_at IS NOT NULL`).Scan(&waiting); err != nil {
		return err
	}
	if waiting >= maxWaiting {
		return ErrOutboxFull
	}
	_, err := tx.insert(`
		INSERT INTO outbox (recipient, subject, text, link_id, linked, after, created_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		m.To, m.Subject, m.Text, nullID(m.Link), m.Link != 0, m.After, ms(tx.now), ms(tx.now))
	return err
}

// NextMail returns when the next attempt is due; the zero time: nothing waits.
func (rx *Rx) NextMail() (time.Time, error) {
	var due sql.NullInt64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT min(due_at) FROM outbox WHERE due_at IS NOT NULL`).Scan(&due)
	return fromMS(due), err
}

// TakeMail returns mails whose attempt is due, at most limit, and makes the secrets
// of their links, whose former ones stop working: a mail is sent with one that
// nothing but the mail has. Who takes mail calls MailDone for each; one of which
// nothing is heard is due again some minutes later.
func (tx *Tx) TakeMail(limit int) ([]Posting, error) {
	type taken struct {
		Posting
		link   int64
		linked bool
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT id, recipient, subject, text, coalesce(link_id, 0), linked, after FROM outbox
		WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?`, ms(tx.now), limit)
	due, err := collect(rows, err, func(t *taken) []any {
		return []any{&t.ID, &t.To, &t.Subject, &t.Text, &t.link, &t.linked, &t.After}
	})
	if err != nil {
		return nil, err
	}
	var all []Posting
	for _, t := range due {
		if t.linked {
			t.LinkKind, t.Secret, err = tx.renewLink(t.link)
			if errors.Is(err, ErrNotFound) {
				if err := tx.giveMailUp(t.ID, errLinkGone); err != nil {
					return nil, err
				}
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		if _, err := tx.exec(`UPDATE outbox SET attempts = attempts + 1, due_at = ? WHERE id = ?`, ms(tx.now.Add(mailLease)), t.ID); err != nil {
			return nil, err
		}
		all = append(all, t.Posting)
	}
	return all, nil
}

// MailDone notes what came of an attempt: nil, or why it failed. forGood: no other
// attempt would go better.
func (tx *Tx) MailDone(id int64, failure error, forGood bool) error {
	if failure == nil {
		_, err := tx.exec(`UPDATE outbox SET sent_at = ?, due_at = NULL, error = '', text = '', after = '' WHERE id = ?`, ms(tx.now), id)
		if err != nil {
			return err
		}
		_, err = tx.exec(`DELETE FROM outbox WHERE due_at IS NULL AND created_at < ?`, ms(tx.now.Add(-mailKept)))
		return err
	}
	var attempts int
	err := tx.q.QueryRowContext(tx.ctx, `SELECT attempts FROM outbox WHERE id = ?`, id).Scan(&attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	pauses := mailPauses()
	if forGood || attempts > len(pauses) {
		return tx.giveMailUp(id, failure)
	}
	_, err = tx.exec(`UPDATE outbox SET due_at = ?, error = ? WHERE id = ?`,
		ms(tx.now.Add(pauses[max(attempts, 1)-1])), cutText(failure.Error(), maxMailError), id)
	return err
}

func (tx *Tx) giveMailUp(id int64, why error) error {
	_, err := tx.exec(`UPDATE outbox SET due_at = NULL, error = ? WHERE id = ?`, cutText(why.Error(), maxMailError), id)
	return err
}

// RetryMail makes one more round of attempts at a mail that was given up, ErrNotFound
// if there is none.
func (tx *Tx) RetryMail(id int64) (OutboxMail, error) {
	n, err := tx.exec(`UPDATE outbox SET due_at = ?, attempts = 0 WHERE id = ? AND due_at IS NULL AND sent_at IS NULL`, ms(tx.now), id)
	if err != nil {
		return OutboxMail{}, err
	}
	if n == 0 {
		return OutboxMail{}, fmt.Errorf("mail %d: %w", id, ErrNotFound)
	}
	return one(tx.outbox("WHERE id = ?", id))
}

// Outbox returns the newest mails, at most limit.
func (rx *Rx) Outbox(limit int) ([]OutboxMail, error) {
	return rx.outbox("ORDER BY id DESC LIMIT ?", limit)
}

func (rx *Rx) outbox(where string, args ...any) ([]OutboxMail, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, recipient, subject, created_at, due_at, attempts, error, sent_at FROM outbox `+where, args...)
	var created, due, sent sql.NullInt64
	return collectThen(rows, err, func(m *OutboxMail) []any {
		return []any{&m.ID, &m.To, &m.Subject, &created, &due, &m.Attempts, &m.Error, &sent}
	}, func(m *OutboxMail) { m.CreatedAt, m.DueAt, m.SentAt = fromMS(created), fromMS(due), fromMS(sent) })
}

// MailState counts what the outbox has: mails that wait, since when the oldest of
// them does (zero: none), and mails that were given up and not removed yet.
func (rx *Rx) MailState() (waiting int64, oldest time.Time, givenUp int64, err error) {
	var since sql.NullInt64
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT
			count(*) FILTER (WHERE due_at IS NOT NULL),
			min(created_at) FILTER (WHERE due_at IS NOT NULL),
			count(*) FILTER (WHERE due_at IS NULL AND sent_at IS NULL)
		FROM outbox`).Scan(&waiting, &since, &givenUp)
	return waiting, fromMS(since), givenUp, err
}
