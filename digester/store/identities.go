package store

import (
	"database/sql"
	"time"
)

// Identity is an account elsewhere that signs a user in.
type Identity struct {
	Issuer    string
	Subject   string
	CreatedAt time.Time
}

// UserByIdentity returns whom an account elsewhere signs in, ErrNotFound if nobody.
func (rx *Rx) UserByIdentity(issuer, subject string) (User, error) {
	return one(rx.users(`WHERE id = (SELECT user_id FROM identities WHERE issuer = ? AND subject = ?)`, issuer, subject))
}

// Identities returns a user's accounts elsewhere, the oldest first.
func (rx *Rx) Identities(user int64) ([]Identity, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT issuer, subject, created_at FROM identities WHERE user_id = ? ORDER BY created_at, issuer, subject`, user)
	var created sql.NullInt64
	return collectThen(rows, err, func(i *Identity) []any {
		return []any{&i.Issuer, &i.Subject, &created}
	}, func(i *Identity) { i.CreatedAt = fromMS(created) })
}

// LinkIdentity has an account elsewhere sign a user in. One that signs in another
// user already is an error.
func (tx *Tx) LinkIdentity(user int64, issuer, subject string) error {
	_, err := tx.exec(`INSERT INTO identities (issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?)`,
		issuer, subject, user, ms(tx.now))
	return err
}

// InvitationFor returns the newest invitation of a mail address that can still be
// used, ErrNotFound if there is none.
func (rx *Rx) InvitationFor(email string, now time.Time) (Link, error) {
	return one(rx.links(`WHERE kind = 'invitation' AND email = ? AND used_at IS NULL AND expires_at > ? ORDER BY id DESC LIMIT 1`, email, ms(now)))
}

// TakeInvitation marks an invitation as used by somebody who came without its
// address, because somebody else vouched for their mail address.
func (tx *Tx) TakeInvitation(id int64) error {
	_, err := tx.exec(`UPDATE links SET used_at = ? WHERE id = ? AND used_at IS NULL`, ms(tx.now), id)
	return err
}
