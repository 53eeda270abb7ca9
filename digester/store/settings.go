package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sundew/schema/event"
	"sundew/schema/scrub"
)

// Bounds of what people set about a project.
const (
	maxSlug      = 40
	maxPlatform  = 40
	maxRulesText = 32 << 10

	platformLetters = "abcdefghijklmnopqrstuvwxyz0123456789-"
)

// ProjectRules are texts that people write about a project. The store does not
// read them: keyring.ParseOrigins and grouping.ParseRules do.
type ProjectRules struct {
	Origins     string // from where browsers may report; empty: everywhere
	Fingerprint string // what belongs together; empty: as grouping has it
}

// ProjectRules returns a project's rules.
func (rx *Rx) ProjectRules(project event.ProjectID) (ProjectRules, error) {
	var r ProjectRules
	err := rx.q.QueryRowContext(rx.ctx, `SELECT origins, fingerprint FROM project_rules WHERE project_id = ?`, int64(project)).Scan(&r.Origins, &r.Fingerprint)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return r, err
}

// AllOrigins returns from where browsers may report, of every project that says.
func (rx *Rx) AllOrigins() (map[event.ProjectID]string, error) { return rx.ruleTexts("origins") }

// AllFingerprintRules returns the fingerprint rules of every project that has any.
func (rx *Rx) AllFingerprintRules() (map[event.ProjectID]string, error) {
	return rx.ruleTexts("fingerprint")
}

// AllPrivacy returns what is taken out of the events of every project that says.
func (rx *Rx) AllPrivacy() (map[event.ProjectID]scrub.Settings, error) {
	texts, err := rx.ruleTexts("privacy")
	if err != nil {
		return nil, err
	}
	all := make(map[event.ProjectID]scrub.Settings, len(texts))
	for project, text := range texts {
		var s scrub.Settings
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("the privacy of project %d: %w", project, err)
		}
		all[project] = s
	}
	return all, nil
}

// Privacy returns what is taken out of a project's events.
func (rx *Rx) Privacy(project event.ProjectID) (scrub.Settings, error) {
	var s scrub.Settings
	var text string
	err := rx.q.QueryRowContext(rx.ctx, `SELECT privacy FROM project_rules WHERE project_id = ?`, int64(project)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) || err == nil && text == "" {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// SetPrivacy sets what is taken out of a project's events from now on. The settings
// must be ones that scrub.New takes.
func (tx *Tx) SetPrivacy(project event.ProjectID, s scrub.Settings) error {
	text := ""
	if !s.IsZero() {
		encoded, err := json.Marshal(s)
		if err != nil {
			return err
		}
		text = string(encoded)
	}
	return tx.setRuleText(project, "privacy", text)
}

func (rx *Rx) ruleTexts(column string) (map[event.ProjectID]string, error) {
	type row struct {
		project event.ProjectID
		text    string
	}
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id, `+column+` FROM project_rules WHERE `+column+` <> ''`)
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.project, &r.text} })
	texts := make(map[event.ProjectID]string, len(all))
	for _, r := range all {
		texts[r.project] = r.text
	}
	return texts, err
}

// SetOrigins sets from where browsers may report. The text must be one that
// keyring.ParseOrigins reads.
func (tx *Tx) SetOrigins(project event.ProjectID, text string) error {
	return tx.setRuleText(project, "origins", text)
}

// SetFingerprintRules sets what belongs together. The text must be one that
// grouping.ParseRules reads.
func (tx *Tx) SetFingerprintRules(project event.ProjectID, text string) error {
	return tx.setRuleText(project, "fingerprint", text)
}

func (tx *Tx) setRuleText(project event.ProjectID, column, text string) error {
	if len(text) > maxRulesText {
		return fmt.Errorf("%w text: at most %d bytes", ErrInvalid, maxRulesText)
	}
	_, err := tx.exec(`
		INSERT INTO project_rules (project_id, `+column+`) VALUES (?1, ?2)
		ON CONFLICT DO UPDATE SET `+column+` = ?2`, int64(project), text)
	return err
}

// ProjectChange is what a project's general settings say.
type ProjectChange struct {
	Name     string
	Slug     string
	Platform string
}

// ChangeProject renames a project. Its former slug keeps leading to it, and is given
// to no other. The error wraps ErrInvalid, or ErrTaken if another project has or had
// the slug.
func (tx *Tx) ChangeProject(id event.ProjectID, c ProjectChange) (Project, error) {
	old, err := tx.Project(id)
	if err != nil {
		return Project{}, err
	}
	if c, err = c.clean(); err != nil {
		return Project{}, err
	}
	if c.Slug != old.Slug {
		if err := tx.changeSlug(old, c.Slug); err != nil {
			return Project{}, err
		}
	}
	if _, err := tx.exec(`UPDATE projects SET name = ?, platform = ? WHERE id = ?`, c.Name, c.Platform, int64(id)); err != nil {
		return Project{}, err
	}
	return tx.Project(id)
}

// clean returns the change as it is stored. The error wraps ErrInvalid.
func (c ProjectChange) clean() (ProjectChange, error) {
	var err error
	if c.Name, err = cleanProjectName(c.Name); err != nil {
		return c, err
	}
	if c.Slug, err = cleanSlug(c.Slug); err != nil {
		return c, err
	}
	if len(c.Platform) > maxPlatform || strings.Trim(c.Platform, platformLetters) != "" {
		return c, fmt.Errorf("%w platform: it has at most %d letters a to z, digits and dashes", ErrInvalid, maxPlatform)
	}
	return c, nil
}

func errSlugTaken(slug string) error { return fmt.Errorf("the short name %s is %w", slug, ErrTaken) }

func (tx *Tx) changeSlug(p Project, slug string) error {
	// A project may have its own former name again.
	if _, err := tx.exec(`DELETE FROM former_slugs WHERE slug = ? AND project_id = ?`, slug, int64(p.ID)); err != nil {
		return err
	}
	taken, err := tx.slugTaken("projects", slug)
	if err != nil {
		return err
	}
	if taken {
		return errSlugTaken(slug)
	}
	if _, err := tx.exec(`INSERT INTO former_slugs (slug, project_id) VALUES (?, ?)`, p.Slug, int64(p.ID)); err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE projects SET slug = ? WHERE id = ?`, slug, int64(p.ID))
	return err
}

// projectsBySlug finds a project by what its slug is or was; it takes the slug twice.
const projectsBySlug = `SELECT id FROM projects WHERE slug = ? UNION ALL SELECT project_id FROM former_slugs WHERE slug = ?`

// ProjectBySlug returns the project that has a slug or had it, ErrNotFound if there
// is none. Letters may be upper-case, as in short ids.
func (rx *Rx) ProjectBySlug(slug string) (Project, error) {
	slug = strings.ToLower(slug)
	return one(rx.projects(`WHERE deleted_at IS NULL AND id IN (`+projectsBySlug+`)`, slug, slug))
}
