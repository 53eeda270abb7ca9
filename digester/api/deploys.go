package api

import (
	"errors"
	"slices"
	"strconv"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// Deploy says that a release went somewhere.
type Deploy struct {
	ID           string  `json:"id"`
	Environment  string  `json:"environment"`
	Name         *string `json:"name"`
	URL          *string `json:"url"`
	DateStarted  Time    `json:"dateStarted"`
	DateFinished Time    `json:"dateFinished"`
}

func newDeploy(d store.Deploy) Deploy {
	return Deploy{
		ID: strconv.FormatInt(d.ID, 10), Environment: d.Environment, Name: firstText(nil, d.Name), URL: firstText(nil, d.URL),
		DateStarted: Time{d.StartedAt}, DateFinished: Time{d.FinishedAt},
	}
}

// NewDeploy is a deploy that a tool sends.
type NewDeploy struct {
	Environment  string  `json:"environment"`
	Name         *string `json:"name"`
	URL          *string `json:"url"`
	DateStarted  *string `json:"dateStarted"`
	DateFinished *string `json:"dateFinished"` // missing: now
	Projects     []Name  `json:"projects"`     // none: all that have the release
}

func (in NewDeploy) deploy(release string) (d store.Deploy, err error) {
	d = store.Deploy{Release: release, Environment: in.Environment, Name: orEmpty(in.Name), URL: orEmpty(in.URL)}
	started, err := moment("dateStarted", in.DateStarted)
	if err != nil {
		return d, err
	}
	finished, err := moment("dateFinished", in.DateFinished)
	if started != nil {
		d.StartedAt = *started
	}
	if finished != nil {
		d.FinishedAt = *finished
	}
	return d, err
}

// listDeploys lists where a release went. One that was recorded for several projects at
// once is there once.
func (a *API) listDeploys(rx *store.Rx, r *request) (List[Deploy], error) {
	_, releases, err := releasesAsked(rx, r)
	if err != nil {
		return nil, err
	}
	var all List[Deploy]
	seen := make(map[store.Deploy]bool)
	for _, one := range releases {
		deploys, err := rx.Deploys(one.Project, one.Version, 100)
		if err != nil {
			return nil, err
		}
		for _, d := range deploys {
			same := d
			same.ID = 0
			if !seen[same] {
				seen[same] = true
				all = append(all, newDeploy(d))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Deploy) int { return b.DateFinished.Compare(a.DateFinished.Time) })
	return all, nil
}

func (a *API) addDeploy(tx *store.Tx, r *request, in NewDeploy) (Deploy, error) {
	releases, err := releasesChanged(&tx.Rx, r)
	if err != nil {
		return Deploy{}, err
	}
	if r.PathValue("project") == "" && len(in.Projects) > 0 {
		ids, err := projectsNamed(&tx.Rx, r, in.Projects)
		if err != nil {
			return Deploy{}, err
		}
		releases = slices.DeleteFunc(releases, func(one store.Release) bool { return !slices.Contains(ids, one.Project) })
		if len(releases) == 0 {
			return Deploy{}, bad("None of these projects has the release.")
		}
	}
	d, err := in.deploy(releases[0].Version)
	for _, one := range releases {
		var p store.Project
		if err == nil {
			p, err = tx.Project(one.Project)
		}
		if err == nil {
			d.ID, err = deed.AddDeploy(tx, r.by(), p, d)
		}
	}
	if err != nil {
		return Deploy{}, err
	}
	if d.FinishedAt.IsZero() {
		d.FinishedAt = tx.Now()
	}
	return newDeploy(d), nil
}

// removeDeploy is DELETE of a deploy of one of the releases that are named.
func (a *API) removeDeploy(tx *store.Tx, r *request, _ None) (None, error) {
	releases, err := releasesChanged(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("deploy"), 10, 64)
	if err != nil {
		return None{}, store.ErrNotFound
	}
	for _, one := range releases {
		d, err := tx.Deploy(one.Project, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Release != one.Version {
			continue
		}
		if err != nil {
			return None{}, err
		}
		p, err := tx.Project(one.Project)
		if err != nil {
			return None{}, err
		}
		_, err = deed.RemoveDeploy(tx, r.by(), p, id)
		return None{}, err
	}
	return None{}, store.ErrNotFound
}
