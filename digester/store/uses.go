package store

import "time"

// Uses are when sessions and tokens were last used, by their ids.
type Uses struct {
	Sessions map[int64]time.Time
	Tokens   map[int64]time.Time
}

// NoteUses keeps when sessions and tokens were used; those that are gone are left
// out.
func (tx *Tx) NoteUses(u Uses) error {
	for id, at := range u.Sessions {
		if _, err := tx.exec(`UPDATE sessions SET seen_at = max(seen_at, ?) WHERE id = ?`, ms(at), id); err != nil {
			return err
		}
	}
	for id, at := range u.Tokens {
		if _, err := tx.exec(`UPDATE api_tokens SET used_at = max(coalesce(used_at, 0), ?) WHERE id = ?`, ms(at), id); err != nil {
			return err
		}
	}
	return nil
}
