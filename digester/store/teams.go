package store

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/schema/event"
)

// Team is people who work on the same projects.
type Team struct {
	ID        int64
	Slug      string
	Name      string
	CreatedAt time.Time
	Members   int64
	Projects  int64
}

// TeamMember is a person of a team.
type TeamMember struct {
	UserID   int64
	Name     string
	Email    string
	Role     access.Role
	Disabled bool // may not sign in
}

// Teams returns all teams by name.
func (rx *Rx) Teams() ([]Team, error) { return rx.teams("ORDER BY name, id") }

// Team returns one team, ErrNotFound if there is none.
func (rx *Rx) Team(id int64) (Team, error) { return one(rx.teams("WHERE id = ?", id)) }

func (rx *Rx) teams(where string, args ...any) ([]Team, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, slug, name, created_at, (SELECT count(*) FROM team_members m WHERE m.team_id = t.id),
		       (SELECT count(*) FROM projects p WHERE p.team_id = t.id)
		FROM teams t `+where, args...)
	var created sql.NullInt64
	return collectThen(rows, err, func(t *Team) []any {
		return []any{&t.ID, &t.Slug, &t.Name, &created, &t.Members, &t.Projects}
	}, func(t *Team) { t.CreatedAt = fromMS(created) })
}

// TeamMembers returns a team's people by name.
func (rx *Rx) TeamMembers(team int64) ([]TeamMember, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT u.id, u.name, u.email, m.role, u.disabled_at IS NOT NULL FROM team_members m JOIN users u ON u.id = m.user_id
		WHERE m.team_id = ? ORDER BY u.name, u.id`, team)
	return collect(rows, err, func(m *TeamMember) []any { return []any{&m.UserID, &m.Name, &m.Email, &m.Role, &m.Disabled} })
}

// Membership is what somebody is in a team.
type Membership struct {
	TeamID   int64
	TeamSlug string
	UserID   int64
	Role     access.Role
}

// Memberships returns those of all teams, by the teams' names.
func (rx *Rx) Memberships() ([]Membership, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT t.id, t.slug, m.user_id, m.role FROM teams t JOIN team_members m ON m.team_id = t.id ORDER BY t.name, t.id, m.user_id`)
	return collect(rows, err, func(m *Membership) []any { return []any{&m.TeamID, &m.TeamSlug, &m.UserID, &m.Role} })
}

// CreateTeam makes a team without members. The error wraps ErrInvalid.
func (tx *Tx) CreateTeam(name string) (Team, error) {
	name, err := cleanName("team's name", name)
	if err != nil {
		return Team{}, err
	}
	slug, err := tx.freeSlug("teams", name)
	if err != nil {
		return Team{}, err
	}
	id, err := tx.insert(`INSERT INTO teams (slug, name, created_at) VALUES (?, ?, ?)`, slug, name, ms(tx.now))
	if err != nil {
		return Team{}, err
	}
	return tx.Team(id)
}

// RenameTeam changes what a team is called; its slug stays. The error wraps
// ErrInvalid.
func (tx *Tx) RenameTeam(team int64, name string) error {
	name, err := cleanName("team's name", name)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE teams SET name = ? WHERE id = ?`, name, team)
	return err
}

// SetTeamSlug changes a team's short name. The error wraps ErrInvalid, or ErrTaken if
// another team has it.
func (tx *Tx) SetTeamSlug(team int64, slug string) error {
	slug, err := cleanSlug(slug)
	if err != nil {
		return err
	}
	var others int
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM teams WHERE slug = ? AND id <> ?`, slug, team).Scan(&others); err != nil {
		return err
	}
	if others > 0 {
		return fmt.Errorf("the short name %s is %w", slug, ErrTaken)
	}
	_, err = tx.exec(`UPDATE teams SET slug = ? WHERE id = ?`, slug, team)
	return err
}

// cleanSlug returns what somebody may choose as a short name.
func cleanSlug(raw string) (string, error) {
	slug := strings.ToLower(strings.TrimSpace(raw))
	if slug == "" || slug != slugOf(slug) || len(slug) > maxSlug {
		return "", fmt.Errorf("%w short name: it has at most %d letters a to z, digits and single dashes", ErrInvalid, maxSlug)
	}
	return slug, nil
}

// ErrTeamInUse is returned where a team cannot be deleted because of its projects.
var ErrTeamInUse = errors.New("the team has projects")

// DeleteTeam deletes a team, with its memberships, invitations and searches; what was
// assigned to it is to nobody. The error wraps ErrTeamInUse as long as it has projects.
func (tx *Tx) DeleteTeam(team int64) error {
	t, err := tx.Team(team)
	if err != nil {
		return err
	}
	if t.Projects > 0 {
		return ErrTeamInUse
	}
	for _, statement := range []string{
		`UPDATE issues SET assignee_team_id = NULL, revision = revision + 1 WHERE assignee_team_id = ?`,
		`DELETE FROM saved_searches WHERE team_id = ?`,
		`UPDATE saved_queries SET team_id = NULL WHERE team_id = ?`, // their authors keep them
		`DELETE FROM team_members WHERE team_id = ?`,
		`DELETE FROM links WHERE team_id = ?`,
		`DELETE FROM teams WHERE id = ?`,
	} {
		if _, err := tx.exec(statement, team); err != nil {
			return err
		}
	}
	return nil
}

// TeamProjects returns a team's projects by name.
func (rx *Rx) TeamProjects(team int64) ([]Project, error) {
	return rx.projects("WHERE team_id = ? ORDER BY name, id", team)
}

// SetTeamMember puts a person into a team, or changes their role there; access.None
// takes them out.
func (tx *Tx) SetTeamMember(team, user int64, role access.Role) error {
	if role == access.None {
		_, err := tx.exec(`DELETE FROM team_members WHERE team_id = ? AND user_id = ?`, team, user)
		return err
	}
	if role < access.Viewer || role > access.Owner {
		return fmt.Errorf("%w role %d", ErrInvalid, role)
	}
	_, err := tx.exec(`
		INSERT INTO team_members (team_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET role = excluded.role`, team, user, int(role))
	return err
}

// SetProjectTeam gives a project to a team; 0: to none.
func (tx *Tx) SetProjectTeam(project event.ProjectID, team int64) error {
	_, err := tx.exec(`UPDATE projects SET team_id = ? WHERE id = ?`, nullID(team), int64(project))
	return err
}

// AdoptProjects gives all projects without a team to one.
func (tx *Tx) AdoptProjects(team int64) error {
	_, err := tx.exec(`UPDATE projects SET team_id = ? WHERE team_id IS NULL`, team)
	return err
}
