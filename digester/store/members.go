package store

import (
	"fmt"

	"sundew/digester/access"
	"sundew/schema/event"
)

// ProjectMember is a person with a role in a project, given there or by its team.
type ProjectMember struct {
	UserID int64
	Name   string
	Email  string
	Role   access.Role // in the project itself; None: only what the team gives
	Team   access.Role // in its team; None: not of it
}

// ProjectMembers returns who has a role in a project, by name. Admins of the
// installation, who have one everywhere, are not listed for that.
func (rx *Rx) ProjectMembers(project event.ProjectID) ([]ProjectMember, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT u.id, u.name, u.email, max(m.own), max(m.team) FROM (
		  SELECT user_id, role AS own, 0 AS team FROM project_members WHERE project_id = ?1
		  UNION ALL SELECT t.user_id, 0, t.role FROM projects p JOIN team_members t ON t.team_id = p.team_id WHERE p.id = ?1) m
		JOIN users u ON u.id = m.user_id WHERE u.disabled_at IS NULL GROUP BY u.id ORDER BY u.name, u.id`, int64(project))
	return collect(rows, err, func(m *ProjectMember) []any { return []any{&m.UserID, &m.Name, &m.Email, &m.Role, &m.Team} })
}

// SetProjectMember gives a person a role in a project, beside what the team gives;
// access.None takes it away.
func (tx *Tx) SetProjectMember(project event.ProjectID, user int64, role access.Role) error {
	if role == access.None {
		_, err := tx.exec(`DELETE FROM project_members WHERE project_id = ? AND user_id = ?`, int64(project), user)
		return err
	}
	if role < access.Viewer || role > access.Owner {
		return fmt.Errorf("%w role %d", ErrInvalid, role)
	}
	_, err := tx.exec(`
		INSERT INTO project_members (project_id, user_id, role) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET role = excluded.role`, int64(project), user, int(role))
	return err
}
