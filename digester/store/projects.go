package store

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/schema/event"
)

// maxProjectName is in characters.
const maxProjectName = 80

// Key is a public key with the project it opens.
type Key struct {
	Project event.ProjectID
	Public  string // 32 hex digits
	Enabled bool
}

// Keys returns all keys, for the snapshot that the edge answers from.
func (rx *Rx) Keys() ([]Key, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id, public_key, enabled FROM project_keys`)
	return collect(rows, err, func(k *Key) []any { return []any{&k.Project, &k.Public, &k.Enabled} })
}

// refusedKey returns why a key may not report to a project, as a reason to drop
// what it reported. It is empty if it may, and if there is no such project, which
// is a reason of its own.
func (rx *Rx) refusedKey(project event.ProjectID, key string) (string, error) {
	var enabled sql.NullBool
	err := rx.q.QueryRowContext(rx.ctx, `
		SELECT k.enabled FROM projects p LEFT JOIN project_keys k ON k.project_id = p.id AND k.public_key = ?
		WHERE p.id = ?`, key, int64(project)).Scan(&enabled)
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

// Projects returns all projects by name.
func (rx *Rx) Projects() ([]Project, error) { return rx.projects("ORDER BY name, id") }

// ProjectsByID returns all projects, the oldest first.
func (rx *Rx) ProjectsByID() ([]Project, error) { return rx.projects("ORDER BY id") }

// Project returns one project, ErrNotFound if there is none.
func (rx *Rx) Project(id event.ProjectID) (Project, error) {
	return one(rx.projects("WHERE id = ?", id))
}

func (rx *Rx) projects(where string, args ...any) ([]Project, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, slug, name, coalesce(team_id, 0), created_at, issue_count, event_count, last_event_at,
		       (SELECT group_concat(public_key) FROM (
		          SELECT public_key FROM project_keys k WHERE k.project_id = p.id AND enabled ORDER BY k.id))
		FROM projects p `+where, args...)
	var created, last, keys = sql.NullInt64{}, sql.NullInt64{}, sql.NullString{}
	return collectThen(rows, err, func(p *Project) []any {
		return []any{&p.ID, &p.Slug, &p.Name, &p.TeamID, &created, &p.Issues, &p.Events, &last, &keys}
	}, func(p *Project) {
		p.CreatedAt, p.LastEventAt = fromMS(created), fromMS(last)
		if keys.Valid {
			p.Keys = strings.Split(keys.String, ",")
		}
	})
}

// ProjectHours returns the events that each project stored in each hour from
// since on, ascending; hours without events are left out. CROSS JOIN makes SQLite
// go from the few projects to their hours, not through all the books.
func (rx *Rx) ProjectHours(since time.Time) (map[event.ProjectID][]HourCount, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT o.project_id, o.hour, SUM(o.quantity)
		FROM projects p CROSS JOIN outcomes o ON o.project_id = p.id AND o.hour >= ?
		WHERE o.outcome = 'stored'
		GROUP BY o.project_id, o.hour ORDER BY o.project_id, o.hour`, hourOf(since))
	return collectHours[event.ProjectID](rows, err)
}

// CreateProject makes a project with a new random key, which belongs to no team. The
// error wraps ErrInvalid if the name will not do.
func (tx *Tx) CreateProject(name string) (Project, error) {
	return tx.CreateProjectWithKey(name, "")
}

// CreateProjectWithKey makes a project whose key is given: 32 hex digits, for
// applications that report with a key from elsewhere. An empty key is made up.
func (tx *Tx) CreateProjectWithKey(name, key string) (Project, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxProjectName || strings.ContainsFunc(name, unicode.IsControl) {
		return Project{}, fmt.Errorf("%w project name: it needs 1 to %d printable characters", ErrInvalid, maxProjectName)
	}
	if key == "" {
		var raw [16]byte
		rand.Read(raw[:]) // never fails
		key = hex.EncodeToString(raw[:])
	}
	key = strings.ToLower(key)
	if b, err := hex.DecodeString(key); err != nil || len(b) != 16 {
		return Project{}, fmt.Errorf("%w key %q: a public key is 32 hex digits", ErrInvalid, key)
	}
	slug, err := tx.freeSlug("projects", name)
	if err != nil {
		return Project{}, err
	}
	id, err := tx.insert(`INSERT INTO projects (slug, name, created_at) VALUES (?, ?, ?)`, slug, name, ms(tx.now))
	if err != nil {
		return Project{}, err
	}
	if _, err := tx.insert(`INSERT INTO project_keys (project_id, public_key, created_at) VALUES (?, ?, ?)`, id, key, ms(tx.now)); err != nil {
		return Project{}, err
	}
	return tx.Project(event.ProjectID(id))
}

// freeSlug makes a slug of a name: lower-case letters, digits and single dashes,
// with a number behind it if a row of the table, projects or teams, has it.
func (tx *Tx) freeSlug(table, name string) (string, error) {
	base := slugOf(name)
	for n := 1; ; n++ {
		slug := base
		if n > 1 {
			slug += "-" + strconv.Itoa(n)
		}
		var taken int
		err := tx.q.QueryRowContext(tx.ctx, `SELECT 1 FROM `+table+` WHERE slug = ?`, slug).Scan(&taken)
		if errors.Is(err, sql.ErrNoRows) {
			return slug, nil
		}
		if err != nil {
			return "", err
		}
	}
}

func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	slug := strings.Join(words, "-")
	if len(slug) > 40 {
		slug = strings.TrimRight(slug[:40], "-")
	}
	if slug == "" {
		return "project"
	}
	return slug
}
