package store

import (
	"database/sql"
	"fmt"
	"time"
)

// maxPasskeys bounds how many a user has.
const maxPasskeys = 20

// Passkey is a key on a device of a user, which signs in place of a code.
type Passkey struct {
	ID         int64
	Credential string // JSON, of package passkey
	Name       string
	CreatedAt  time.Time
	UsedAt     time.Time // zero: not since
}

// Passkeys returns a user's, the oldest first.
func (rx *Rx) Passkeys(user int64) ([]Passkey, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, credential, name, created_at, used_at FROM passkeys WHERE user_id = ? ORDER BY id`, user)
	var created, used sql.NullInt64
	return collectThen(rows, err, func(p *Passkey) []any {
		return []any{&p.ID, &p.Credential, &p.Name, &created, &used}
	}, func(p *Passkey) { p.CreatedAt, p.UsedAt = fromMS(created), fromMS(used) })
}

// AddPasskey keeps a new passkey. The error wraps ErrInvalid, or ErrTaken if it is
// somebody's already.
func (tx *Tx) AddPasskey(user int64, credentialID []byte, credential, name string) error {
	name, err := cleanName("passkey's name", name)
	if err != nil {
		return err
	}
	var known, has int
	if err := tx.q.QueryRowContext(tx.ctx, `
		SELECT (SELECT count(*) FROM passkeys WHERE credential_id = ?), (SELECT count(*) FROM passkeys WHERE user_id = ?)`,
		credentialID, user).Scan(&known, &has); err != nil {
		return err
	}
	if known > 0 {
		return fmt.Errorf("this passkey is %w", ErrTaken)
	}
	if has >= maxPasskeys {
		return fmt.Errorf("%w number of passkeys: there are %d, remove one first", ErrInvalid, has)
	}
	_, err = tx.insert(`INSERT INTO passkeys (user_id, credential_id, credential, name, created_at) VALUES (?, ?, ?, ?, ?)`,
		user, credentialID, credential, name, ms(tx.now))
	return err
}

// UsePasskey notes that one of a user's passkeys signed: it counts.
func (tx *Tx) UsePasskey(user int64, credentialID []byte, credential string) error {
	n, err := tx.exec(`UPDATE passkeys SET credential = ?, used_at = ? WHERE credential_id = ? AND user_id = ?`,
		credential, ms(tx.now), credentialID, user)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// RemovePasskey forgets one of a user's passkeys and returns its name, ErrNotFound if
// there is none.
func (tx *Tx) RemovePasskey(user, id int64) (name string, err error) {
	keys, err := tx.Passkeys(user)
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		if _, err := tx.exec(`DELETE FROM passkeys WHERE id = ?`, id); err != nil {
			return "", err
		}
		return k.Name, tx.dropUselessCodes(user)
	}
	return "", ErrNotFound
}
