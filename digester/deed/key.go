package deed

import (
	"errors"

	"sundew/digester/store"
)

// ErrKeyInUse is the *Unfit of a key that is to be deleted while it works.
var ErrKeyInUse error = &Unfit{"Disable the key first. If nothing is missing for some days, delete it."}

// AddKey makes a key of a project, with a name that may be empty.
func AddKey(tx *store.Tx, by By, p store.Project, name string) (store.ProjectKey, error) {
	key, err := tx.AddKey(p.ID, name)
	return key, by.key(tx, p, key, "key.add", err)
}

// RenameKey gives a key another name.
func RenameKey(tx *store.Tx, by By, p store.Project, key store.ProjectKey, name string) error {
	err := tx.RenameKey(p.ID, key.ID, name)
	key.Name = name
	return by.key(tx, p, key, "key.rename", err)
}

// EnableKey switches a key on or off.
func EnableKey(tx *store.Tx, by By, p store.Project, key store.ProjectKey, on bool) error {
	action := "key.disable"
	if on {
		action = "key.enable"
	}
	return by.key(tx, p, key, action, tx.SetKeyEnabled(p.ID, key.ID, on))
}

// DeleteKey deletes a key that is switched off; ErrKeyInUse if it is not.
func DeleteKey(tx *store.Tx, by By, p store.Project, key store.ProjectKey) error {
	err := tx.DeleteKey(p.ID, key.ID)
	if errors.Is(err, store.ErrKeyInUse) {
		return ErrKeyInUse
	}
	return by.key(tx, p, key, "key.delete", err)
}

// key notes what was done with a key unless it failed.
func (b By) key(tx *store.Tx, p store.Project, key store.ProjectKey, action string, err error) error {
	if err != nil {
		return refusal(err)
	}
	return b.setting(tx, p, action, key.Public[:8]+"… "+key.Name)
}
