package api

import (
	"cmp"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// unnamedKey is what a key is called that nobody named.
const unnamedKey = "Default"

// keyRoutes are about what clients report with.
func (a *API) keyRoutes() {
	const tag, keys = "Projects", "/projects/{org}/{project}/keys/"
	admin := ofProject(access.Admin)
	read(a, keys, readProjects|access.Releases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's client keys (DSNs)", Paged: true,
		Query: []Param{{Name: "status", Text: "active or inactive: only those"}}}, a.keys)
	change(a, "POST", keys, "add key by API", writeProjects, admin, Doc{Tag: tag, Summary: "Make a client key", Status: 201}, a.addKey)
	read(a, keys+"{key}/", readProjects|access.Releases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A client key, by its public key"}, a.key)
	change(a, "PUT", keys+"{key}/", "change key by API", writeProjects, admin, Doc{Tag: tag, Summary: "Rename a client key, or switch it on or off",
		Text: "A key that is switched off is refused within seconds, in other regions within a minute or so."}, a.changeKey)
	change(a, "DELETE", keys+"{key}/", "delete key by API", writeProjects, admin, Doc{Tag: tag, Summary: "Delete a client key that is switched off", Status: 204,
		Text: "A key that still works is not deleted, so that nobody cuts an application off by a slip: switch it off first."}, a.deleteKey)
}

// Key is what clients report with.
type Key struct {
	ID          string    `json:"id"` // the public key, as at Sentry
	Name        string    `json:"name"`
	Label       string    `json:"label"`
	Public      string    `json:"public"`
	Secret      string    `json:"secret"` // no client needs one any more: the public key again
	ProjectID   int64     `json:"projectId"`
	IsActive    bool      `json:"isActive"`
	RateLimit   *KeyLimit `json:"rateLimit"`
	DSN         KeyDSN    `json:"dsn"`
	DateCreated Time      `json:"dateCreated"`
}

// KeyLimit is how many events a key takes: Sundew's limits are those of projects.
type KeyLimit struct {
	Window int `json:"window"`
	Count  int `json:"count"`
}

// KeyDSN is the addresses that are made of a key.
type KeyDSN struct {
	Public   string `json:"public"`
	Secret   string `json:"secret"`
	Security string `json:"security"`
}

func (a *API) keyView(p store.Project, k store.ProjectKey) Key {
	scheme, rest, _ := strings.Cut(a.cfg.PublicURL, "://")
	dsn := scheme + "://" + k.Public + "@" + rest + "/" + projectNumber(p.ID)
	name := cmp.Or(k.Name, unnamedKey)
	return Key{
		ID: k.Public, Name: name, Label: name, Public: k.Public, Secret: k.Public, ProjectID: int64(p.ID), IsActive: k.Enabled,
		DSN: KeyDSN{Public: dsn, Secret: dsn, Security: a.cfg.PublicURL + "/api/" + projectNumber(p.ID) + "/security/?sentry_key=" + k.Public}, DateCreated: Time{k.CreatedAt},
	}
}

func (a *API) keys(rx *store.Rx, r *request) (List[Key], error) {
	all, err := rx.ProjectKeys(r.project.ID)
	if err != nil {
		return nil, err
	}
	switch r.query("status") {
	case "active":
		all = slices.DeleteFunc(all, func(k store.ProjectKey) bool { return !k.Enabled })
	case "inactive":
		all = slices.DeleteFunc(all, func(k store.ProjectKey) bool { return k.Enabled })
	}
	page, err := paged(r, all, 100, 100)
	views := make(List[Key], len(page))
	for i, k := range page {
		views[i] = a.keyView(r.project, k)
	}
	return views, err
}

func (a *API) key(rx *store.Rx, r *request) (Key, error) {
	k, err := keyNamed(rx, r)
	return a.keyView(r.project, k), err
}

// keyNamed returns the key that {key} names.
func keyNamed(rx *store.Rx, r *request) (store.ProjectKey, error) {
	all, err := rx.ProjectKeys(r.project.ID)
	for _, k := range all {
		if k.Public == strings.ToLower(r.PathValue("key")) {
			return k, nil
		}
	}
	return store.ProjectKey{}, cmp.Or(err, store.ErrNotFound)
}

// NewKey is a key to make.
type NewKey struct {
	Name      string    `json:"name"`
	RateLimit *KeyLimit `json:"rateLimit"` // not something Sundew has: null
}

// errKeyLimit is a limit of a key.
func errKeyLimit(limit *KeyLimit) error {
	if limit == nil || limit.Count == 0 {
		return nil
	}
	return bad("rateLimit: a key has no limit of its own; set the project's with PUT …/settings/limits/")
}

func (a *API) addKey(tx *store.Tx, r *request, in NewKey) (Key, error) {
	if err := errKeyLimit(in.RateLimit); err != nil {
		return Key{}, err
	}
	k, err := deed.AddKey(tx, r.by(), r.project, in.Name)
	return a.keyView(r.project, k), err
}

// KeyChange is what a key is to be; what is not there stays.
type KeyChange struct {
	Name      *string   `json:"name"`
	IsActive  *bool     `json:"isActive"`
	RateLimit *KeyLimit `json:"rateLimit"` // not something Sundew has: null
}

func (a *API) changeKey(tx *store.Tx, r *request, in KeyChange) (Key, error) {
	k, err := keyNamed(&tx.Rx, r)
	if err != nil {
		return Key{}, err
	}
	if err := errKeyLimit(in.RateLimit); err != nil {
		return Key{}, err
	}
	if in.Name != nil && *in.Name != cmp.Or(k.Name, unnamedKey) {
		if err := deed.RenameKey(tx, r.by(), r.project, k, *in.Name); err != nil {
			return Key{}, err
		}
	}
	if in.IsActive != nil && *in.IsActive != k.Enabled {
		if err := deed.EnableKey(tx, r.by(), r.project, k, *in.IsActive); err != nil {
			return Key{}, err
		}
	}
	return a.key(&tx.Rx, r)
}

func (a *API) deleteKey(tx *store.Tx, r *request, _ None) (None, error) {
	k, err := keyNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	return None{}, deed.DeleteKey(tx, r.by(), r.project, k)
}
