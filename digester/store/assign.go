package store

import (
	"fmt"

	"sundew/digester/access"
	"sundew/schema/event"
)

// Assignee is who is to look at an issue: a user or a team; the zero value is nobody.
type Assignee struct {
	User int64
	Team int64
}

// Assign says who is to look at issues and returns those for which that is new.
// An error that wraps ErrInvalid if there is no such user or team, or both are named.
func (tx *Tx) Assign(issues []int64, to Assignee, by int64) ([]int64, error) {
	if to.User != 0 && to.Team != 0 {
		return nil, fmt.Errorf("%w: an issue is assigned to a user or to a team", ErrInvalid)
	}
	var known bool
	err := tx.q.QueryRowContext(tx.ctx, `
		SELECT (?1 = 0 OR EXISTS (SELECT 1 FROM users WHERE id = ?1 AND disabled_at IS NULL))
		   AND (?2 = 0 OR EXISTS (SELECT 1 FROM teams WHERE id = ?2))`, to.User, to.Team).Scan(&known)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("%w: there is no such user or team", ErrInvalid)
	}
	user, team := nullID(to.User), nullID(to.Team)
	return tx.each(issues, func(a acted) (bool, error) {
		return tx.changed(a.id, HistoryAssigned, by, Detail{User: to.User, Team: to.Team}, `
			UPDATE issues SET assignee_user_id = ?1, assignee_team_id = ?2, revision = revision + 1
			WHERE id = ?3 AND (assignee_user_id IS NOT ?1 OR assignee_team_id IS NOT ?2)`, user, team, a.id)
	})
}

// Assignees is who can be assigned the issues of a project: who sees it, and its
// team.
type Assignees struct {
	Users []User // by name, without their passwords; the first 500
	Teams []Team
}

// Assignees returns who can be assigned a project's issues.
func (rx *Rx) Assignees(project event.ProjectID) (Assignees, error) {
	const most = 500
	users, err := rx.users(`
		WHERE disabled_at IS NULL AND (role >= ?2
		  OR EXISTS (SELECT 1 FROM project_members m WHERE m.project_id = ?1 AND m.user_id = users.id)
		  OR EXISTS (SELECT 1 FROM projects p JOIN team_members m ON m.team_id = p.team_id WHERE p.id = ?1 AND m.user_id = users.id))
		ORDER BY name, id LIMIT ?3`, int64(project), int(access.Admin), most)
	if err != nil {
		return Assignees{}, err
	}
	for i := range users {
		users[i].Password = ""
	}
	teams, err := rx.teams(`WHERE t.id = (SELECT team_id FROM projects WHERE id = ?)`, int64(project))
	return Assignees{Users: users, Teams: teams}, err
}
