package store

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sundew/schema/event"
)

// Bounds of saved searches.
const (
	maxSearchName    = 60
	maxSavedSearches = 50 // of one person and list
)

// SearchPlace is the list that a saved search belongs to: that of a project, of a
// team, or, with both zero, of all that a person sees.
type SearchPlace struct {
	Project event.ProjectID
	Team    int64
}

// SavedSearch is a search with a name.
type SavedSearch struct {
	ID     int64
	UserID int64 // who saved it
	Place  SearchPlace
	Shared bool // with all who see the project or are in the team
	Name   string
	Query  string // as typed
	Sort   string // as in addresses
}

// SavedSearches returns the searches that a person has beside a list, by name.
func (rx *Rx) SavedSearches(place SearchPlace, user int64) ([]SavedSearch, error) {
	switch {
	case place.Project != 0:
		return rx.savedSearches(`WHERE project_id = ? AND (shared OR user_id = ?) ORDER BY name, id`, int64(place.Project), user)
	case place.Team != 0:
		return rx.savedSearches(`WHERE team_id = ? AND (shared OR user_id = ?) ORDER BY name, id`, place.Team, user)
	}
	return rx.savedSearches(`WHERE user_id = ? AND project_id IS NULL AND team_id IS NULL ORDER BY name, id`, user)
}

// SavedSearch returns one, ErrNotFound if there is none.
func (rx *Rx) SavedSearch(id int64) (SavedSearch, error) {
	return one(rx.savedSearches(`WHERE id = ?`, id))
}

func (rx *Rx) savedSearches(where string, args ...any) ([]SavedSearch, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, user_id, coalesce(project_id, 0), coalesce(team_id, 0), shared, name, query, sort FROM saved_searches `+where, args...)
	return collect(rows, err, func(s *SavedSearch) []any {
		return []any{&s.ID, &s.UserID, &s.Place.Project, &s.Place.Team, &s.Shared, &s.Name, &s.Query, &s.Sort}
	})
}

// SaveSearch saves a search, in place of one of that name that the person has at that
// list. The error wraps ErrInvalid.
func (tx *Tx) SaveSearch(s SavedSearch) error {
	s.Name = strings.TrimSpace(s.Name)
	if err := checkSearch(s); err != nil {
		return err
	}
	there, err := tx.SavedSearches(s.Place, s.UserID)
	if err != nil {
		return err
	}
	own := 0
	for _, old := range there {
		if old.UserID != s.UserID {
			continue
		}
		if own++; old.Name == s.Name {
			_, err := tx.exec(`UPDATE saved_searches SET shared = ?, query = ?, sort = ? WHERE id = ?`, s.Shared, s.Query, s.Sort, old.ID)
			return err
		}
	}
	if own >= maxSavedSearches {
		return fmt.Errorf("%w search: there are %d already", ErrInvalid, own)
	}
	_, err = tx.exec(`
		INSERT INTO saved_searches (user_id, project_id, team_id, shared, name, query, sort, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.UserID, nullID(int64(s.Place.Project)), nullID(s.Place.Team), s.Shared, s.Name, s.Query, s.Sort, ms(tx.now))
	return err
}

func checkSearch(s SavedSearch) error {
	if s.Name == "" || utf8.RuneCountInString(s.Name) > maxSearchName || strings.ContainsFunc(s.Name, unicode.IsControl) {
		return fmt.Errorf("%w name of a search: it needs 1 to %d printable characters", ErrInvalid, maxSearchName)
	}
	return nil
}

// ChangeSearch changes what a saved search looks for and who has it, not its list. The
// error wraps ErrInvalid, or ErrTaken where its owner has another of that name there.
func (tx *Tx) ChangeSearch(s SavedSearch) error {
	s.Name = strings.TrimSpace(s.Name)
	if err := checkSearch(s); err != nil {
		return err
	}
	there, err := tx.SavedSearches(s.Place, s.UserID)
	if err != nil {
		return err
	}
	for _, other := range there {
		if other.UserID == s.UserID && other.Name == s.Name && other.ID != s.ID {
			return fmt.Errorf("the name %q: %w", s.Name, ErrTaken)
		}
	}
	return someChanged(tx.exec(`UPDATE saved_searches SET shared = ?, name = ?, query = ?, sort = ? WHERE id = ?`, s.Shared, s.Name, s.Query, s.Sort, s.ID))
}

// DeleteSearch deletes a saved search.
func (tx *Tx) DeleteSearch(id int64) error {
	_, err := tx.exec(`DELETE FROM saved_searches WHERE id = ?`, id)
	return err
}
