package api

import (
	"sundew/digester/access"
	"sundew/digester/store"
)

// ofInstallation asks for a role in the whole installation.
func ofInstallation(least access.Role) guard {
	return func(_ *store.Rx, r *request) error {
		if r.person.Role < least {
			return errForbidden
		}
		return nil
	}
}

// aPerson lets personal tokens in.
func aPerson(_ *store.Rx, r *request) error {
	if r.person.ID == 0 {
		return &Problem{404, "A project's token speaks for nobody"}
	}
	return nil
}

// both lets in whom two guards let in.
func both(one, other guard) guard {
	return func(rx *store.Rx, r *request) error {
		if err := one(rx, r); err != nil {
			return err
		}
		return other(rx, r)
	}
}
