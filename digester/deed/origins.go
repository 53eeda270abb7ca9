package deed

import (
	"strconv"

	"sundew/digester/store"
	"sundew/schema/keyring"
)

// SetOrigins says from where browsers may report to a project: a text that
// keyring.ParseOrigins reads. Empty: from everywhere.
func SetOrigins(tx *store.Tx, by By, p store.Project, text string) error {
	text = Text(text)
	allowed, err := keyring.ParseOrigins(text)
	if err == nil {
		err = tx.SetOrigins(p.ID, text)
	}
	if err != nil {
		return refusal(err)
	}
	return by.setting(tx, p, "project.domains", strconv.Itoa(len(allowed))+" allowed")
}
