package deed

import (
	"sundew/digester/access"
	"sundew/digester/store"
)

// The deeds of this file are those of the installation's admins about the people who
// can sign in. Their error is ErrForbidden where somebody is above who asks.

// SetUserRole changes a user's role in the installation. The error wraps
// store.ErrLastOwner.
func SetUserRole(tx *store.Tx, by By, user store.User, role access.Role) error {
	if err := Gives(by.Person.Role, user.Role, role); err != nil {
		return err
	}
	if err := tx.SetUserRole(user.ID, role); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "user.role", Subject: user.Email, Detail: user.Role.String() + " → " + role.String()})
}

// DisableUser keeps a user out. The error wraps store.ErrLastOwner, or is ErrYourself.
func DisableUser(tx *store.Tx, by By, user store.User) error {
	if err := manages(by, user); err != nil {
		return err
	}
	if user.ID == by.Person.ID {
		return ErrYourself
	}
	if err := tx.DisableUser(user.ID); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "user.disable", Subject: user.Email})
}

// EnableUser lets a user in again.
func EnableUser(tx *store.Tx, by By, user store.User) error {
	if err := manages(by, user); err != nil {
		return err
	}
	if err := tx.EnableUser(user.ID); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "user.enable", Subject: user.Email})
}

// SignOut ends a user's sessions on all browsers but one; keep 0: on all.
func SignOut(tx *store.Tx, by By, user store.User, keep int64) error {
	if err := manages(by, user); err != nil {
		return err
	}
	if err := tx.EndSessions(user.ID, keep); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "session.end", Subject: user.Email, Detail: "everywhere"})
}

// ResetSecondFactors helps somebody who has lost theirs: the password alone signs in.
func ResetSecondFactors(tx *store.Tx, by By, user store.User) error {
	if err := manages(by, user); err != nil {
		return err
	}
	if err := tx.ResetSecondFactors(user.ID); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "user.second_factor_reset", Subject: user.Email})
}

// manages returns ErrForbidden where a user is above who asks.
func manages(by By, user store.User) error { return Gives(by.Person.Role, user.Role, user.Role) }

// Rename changes what the person is called. The error wraps store.ErrInvalid.
func Rename(tx *store.Tx, by By, name string) error {
	if err := tx.RenameUser(by.Person.ID, name); err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: "account.name", Subject: by.Person.Email, Detail: name})
}
