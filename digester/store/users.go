package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/digester/access"
)

// User is a person with an account.
type User struct {
	ID         int64
	Email      string // lower-case
	Name       string
	Role       access.Role // in the installation
	Password   string      // argon2id with its parameters; empty: none, they sign in by other means
	CreatedAt  time.Time
	DisabledAt time.Time // zero: may sign in
}

// ErrTaken is returned where something must be unique and is not.
var ErrTaken = errors.New("taken already")

// Bounds of what people type about themselves.
const (
	maxEmail    = 254
	maxUserName = 80
)

// CleanEmail returns a mail address as it is stored, in lower case. The error wraps
// ErrInvalid.
func CleanEmail(raw string) (string, error) {
	clean := strings.ToLower(strings.TrimSpace(raw))
	parsed, err := mail.ParseAddress(clean)
	if err != nil || parsed.Address != clean || len(clean) > maxEmail {
		return "", fmt.Errorf("%w mail address %q: want something like ada@example.com", ErrInvalid, raw)
	}
	return clean, nil
}

// cleanName returns what a person, a team or the like may be called.
func cleanName(what, raw string) (string, error) {
	name := strings.TrimSpace(raw)
	if name == "" || utf8.RuneCountInString(name) > maxUserName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("%w %s: it needs 1 to %d printable characters", ErrInvalid, what, maxUserName)
	}
	return name, nil
}

// Users returns everybody, by name.
func (rx *Rx) Users() ([]User, error) { return rx.users("ORDER BY name, id") }

// User returns one user, ErrNotFound if there is none.
func (rx *Rx) User(id int64) (User, error) { return one(rx.users("WHERE id = ?", id)) }

// UserByEmail returns the user with a mail address in whatever case, ErrNotFound if
// there is none.
func (rx *Rx) UserByEmail(email string) (User, error) {
	return one(rx.users("WHERE email = ?", strings.ToLower(strings.TrimSpace(email))))
}

func (rx *Rx) users(where string, args ...any) ([]User, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, email, name, role, password, created_at, disabled_at FROM users `+where, args...)
	var password sql.NullString
	var created, disabled sql.NullInt64
	return collectThen(rows, err, func(u *User) []any {
		return []any{&u.ID, &u.Email, &u.Name, &u.Role, &password, &created, &disabled}
	}, func(u *User) {
		u.Password, u.CreatedAt, u.DisabledAt = password.String, fromMS(created), fromMS(disabled)
	})
}

// HasOwner reports whether somebody owns the installation: until then it waits to
// be set up.
func (rx *Rx) HasOwner() (bool, error) {
	var n int
	err := rx.q.QueryRowContext(rx.ctx, `SELECT count(*) FROM users WHERE role = ? AND disabled_at IS NULL`, int(access.Owner)).Scan(&n)
	return n > 0, err
}

// CreateUser makes an account. password is a hash, or empty. The error wraps
// ErrInvalid or ErrTaken.
func (tx *Tx) CreateUser(email, name, password string, role access.Role) (User, error) {
	email, err := CleanEmail(email)
	if err != nil {
		return User{}, err
	}
	if name, err = cleanName("name", name); err != nil {
		return User{}, err
	}
	if _, err := tx.UserByEmail(email); err == nil {
		return User{}, fmt.Errorf("the mail address %s is %w", email, ErrTaken)
	} else if !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	id, err := tx.insert(`INSERT INTO users (email, name, role, password, created_at) VALUES (?, ?, ?, ?, ?)`,
		email, name, int(role), nullText(password), ms(tx.now))
	if err != nil {
		return User{}, err
	}
	return tx.User(id)
}

// SetPassword changes a user's password, a hash, and ends every session of theirs
// but one; keep 0 ends all. Links for a password of theirs stop working.
func (tx *Tx) SetPassword(user int64, hash string, keep int64) error {
	if _, err := tx.exec(`UPDATE users SET password = ? WHERE id = ?`, nullText(hash), user); err != nil {
		return err
	}
	if err := tx.withdrawPasswordLinks(user); err != nil {
		return err
	}
	return tx.EndSessions(user, keep)
}

// ErrLastOwner is returned for what would leave an installation without an owner.
var ErrLastOwner = errors.New("the last owner of the installation")

// RenameUser changes what a user is called. The error wraps ErrInvalid.
func (tx *Tx) RenameUser(user int64, name string) error {
	name, err := cleanName("name", name)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE users SET name = ? WHERE id = ?`, name, user)
	return err
}

// SetEmail changes a user's mail address; links sent to the former one stop working.
// The error wraps ErrInvalid or ErrTaken.
func (tx *Tx) SetEmail(user int64, email string) error {
	email, err := CleanEmail(email)
	if err != nil {
		return err
	}
	switch other, err := tx.UserByEmail(email); {
	case err == nil && other.ID != user:
		return fmt.Errorf("the mail address %s is %w", email, ErrTaken)
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	if _, err = tx.exec(`UPDATE users SET email = ? WHERE id = ?`, email, user); err != nil {
		return err
	}
	return tx.withdrawPasswordLinks(user)
}

// SetUserRole changes a user's role in the installation; access.None leaves what
// teams and projects give. The error wraps ErrInvalid or ErrLastOwner.
func (tx *Tx) SetUserRole(user int64, role access.Role) error {
	if role != access.None && (role < access.Viewer || role > access.Owner) {
		return fmt.Errorf("%w role %d", ErrInvalid, role)
	}
	if role < access.Owner {
		if err := tx.keepOwner(user); err != nil {
			return err
		}
	}
	_, err := tx.exec(`UPDATE users SET role = ? WHERE id = ?`, int(role), user)
	return err
}

// DisableUser keeps a user out: they are signed out everywhere, cannot sign in, and
// their open invitations and links for a password stop working. The error wraps
// ErrLastOwner.
func (tx *Tx) DisableUser(user int64) error {
	if err := tx.keepOwner(user); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE users SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL`, ms(tx.now), user); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM links WHERE kind = 'invitation' AND created_by = ? AND used_at IS NULL`, user); err != nil {
		return err
	}
	if err := tx.withdrawPasswordLinks(user); err != nil {
		return err
	}
	return tx.EndSessions(user, 0)
}

// EnableUser lets a user in again.
func (tx *Tx) EnableUser(user int64) error {
	_, err := tx.exec(`UPDATE users SET disabled_at = NULL WHERE id = ?`, user)
	return err
}

// keepOwner returns ErrLastOwner if nobody but a user owns the installation.
func (tx *Tx) keepOwner(user int64) error {
	u, err := tx.User(user)
	if err != nil || u.Role < access.Owner || !u.DisabledAt.IsZero() {
		return err
	}
	var others int
	err = tx.q.QueryRowContext(tx.ctx, `
		SELECT count(*) FROM users WHERE role = ? AND disabled_at IS NULL AND id <> ?`, int(access.Owner), user).Scan(&others)
	if err == nil && others == 0 {
		err = fmt.Errorf("%s is %w", u.Email, ErrLastOwner)
	}
	return err
}

func (tx *Tx) withdrawPasswordLinks(user int64) error {
	_, err := tx.exec(`DELETE FROM links WHERE kind = 'password' AND user_id = ? AND used_at IS NULL`, user)
	return err
}

// nullText is NULL for the empty text.
func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// nullID is NULL for zero.
func nullID(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}
