package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sundew/digester/access"
)

// LinkKind is what a link is for.
type LinkKind string

// The kinds.
const (
	LinkSetup      LinkKind = "setup"      // makes the first owner
	LinkInvitation LinkKind = "invitation" // makes a user, or gives one a role
	LinkPassword   LinkKind = "password"   // sets a user's password
)

// life is how long a link works.
func (k LinkKind) life() time.Duration {
	switch k {
	case LinkInvitation:
		return 14 * 24 * time.Hour
	case LinkPassword:
		return 2 * time.Hour
	}
	return 7 * 24 * time.Hour
}

// Link is an address that works once.
type Link struct {
	ID        int64
	Kind      LinkKind
	Email     string      // invitation: whom it is for; empty: who opens it says so
	UserID    int64       // password: whose
	Role      access.Role // invitation: in the installation
	TeamID    int64
	TeamRole  access.Role
	CreatedBy int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// maxInvitations bounds how many can be open at a time.
const maxInvitations = 1000

// CreateLink makes a link and returns what stands in its address. A set-up link
// takes the place of the former ones, and so does one for a user's password.
func (tx *Tx) CreateLink(l Link) (secret string, err error) {
	secret = NewSecret()
	_, err = tx.createLink(l, secret)
	return secret, err
}

// MailLink makes a link and writes the mail that its address is sent with: see
// TakeMail. Nothing else has the address.
func (tx *Tx) MailLink(l Link, m Mail) (err error) {
	if m.Link, err = tx.createLink(l, NewSecret()); err != nil {
		return err
	}
	return tx.QueueMail(m)
}

func (tx *Tx) createLink(l Link, secret string) (int64, error) {
	// Whoever makes links sweeps up.
	if _, err := tx.exec(`DELETE FROM links WHERE expires_at <= ?`, ms(tx.now)); err != nil {
		return 0, err
	}
	if l.Kind == LinkInvitation {
		if open, err := tx.Invitations(tx.now); err != nil || len(open) >= maxInvitations {
			return 0, errors.Join(err, fmt.Errorf("%w invitation: %d are open already, withdraw some", ErrInvalid, len(open)))
		}
	} else if _, err := tx.exec(`DELETE FROM links WHERE kind = ? AND user_id IS ?`, string(l.Kind), nullID(l.UserID)); err != nil {
		return 0, err
	}
	return tx.insert(`
		INSERT INTO links (token_hash, kind, email, user_id, role, team_id, team_role, created_by, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		hashSecret(secret), string(l.Kind), l.Email, nullID(l.UserID), int(l.Role), nullID(l.TeamID), int(l.TeamRole), nullID(l.CreatedBy),
		ms(tx.now), ms(tx.now.Add(l.Kind.life())))
}

// renewLink gives a link another secret, ErrNotFound if it does not work any more.
func (tx *Tx) renewLink(id int64) (LinkKind, string, error) {
	l, err := one(tx.links(`WHERE id = ? AND used_at IS NULL AND expires_at > ?`, id, ms(tx.now)))
	if err != nil {
		return "", "", err
	}
	secret := NewSecret()
	_, err = tx.exec(`UPDATE links SET token_hash = ? WHERE id = ?`, hashSecret(secret), id)
	return l.Kind, secret, err
}

// Link returns the link of a kind that an address stands for, ErrNotFound if there
// is none, or it was used or has expired.
func (rx *Rx) Link(kind LinkKind, secret string, now time.Time) (Link, error) {
	return one(rx.links(`WHERE token_hash = ? AND kind = ? AND used_at IS NULL AND expires_at > ?`, hashSecret(secret), string(kind), ms(now)))
}

// Invitations returns the invitations that can still be used, the newest first.
func (rx *Rx) Invitations(now time.Time) ([]Link, error) {
	return rx.links(`WHERE kind = 'invitation' AND used_at IS NULL AND expires_at > ? ORDER BY id DESC`, ms(now))
}

func (rx *Rx) links(where string, args ...any) ([]Link, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, kind, email, coalesce(user_id, 0), role, coalesce(team_id, 0), team_role, coalesce(created_by, 0), created_at, expires_at
		FROM links `+where, args...)
	var created, expires sql.NullInt64
	return collectThen(rows, err, func(l *Link) []any {
		return []any{&l.ID, &l.Kind, &l.Email, &l.UserID, &l.Role, &l.TeamID, &l.TeamRole, &l.CreatedBy, &created, &expires}
	}, func(l *Link) { l.CreatedAt, l.ExpiresAt = fromMS(created), fromMS(expires) })
}

// UseLink marks a link as used: of two who open it at once, one gets ErrNotFound.
func (tx *Tx) UseLink(kind LinkKind, secret string) (Link, error) {
	l, err := tx.Link(kind, secret, tx.now)
	if err != nil {
		return Link{}, err
	}
	_, err = tx.exec(`UPDATE links SET used_at = ? WHERE id = ?`, ms(tx.now), l.ID)
	return l, err
}

// Invitation returns an invitation that can still be used, ErrNotFound if there is
// none.
func (rx *Rx) Invitation(id int64, now time.Time) (Link, error) {
	return one(rx.links(`WHERE id = ? AND kind = 'invitation' AND used_at IS NULL AND expires_at > ?`, id, ms(now)))
}

// WithdrawLink makes a link useless.
func (tx *Tx) WithdrawLink(id int64) error {
	_, err := tx.exec(`DELETE FROM links WHERE id = ? AND used_at IS NULL`, id)
	return err
}
