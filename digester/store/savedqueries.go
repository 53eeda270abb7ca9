package store

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sundew/digester/access"
)

// Bounds of saved queries.
const (
	maxQueryName    = 60
	maxSavedQueries = 100 // of one person
	maxQueryText    = 16 << 10
)

// SavedQuery is a statement of SQL with a name.
type SavedQuery struct {
	ID        int64
	UserID    int64  // who saved it
	Author    string // their name
	TeamID    int64  // who is in it has the query too; 0: nobody but its author
	Everybody bool   // or all who are signed in
	Name      string
	Statement string // as typed
}

// savedQueryFrom has the query's author with it.
const savedQueryFrom = `
	SELECT q.id, q.user_id, u.name, coalesce(q.team_id, 0), q.everybody, q.name, q.statement
	FROM saved_queries q JOIN users u ON u.id = q.user_id `

// SavedQueries returns the queries that a person has: their own, those of their teams,
// of admins of the installation all teams, and those of everybody; by name.
func (rx *Rx) SavedQueries(by access.Person) ([]SavedQuery, error) {
	all, err := rx.savedQueries(`WHERE q.user_id = ?`, by.ID)
	if err != nil {
		return nil, err
	}
	everybody, err := rx.savedQueries(`WHERE q.everybody = 1`)
	if err != nil {
		return nil, err
	}
	all = append(all, everybody...)
	if by.SeesAll() {
		some, err := rx.savedQueries(`WHERE q.team_id IS NOT NULL`)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	for team := range by.Teams {
		some, err := rx.savedQueries(`WHERE q.team_id = ?`, team)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b SavedQuery) int {
		if byName := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); byName != 0 {
			return byName
		}
		return int(a.ID - b.ID)
	})
	return slices.CompactFunc(all, func(a, b SavedQuery) bool { return a.ID == b.ID }), nil
}

// SavedQuery returns one, ErrNotFound if there is none.
func (rx *Rx) SavedQuery(id int64) (SavedQuery, error) {
	return one(rx.savedQueries(`WHERE q.id = ?`, id))
}

func (rx *Rx) savedQueries(where string, args ...any) ([]SavedQuery, error) {
	rows, err := rx.q.QueryContext(rx.ctx, savedQueryFrom+where, args...)
	return collect(rows, err, func(q *SavedQuery) []any {
		return []any{&q.ID, &q.UserID, &q.Author, &q.TeamID, &q.Everybody, &q.Name, &q.Statement}
	})
}

// SaveQuery saves a query, in place of one of that name that its author has, and
// returns its id. The error wraps ErrInvalid.
func (tx *Tx) SaveQuery(q SavedQuery) (int64, error) {
	q.Name = strings.TrimSpace(q.Name)
	switch {
	case q.Name == "" || utf8.RuneCountInString(q.Name) > maxQueryName || strings.ContainsFunc(q.Name, unicode.IsControl):
		return 0, fmt.Errorf("%w name of a query: it needs 1 to %d printable characters", ErrInvalid, maxQueryName)
	case strings.TrimSpace(q.Statement) == "" || len(q.Statement) > maxQueryText:
		return 0, fmt.Errorf("%w query: it needs 1 to %d bytes", ErrInvalid, maxQueryText)
	}
	own, err := tx.savedQueries(`WHERE q.user_id = ?`, q.UserID)
	if err != nil {
		return 0, err
	}
	for _, old := range own {
		if old.Name == q.Name {
			_, err := tx.exec(`UPDATE saved_queries SET team_id = ?, everybody = ?, statement = ? WHERE id = ?`, nullID(q.TeamID), q.Everybody, q.Statement, old.ID)
			return old.ID, err
		}
	}
	if len(own) >= maxSavedQueries {
		return 0, fmt.Errorf("%w query: there are %d already", ErrInvalid, len(own))
	}
	return tx.insert(`
		INSERT INTO saved_queries (user_id, team_id, everybody, name, statement, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		q.UserID, nullID(q.TeamID), q.Everybody, q.Name, q.Statement, ms(tx.now))
}

// DeleteQuery deletes a saved query.
func (tx *Tx) DeleteQuery(id int64) error {
	_, err := tx.exec(`DELETE FROM saved_queries WHERE id = ?`, id)
	return err
}
