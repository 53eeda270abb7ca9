package store

import (
	"database/sql"
	"fmt"
	"time"
)

// SecondFactors are what a user has beside a password.
type SecondFactors struct {
	Authenticator bool // confirmed by a code
	Passkeys      int64
	RecoveryCodes int64 // not used yet
}

// Asked reports whether a second factor is asked for after the password.
func (f SecondFactors) Asked() bool { return f.Authenticator || f.Passkeys > 0 }

// SecondFactors returns what a user has.
func (rx *Rx) SecondFactors(user int64) (f SecondFactors, err error) {
	var authenticators int
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT (SELECT count(*) FROM authenticators WHERE user_id = ?1 AND confirmed_at IS NOT NULL),
		       (SELECT count(*) FROM passkeys WHERE user_id = ?1),
		       (SELECT count(*) FROM recovery_codes WHERE user_id = ?1 AND used_at IS NULL)`, user).
		Scan(&authenticators, &f.Passkeys, &f.RecoveryCodes)
	f.Authenticator = authenticators > 0
	return f, err
}

// Authenticator is an app that shows codes.
type Authenticator struct {
	Secret      string // base32
	ConfirmedAt time.Time
	LastStep    int64 // of the last code taken
}

// Authenticator returns a user's, confirmed or not, ErrNotFound if there is none.
func (rx *Rx) Authenticator(user int64) (Authenticator, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT secret, confirmed_at, last_step FROM authenticators WHERE user_id = ?`, user)
	var confirmed sql.NullInt64
	return one(collectThen(rows, err, func(a *Authenticator) []any {
		return []any{&a.Secret, &confirmed, &a.LastStep}
	}, func(a *Authenticator) { a.ConfirmedAt = fromMS(confirmed) }))
}

// StartAuthenticator keeps a secret until a code confirms it; it takes the place of
// another that was not confirmed. The error wraps ErrTaken if one was.
func (tx *Tx) StartAuthenticator(user int64, secret string) error {
	n, err := tx.exec(`
		INSERT INTO authenticators (user_id, secret) VALUES (?, ?)
		ON CONFLICT DO UPDATE SET secret = excluded.secret WHERE confirmed_at IS NULL`, user, secret)
	if err == nil && n == 0 {
		err = fmt.Errorf("the place of the authenticator is %w", ErrTaken)
	}
	return err
}

// TakeCode remembers the step of a code that was right, and confirms the
// authenticator by it.
func (tx *Tx) TakeCode(user, step int64) error {
	_, err := tx.exec(`UPDATE authenticators SET last_step = ?, confirmed_at = coalesce(confirmed_at, ?) WHERE user_id = ?`,
		step, ms(tx.now), user)
	return err
}

// RemoveAuthenticator forgets a user's authenticator.
func (tx *Tx) RemoveAuthenticator(user int64) error {
	if _, err := tx.exec(`DELETE FROM authenticators WHERE user_id = ?`, user); err != nil {
		return err
	}
	return tx.dropUselessCodes(user)
}

// SetRecoveryCodes gives a user new codes in place of all others.
func (tx *Tx) SetRecoveryCodes(user int64, codes []string) error {
	if _, err := tx.exec(`DELETE FROM recovery_codes WHERE user_id = ?`, user); err != nil {
		return err
	}
	for _, code := range codes {
		if _, err := tx.exec(`INSERT INTO recovery_codes (user_id, code_hash) VALUES (?, ?)`, user, hashSecret(code)); err != nil {
			return err
		}
	}
	return nil
}

// UseRecoveryCode takes one of a user's codes, which then is used up; ErrNotFound if
// it is none, or was used.
func (tx *Tx) UseRecoveryCode(user int64, code string) error {
	n, err := tx.exec(`UPDATE recovery_codes SET used_at = ? WHERE user_id = ? AND code_hash = ? AND used_at IS NULL`,
		ms(tx.now), user, hashSecret(code))
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// dropUselessCodes forgets recovery codes where there is nothing to recover from.
func (tx *Tx) dropUselessCodes(user int64) error {
	f, err := tx.SecondFactors(user)
	if err != nil || f.Asked() {
		return err
	}
	_, err = tx.exec(`DELETE FROM recovery_codes WHERE user_id = ?`, user)
	return err
}

// ResetSecondFactors takes away all second factors of a user who has lost them, and
// ends their sessions: whoever has the account now shows the password again.
func (tx *Tx) ResetSecondFactors(user int64) error {
	for _, statement := range []string{
		`DELETE FROM authenticators WHERE user_id = ?`,
		`DELETE FROM passkeys WHERE user_id = ?`,
		`DELETE FROM recovery_codes WHERE user_id = ?`,
		`DELETE FROM sessions WHERE user_id = ?`,
	} {
		if _, err := tx.exec(statement, user); err != nil {
			return err
		}
	}
	return nil
}
