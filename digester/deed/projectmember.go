package deed

import (
	"errors"

	"sundew/digester/access"
	"sundew/digester/store"
)

// Colleague returns who has an account with a mail address; *Unfit if nobody has.
func Colleague(rx *store.Rx, email string) (store.User, error) {
	user, err := rx.UserByEmail(email)
	if errors.Is(err, store.ErrNotFound) {
		return user, Cannot("Nobody here has an account with this mail address. Invite them to a team first.")
	}
	return user, err
}

// GiveProjectRole gives somebody a role in one project, beside what its team gives;
// access.None takes it away. Nobody gives or takes more than they have: ErrForbidden.
func GiveProjectRole(tx *store.Tx, by By, p store.Project, user store.User, role access.Role) error {
	members, err := tx.ProjectMembers(p.ID)
	if err != nil {
		return err
	}
	mine, current := by.Person.In(p.ID), access.None
	for _, m := range members {
		if m.UserID == user.ID {
			current = m.Role
		}
	}
	if err := Gives(mine, current, role); err != nil {
		return err
	}
	if err := tx.SetProjectMember(p.ID, user.ID, role); err != nil {
		return refusal(err)
	}
	return by.setting(tx, p, "project.member", user.Email+": "+role.String())
}
