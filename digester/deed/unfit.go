package deed

import (
	"errors"
	"strings"

	"sundew/digester/store"
	"sundew/digester/words"
	"sundew/schema/keyring"
	"sundew/schema/scrub"
)

// refusal makes an *Unfit of an error that says what is wrong with what was asked for;
// others stay what they are. It still is the error that it was.
func refusal(err error) error {
	switch {
	case errors.Is(err, store.ErrInvalid), errors.Is(err, store.ErrTaken), errors.Is(err, keyring.ErrOrigin), errors.Is(err, scrub.ErrSettings):
		return errors.Join(Cannot(words.Sentence(err.Error())), err)
	}
	return err
}

// Text is a text of several lines as it is kept, whatever system it was typed on.
func Text(typed string) string {
	return strings.ToValidUTF8(strings.TrimRight(strings.ReplaceAll(typed, "\r\n", "\n"), " \t\n"), "\ufffd")
}

// setting notes that something about a project was changed.
func (b By) setting(tx *store.Tx, p store.Project, action, detail string) error {
	return b.audit(tx, store.AuditEntry{Action: action, Project: p.ID, TeamID: p.TeamID, Subject: p.Name, Detail: detail})
}
