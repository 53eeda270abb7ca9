package store

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/schema/event"
)

// Bounds of a project's keys.
const (
	maxKeys    = 50
	maxKeyName = 80
)

// ErrKeyInUse is returned for what is possible with a disabled key only.
var ErrKeyInUse = errors.New("the key is enabled")

// Key is a public key with the project it opens.
type Key struct {
	Project event.ProjectID
	Public  string // 32 hex digits
	Enabled bool   // and its project is not deleted
}

// ProjectKey is a key as its project's settings show it.
type ProjectKey struct {
	ID        int64
	Name      string // may be empty
	Public    string // 32 hex digits
	Enabled   bool
	CreatedAt time.Time
}

// Keys returns all keys, for the snapshot that the edge answers from.
func (rx *Rx) Keys() ([]Key, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT k.project_id, k.public_key, k.enabled AND p.deleted_at IS NULL FROM project_keys k JOIN projects p ON p.id = k.project_id`)
	return collect(rows, err, func(k *Key) []any { return []any{&k.Project, &k.Public, &k.Enabled} })
}

// refusedKey returns why a key may not report to a project, as a reason to drop
// what it reported. It is empty if it may, and if there is no such project, which
// is a reason of its own.
func (rx *Rx) refusedKey(project event.ProjectID, key string) (string, error) {
	var enabled sql.NullBool
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT k.enabled FROM projects p LEFT JOIN project_keys k ON k.project_id = p.id AND k.public_key = ?
		WHERE p.id = ? AND p.deleted_at IS NULL`, key, int64(project)).Scan(&enabled)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", err
	case !enabled.Valid:
		return DropUnknownKey, nil
	case !enabled.Bool:
		return DropDisabledKey, nil
	}
	return "", nil
}

// ProjectKeys returns a project's keys, the oldest first.
func (rx *Rx) ProjectKeys(project event.ProjectID) ([]ProjectKey, error) {
	return rx.projectKeys(`WHERE project_id = ? ORDER BY id`, int64(project))
}

// ProjectKey returns one key of a project, ErrNotFound if it has no such key.
func (rx *Rx) ProjectKey(project event.ProjectID, id int64) (ProjectKey, error) {
	return one(rx.projectKeys(`WHERE project_id = ? AND id = ?`, int64(project), id))
}

func (rx *Rx) projectKeys(where string, args ...any) ([]ProjectKey, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, name, public_key, enabled, created_at FROM project_keys `+where, args...)
	var created sql.NullInt64
	return collectThen(rows, err, func(k *ProjectKey) []any {
		return []any{&k.ID, &k.Name, &k.Public, &k.Enabled, &created}
	}, func(k *ProjectKey) { k.CreatedAt = fromMS(created) })
}

// AddKey makes a key of a project, with a name that may be empty. The error wraps
// ErrInvalid.
func (tx *Tx) AddKey(project event.ProjectID, name string) (ProjectKey, error) {
	name, err := cleanKeyName(name)
	if err != nil {
		return ProjectKey{}, err
	}
	keys, err := tx.ProjectKeys(project)
	if err != nil {
		return ProjectKey{}, err
	}
	if len(keys) >= maxKeys {
		return ProjectKey{}, fmt.Errorf("%w: a project has at most %d keys; delete disabled ones first", ErrInvalid, maxKeys)
	}
	id, err := tx.insertKey(project, newKey(), name)
	if err != nil {
		return ProjectKey{}, err
	}
	return tx.ProjectKey(project, id)
}

func cleanKeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if utf8.RuneCountInString(name) > maxKeyName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("%w name of a key: at most %d printable characters", ErrInvalid, maxKeyName)
	}
	return name, nil
}

// RenameKey gives a project's key another name. The error wraps ErrInvalid, or is
// ErrNotFound if it has no such key.
func (tx *Tx) RenameKey(project event.ProjectID, id int64, name string) error {
	name, err := cleanKeyName(name)
	if err != nil {
		return err
	}
	return someChanged(tx.exec(`UPDATE project_keys SET name = ? WHERE project_id = ? AND id = ?`, name, int64(project), id))
}

// SetKeyEnabled switches a project's key on or off. ErrNotFound if it has no such
// key.
func (tx *Tx) SetKeyEnabled(project event.ProjectID, id int64, enabled bool) error {
	n, err := tx.exec(`UPDATE project_keys SET enabled = ? WHERE project_id = ? AND id = ?`, enabled, int64(project), id)
	return someChanged(n, err)
}

// DeleteKey removes a key that is switched off: ErrKeyInUse if it is not, so that
// nobody cuts an application off by a slip. ErrNotFound if there is no such key.
func (tx *Tx) DeleteKey(project event.ProjectID, id int64) error {
	key, err := tx.ProjectKey(project, id)
	if err != nil {
		return err
	}
	if key.Enabled {
		return ErrKeyInUse
	}
	_, err = tx.exec(`DELETE FROM project_keys WHERE id = ?`, id)
	return err
}

func (tx *Tx) insertKey(project event.ProjectID, key, name string) (int64, error) {
	return tx.insert(`INSERT INTO project_keys (project_id, public_key, name, created_at) VALUES (?, ?, ?, ?)`, int64(project), key, name, ms(tx.now))
}

func newKey() string {
	var raw [16]byte
	rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}

// someChanged turns a statement that changed nothing into ErrNotFound.
func someChanged(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}
