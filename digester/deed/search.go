package deed

import (
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
)

// RoleAt is a person's role at the list that a saved search belongs to; nobody shares the
// list of all that they see.
func RoleAt(p access.Person, place store.SearchPlace) access.Role {
	switch {
	case place.Project != 0:
		return p.In(place.Project)
	case place.Team != 0:
		return p.OfTeam(place.Team)
	}
	return access.Viewer
}

// SearchRole is the role that saving a search at a list needs.
func SearchRole(shared bool) access.Role {
	if shared {
		return access.Member
	}
	return access.Viewer
}

// MayDeleteSearch reports whether a person may change or delete a saved search: their
// own, and as a member one that is shared.
func MayDeleteSearch(p access.Person, s store.SavedSearch) bool {
	return s.UserID == p.ID || s.Shared && RoleAt(p, s.Place) >= access.Member
}

// SaveSearch saves a search of the person who has the role for it (SearchRole), in place
// of one of that name, and notes it. The error wraps store.ErrInvalid where its name will
// not do or there are too many.
func SaveSearch(tx *store.Tx, by By, s store.SavedSearch) error {
	s.UserID, s.Query, s.Name = by.Person.ID, strings.TrimSpace(s.Query), strings.TrimSpace(s.Name)
	if err := tx.SaveSearch(s); err != nil {
		return err
	}
	return noteSearch(tx, by, "search.save", s)
}

// ChangeSearch changes a saved search that the person may delete, and notes it where it
// was or becomes shared. The errors are those of SaveSearch, and store.ErrTaken.
func ChangeSearch(tx *store.Tx, by By, before, s store.SavedSearch) error {
	s.Query, s.Name = strings.TrimSpace(s.Query), strings.TrimSpace(s.Name)
	if err := tx.ChangeSearch(s); err != nil {
		return err
	}
	if before.Shared && !s.Shared { // others have it no more
		return noteSearch(tx, by, "search.delete", before)
	}
	return noteSearch(tx, by, "search.save", s)
}

// DeleteSearch deletes a saved search that the person may delete, and notes it.
func DeleteSearch(tx *store.Tx, by By, s store.SavedSearch) error {
	if err := tx.DeleteSearch(s.ID); err != nil {
		return err
	}
	return noteSearch(tx, by, "search.delete", s)
}

// noteSearch notes what concerns others: shared searches.
func noteSearch(tx *store.Tx, by By, action string, s store.SavedSearch) error {
	if !s.Shared {
		return nil
	}
	return by.audit(tx, store.AuditEntry{Action: action, Project: s.Place.Project, TeamID: s.Place.Team, Subject: s.Name, Detail: s.Query})
}
