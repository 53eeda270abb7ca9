package api

import (
	"errors"
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/store"
)

// bundlesAtOnce is how many uploads a page of a list has.
const bundlesAtOnce = 100

// bundleRoutes are about what was uploaded.
func (a *API) bundleRoutes() {
	const tag, in = "Uploads", "/projects/{org}/{project}/files/"
	read(a, in+"artifact-bundles/", readReleases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's artifact bundles, the newest first", Paged: true}, a.bundles)
	change(a, http.MethodDelete, in+"artifact-bundles/", "remove a bundle", useReleases, ofProject(access.Admin),
		Doc{Tag: tag, Summary: "Delete an artifact bundle", Query: []Param{{Name: "bundleId", Text: "its id"}}, Status: http.StatusNoContent}, a.removeBundle("bundleId", false))
	read(a, in+"dsyms/", readReleases, ofProject(access.Viewer), Doc{Tag: tag, Summary: "A project's debug files, the newest first", Paged: true}, a.debugFiles)
	change(a, http.MethodDelete, in+"dsyms/", "remove a debug file", useReleases, ofProject(access.Admin),
		Doc{Tag: tag, Summary: "Delete a debug file", Query: []Param{{Name: "id", Text: "its id"}}, Status: http.StatusNoContent}, a.removeBundle("id", true))
}

// Bundle is an artifact bundle.
type Bundle struct {
	ID           string                  `json:"bundleId"`
	Associations List[BundleAssociation] `json:"associations"`
	Date         Time                    `json:"date"`
	DateModified Time                    `json:"dateModified"`
	FileCount    int64                   `json:"fileCount"`
	Size         int64                   `json:"size"`     // Sundew's own, as those below
	DateUsed     Time                    `json:"dateUsed"` // to the day
	State        string                  `json:"state"`
	Detail       string                  `json:"detail"`
}

// BundleAssociation is what a bundle belongs to.
type BundleAssociation struct {
	Release *string `json:"release"`
	Dist    *string `json:"dist"`
}

func bundleOf(b store.Bundle) Bundle {
	state := begun{bundle: b}.assembly().State
	view := Bundle{ID: number(b.ID), Date: Time{b.CreatedAt}, DateModified: Time{b.SettledAt}, FileCount: b.Files, Size: b.Size, DateUsed: Time{b.UsedAt}, State: state, Detail: b.Detail}
	if b.Release != "" {
		association := BundleAssociation{Release: &b.Release}
		if b.Dist != "" {
			association.Dist = &b.Dist
		}
		view.Associations = List[BundleAssociation]{association}
	}
	return view
}

func (a *API) bundles(rx *store.Rx, r *request) (List[Bundle], error) {
	return uploadsOf(rx, r, false, bundleOf)
}

func (a *API) debugFiles(rx *store.Rx, r *request) (List[DebugFile], error) {
	return uploadsOf(rx, r, true, debugFileOf)
}

// uploadsOf returns a page of a project's uploads. A cursor's value is the last id of
// the page before.
func uploadsOf[T any](rx *store.Rx, r *request, debugFiles bool, view func(store.Bundle) T) (List[T], error) {
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return nil, err
	}
	n, err := r.perPage(bundlesAtOnce, bundlesAtOnce)
	if err != nil {
		return nil, err
	}
	all, more, err := rx.Bundles(r.project.ID, debugFiles, at.Value, n)
	next := cursor{}
	views := make(List[T], len(all))
	for i, b := range all {
		views[i], next.Value = view(b), b.ID
	}
	r.page(cursor{}, next, at.Value > 0, more)
	return views, err
}

// removeBundle removes the upload that a parameter names.
func (a *API) removeBundle(param string, debugFile bool) func(tx *store.Tx, r *request, _ None) (None, error) {
	return func(tx *store.Tx, r *request, _ None) (None, error) {
		id, err := strconv.ParseInt(r.query(param), 10, 64)
		if err != nil {
			return None{}, bad(param + " has to be the id of what is to be deleted")
		}
		b, err := tx.Bundle(r.project.ID, id)
		if err == nil && (b.Kind == store.BundleDebugFile) != debugFile {
			err = store.ErrNotFound
		}
		if err != nil {
			return None{}, err
		}
		return None{}, errors.Join(tx.RemoveBundle(r.project.ID, id),
			r.audit(tx, store.AuditEntry{Action: "artifact.delete", Project: r.project.ID, Subject: uploadSubject(store.Upload{Name: b.Name, Release: b.Release, Checksum: b.Checksum})}))
	}
}
