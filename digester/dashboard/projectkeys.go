package dashboard

import (
	"net/http"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// keysPage lists a project's keys.
type keysPage struct {
	settingsFrame
	Keys []keyRow
	Name string // as typed, when the form comes back
}

// keyRow is one key of the list.
type keyRow struct {
	store.ProjectKey
	DSN  dsnBox
	Last bool // the only enabled one: without it nothing is accepted
}

func (d *Dashboard) showKeys(rx *store.Rx, r *http.Request) (reply, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.keysPage(rx, r, p)
	return show("keys", page), err
}

func (d *Dashboard) keysPage(rx *store.Rx, r *http.Request, p store.Project) (keysPage, error) {
	page := keysPage{settingsFrame: d.settingsFrame(r, p, "keys")}
	keys, err := rx.ProjectKeys(p.ID)
	for _, k := range keys {
		box := newDSNBox(p.ID, DSN(d.cfg.PublicURL, k.Public, p.ID))
		box.ID = "dsn-" + k.Public
		page.Keys = append(page.Keys, keyRow{ProjectKey: k, DSN: box, Last: k.Enabled && len(p.Keys) == 1})
	}
	return page, err
}

// addKey is POST /projects/{id}/settings/keys.
func (d *Dashboard) addKey(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := pathProject(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	_, err = deed.AddKey(tx, d.by(r), p, r.PostFormValue("name"))
	if words := formWords(err); words != "" {
		page, err := d.keysPage(&tx.Rx, r, p)
		page.Name, page.Error = r.PostFormValue("name"), words
		return returned("keys", page), err
	}
	return d.afterKey(p, "key-added", err)
}

// setKey is POST /projects/{id}/settings/keys/{key}/enable and …/disable.
func (d *Dashboard) setKey(enabled bool) writer {
	word := "key-disabled"
	if enabled {
		word = "key-enabled"
	}
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		p, key, err := pathKey(&tx.Rx, r)
		if err == nil {
			err = deed.EnableKey(tx, d.by(r), p, key, enabled)
		}
		return d.afterKey(p, word, err)
	}
}

// deleteKey is POST /projects/{id}/settings/keys/{key}/delete.
func (d *Dashboard) deleteKey(tx *store.Tx, r *http.Request) (reply, error) {
	p, key, err := pathKey(&tx.Rx, r)
	if err == nil {
		err = deed.DeleteKey(tx, d.by(r), p, key)
	}
	if words := formWords(err); words != "" {
		page, err := d.keysPage(&tx.Rx, r, p)
		page.Error = words
		return returned("keys", page), err
	}
	return d.afterKey(p, "key-deleted", err)
}

// afterKey leads back to the list.
func (d *Dashboard) afterKey(p store.Project, word string, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.settingsPart(p.ID, "keys"), word)), nil
}

// pathKey loads the project and its key that the path names.
func pathKey(rx *store.Rx, r *http.Request) (store.Project, store.ProjectKey, error) {
	p, err := pathProject(rx, r)
	if err != nil {
		return p, store.ProjectKey{}, err
	}
	id, err := pathNumber(r, "key")
	if err != nil {
		return p, store.ProjectKey{}, err
	}
	key, err := rx.ProjectKey(p.ID, id)
	return p, key, err
}
