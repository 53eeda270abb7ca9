package deed

import (
	"sundew/digester/access"
	"sundew/digester/store"
)

// CreateTeam makes a team, which belongs to who makes it. The error wraps
// store.ErrInvalid, or is ErrForbidden: the installation's admins make teams.
func CreateTeam(tx *store.Tx, by By, name string) (store.Team, error) {
	if by.Person.Role < access.Admin {
		return store.Team{}, ErrForbidden
	}
	team, err := tx.CreateTeam(name)
	if err != nil {
		return store.Team{}, err
	}
	if err := tx.SetTeamMember(team.ID, by.Person.ID, by.Person.Role); err != nil {
		return store.Team{}, err
	}
	if err := by.audit(tx, store.AuditEntry{Action: "team.create", TeamID: team.ID, Subject: team.Name}); err != nil {
		return store.Team{}, err
	}
	return tx.Team(team.ID)
}

// RenameTeam changes what a team is called, and returns it. The error wraps
// store.ErrInvalid.
func RenameTeam(tx *store.Tx, by By, team store.Team, name string) (store.Team, error) {
	if err := tx.RenameTeam(team.ID, name); err != nil {
		return store.Team{}, err
	}
	team, err := tx.Team(team.ID)
	if err != nil {
		return store.Team{}, err
	}
	return team, by.audit(tx, store.AuditEntry{Action: "team.rename", TeamID: team.ID, Subject: team.Name})
}

// DeleteTeam deletes a team. The error wraps store.ErrTeamInUse as long as it has
// projects.
func DeleteTeam(tx *store.Tx, by By, team store.Team) error {
	if err := tx.DeleteTeam(team.ID); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "team.delete", TeamID: team.ID, Subject: team.Name})
}

// TeamRole returns a user's role in a team by membership alone.
func TeamRole(rx *store.Rx, team, user int64) (access.Role, error) {
	p, err := rx.Person(user)
	return p.Teams[team], err
}

// SetTeamMember gives a user a role in a team, access.None takes them out. The error is
// ErrForbidden where that is more than the person's own.
func SetTeamMember(tx *store.Tx, by By, team store.Team, user store.User, role access.Role) error {
	current, err := TeamRole(&tx.Rx, team.ID, user.ID)
	if err != nil {
		return err
	}
	if err := Gives(by.Person.OfTeam(team.ID), current, role); err != nil {
		return err
	}
	if err := tx.SetTeamMember(team.ID, user.ID, role); err != nil {
		return err
	}
	entry := store.AuditEntry{Action: "team.member", TeamID: team.ID, Subject: user.Email, Detail: team.Name + ": " + role.String()}
	if role == access.None {
		entry.Action, entry.Detail = "team.remove", team.Name
	}
	return by.audit(tx, entry)
}

// LeaveTeam takes the person out of a team, whatever their role there.
func LeaveTeam(tx *store.Tx, by By, team store.Team) error {
	if err := tx.SetTeamMember(team.ID, by.Person.ID, access.None); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "team.leave", TeamID: team.ID, Subject: team.Name})
}

// TransferProject gives a project to a team of which the person is an admin; the zero
// team is none, for the installation's admins.
func TransferProject(tx *store.Tx, by By, p store.Project, team store.Team) error {
	if !by.Person.Makes(team.ID) {
		return ErrForbidden
	}
	if err := tx.SetProjectTeam(p.ID, team.ID); err != nil {
		return err
	}
	to := "to no team"
	if team.ID != 0 {
		to = "to " + team.Name
	}
	return by.audit(tx, store.AuditEntry{Action: "project.transfer", Project: p.ID, TeamID: p.TeamID, Subject: p.Name, Detail: to})
}

// SetTeamSlug changes the short name of a team. The error wraps store.ErrInvalid or
// store.ErrTaken.
func SetTeamSlug(tx *store.Tx, by By, team store.Team, slug string) (store.Team, error) {
	if err := tx.SetTeamSlug(team.ID, slug); err != nil {
		return store.Team{}, err
	}
	changed, err := tx.Team(team.ID)
	if err != nil || changed.Slug == team.Slug {
		return changed, err
	}
	return changed, by.audit(tx, store.AuditEntry{Action: "team.slug", TeamID: team.ID, Subject: team.Name, Detail: changed.Slug})
}
