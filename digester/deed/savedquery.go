package deed

import (
	"errors"

	"sundew/digester/access"
	"sundew/digester/store"
)

// SaveQuery saves a query of SQL in place of one of that name that its author has, and
// notes it if others have it too. q says whom it is shared with: ErrForbidden where the
// person's role does not include that, store.ErrNotFound where they do not see that
// team. The error is *Unfit where the query will not do.
func SaveQuery(tx *store.Tx, by By, q store.SavedQuery) (int64, error) {
	q.UserID = by.Person.ID
	if err := maySaveQuery(&tx.Rx, by.Person, q); err != nil {
		return 0, err
	}
	id, err := tx.SaveQuery(q)
	if errors.Is(err, store.ErrInvalid) {
		return 0, Cannot("It was not saved: a query needs a statement, and a name of 1 to 60 characters without line breaks; everybody can have 100.")
	}
	if err != nil {
		return 0, err
	}
	return id, noteQuery(tx, by, q, "query.save")
}

func maySaveQuery(rx *store.Rx, p access.Person, q store.SavedQuery) error {
	switch {
	case q.Everybody && p.Role < access.Admin:
		return ErrForbidden
	case q.TeamID == 0:
		return nil
	case p.OfTeam(q.TeamID) == access.None:
		return store.ErrNotFound
	case p.OfTeam(q.TeamID) < access.Member:
		return ErrForbidden
	}
	_, err := rx.Team(q.TeamID)
	return err
}

// SavedQuery returns a saved query that a person has, store.ErrNotFound if there is none.
func SavedQuery(rx *store.Rx, p access.Person, id int64) (store.SavedQuery, error) {
	all, err := rx.SavedQueries(p)
	for _, q := range all {
		if q.ID == id {
			return q, err
		}
	}
	if err == nil {
		err = store.ErrNotFound
	}
	return store.SavedQuery{}, err
}

// MayDeleteQuery reports whether a person may delete a query: its author may, and who
// could have shared it.
func MayDeleteQuery(p access.Person, q store.SavedQuery) bool {
	return q.UserID == p.ID && p.ID != 0 || q.Everybody && p.Role >= access.Admin || q.TeamID != 0 && p.OfTeam(q.TeamID) >= access.Member
}

// DeleteQuery deletes a query that a person has, and notes it if others had it too.
// ErrForbidden: the person may not.
func DeleteQuery(tx *store.Tx, by By, q store.SavedQuery) error {
	if !MayDeleteQuery(by.Person, q) {
		return ErrForbidden
	}
	if err := tx.DeleteQuery(q.ID); err != nil {
		return err
	}
	return noteQuery(tx, by, q, "query.delete")
}

// noteQuery notes what concerns others: shared queries.
func noteQuery(tx *store.Tx, by By, q store.SavedQuery, action string) error {
	if !q.Everybody && q.TeamID == 0 {
		return nil
	}
	return by.audit(tx, store.AuditEntry{Action: action, TeamID: q.TeamID, Subject: q.Name, Detail: q.Statement})
}
