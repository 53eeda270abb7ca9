package store

import (
	"cmp"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/digester/alert"
	"sundew/schema/event"
)

// maxProjectName is in characters.
const maxProjectName = 80

// Projects returns all projects by name.
func (rx *Rx) Projects() ([]Project, error) {
	return rx.projects("WHERE deleted_at IS NULL ORDER BY name, id")
}

// ProjectsByID returns all projects, the oldest first.
func (rx *Rx) ProjectsByID() ([]Project, error) {
	return rx.projects("WHERE deleted_at IS NULL ORDER BY id")
}

// Project returns one project, ErrNotFound if there is none.
func (rx *Rx) Project(id event.ProjectID) (Project, error) {
	return one(rx.projects("WHERE id = ? AND deleted_at IS NULL", id))
}

func (rx *Rx) projects(where string, args ...any) ([]Project, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, slug, name, platform, coalesce(team_id, 0), created_at, deleted_at, issue_count, event_count, last_event_at,
		       (SELECT group_concat(public_key) FROM (
		          SELECT public_key FROM project_keys k WHERE k.project_id = p.id AND enabled ORDER BY k.id))
		FROM projects p `+where, args...)
	var created, deleted, last, keys = sql.NullInt64{}, sql.NullInt64{}, sql.NullInt64{}, sql.NullString{}
	return collectThen(rows, err, func(p *Project) []any {
		return []any{&p.ID, &p.Slug, &p.Name, &p.Platform, &p.TeamID, &created, &deleted, &p.Issues, &p.Events, &last, &keys}
	}, func(p *Project) {
		p.CreatedAt, p.DeletedAt, p.LastEventAt = fromMS(created), fromMS(deleted), fromMS(last)
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
		WHERE o.outcome = 'stored' AND p.deleted_at IS NULL
		GROUP BY o.project_id, o.hour ORDER BY o.project_id, o.hour`, hourOf(since))
	return collectHours[event.ProjectID](rows, err)
}

// CreateProject makes a project with a new random key, which belongs to no team. The
// error wraps ErrInvalid if the name will not do.
func (tx *Tx) CreateProject(name string) (Project, error) {
	return tx.MakeProject(NewProject{ProjectChange: ProjectChange{Name: name}})
}

// CreateProjectWithKey makes a project whose key is given: 32 hex digits, for
// applications that report with a key from elsewhere. An empty key is made up.
func (tx *Tx) CreateProjectWithKey(name, key string) (Project, error) {
	return tx.MakeProject(NewProject{ProjectChange: ProjectChange{Name: name}, Key: key})
}

// NewProject is what is said about a project before there is one.
type NewProject struct {
	ProjectChange        // its slug, if empty, is made of the name
	Team          int64  // 0: none
	Key           string // 32 hex digits; empty: it is made up
	NoRule        bool   // without the alert rule that others begin with
}

// MakeProject makes a project with a key. The error wraps ErrInvalid, or ErrTaken if
// another project has or had the slug.
func (tx *Tx) MakeProject(n NewProject) (Project, error) {
	if n.Key == "" {
		n.Key = newKey()
	}
	n.Key = strings.ToLower(n.Key)
	if b, err := hex.DecodeString(n.Key); err != nil || len(b) != 16 {
		return Project{}, fmt.Errorf("%w key %q: a public key is 32 hex digits", ErrInvalid, n.Key)
	}
	c, err := tx.newNames(n.ProjectChange)
	if err != nil {
		return Project{}, err
	}
	row, err := tx.insert(`INSERT INTO projects (slug, name, platform, team_id, created_at) VALUES (?, ?, ?, nullif(?, 0), ?)`, c.Slug, c.Name, c.Platform, n.Team, ms(tx.now))
	if err != nil {
		return Project{}, err
	}
	id := event.ProjectID(row)
	if _, err := tx.insertKey(id, n.Key, ""); err != nil {
		return Project{}, err
	}
	if n.NoRule {
		return tx.Project(id)
	}
	if _, err := tx.AddAlertRule(id, alert.Default()); err != nil {
		return Project{}, err
	}
	return tx.Project(id)
}

// newNames checks what a new project is to be called, and makes its slug if none is
// named.
func (tx *Tx) newNames(c ProjectChange) (ProjectChange, error) {
	named := c.Slug != ""
	if !named {
		c.Slug = cmp.Or(slugOf(c.Name), "project")
	}
	c, err := c.clean()
	if err != nil {
		return c, err
	}
	if !named {
		c.Slug, err = tx.freeSlug("projects", c.Name)
		return c, err
	}
	taken, err := tx.slugTaken("projects", c.Slug)
	if err == nil && taken {
		err = errSlugTaken(c.Slug)
	}
	return c, err
}

func cleanProjectName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || utf8.RuneCountInString(name) > maxProjectName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", fmt.Errorf("%w project name: it needs 1 to %d printable characters", ErrInvalid, maxProjectName)
	}
	return name, nil
}

// freeSlug makes a slug of a name: lower-case letters, digits and single dashes, or what
// the table, projects or teams, has rows of if there are none in the name; with a number
// behind it if a row has it, or a project had it.
func (tx *Tx) freeSlug(table, name string) (string, error) {
	base := cmp.Or(slugOf(name), strings.TrimSuffix(table, "s"))
	for n := 1; ; n++ {
		slug := base
		if n > 1 {
			slug += "-" + strconv.Itoa(n)
		}
		taken, err := tx.slugTaken(table, slug)
		if err != nil || !taken {
			return slug, err
		}
	}
}

func (tx *Tx) slugTaken(table, slug string) (bool, error) {
	var n int
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT (SELECT count(*) FROM `+table+` WHERE slug = ?1) + (SELECT count(*) FROM former_slugs WHERE slug = ?1 AND ?2 = 'projects')`,
		slug, table).Scan(&n)
	return n > 0, err
}

// slugOf is a name as a slug, empty if nothing of it can be in one.
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	slug := strings.Join(words, "-")
	if len(slug) > 40 {
		slug = strings.TrimRight(slug[:40], "-")
	}
	return slug
}
