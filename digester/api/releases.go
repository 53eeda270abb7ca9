package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

const (
	// releasesPerPage is how many releases a page has where nobody says how many.
	releasesPerPage, maxReleasesPerPage = 20, 100

	// maxReleaseProjects bounds for how many projects one request makes a release.
	maxReleaseProjects = 100
)

// releaseRoutes are about releases. To tools a release is the organization's and has
// projects; here each project has its own, so that a name stands for those releases of
// the projects that who asks may see, and a change is one of all those.
func (a *API) releaseRoutes() {
	for _, of := range []struct {
		path string
		may  guard
		role guard // to change something
	}{
		{"/organizations/{org}/releases/", anyone, anyone},
		{"/projects/{org}/{project}/releases/", ofProject(access.Viewer), ofProject(access.Member)},
	} {
		one := of.path + "{version}/"
		query := []Param{{Name: "query", Text: "Part of the version"}, {Name: "status", Text: "open or archived; empty: both"}}
		doc := func(summary string) Doc { return Doc{Tag: "Releases", Summary: summary} }
		read(a, of.path, readReleases, of.may, Doc{Tag: "Releases", Summary: "Releases, the newest first", Query: query, Paged: true}, a.listReleases)
		change(a, http.MethodPost, of.path, "make release", useReleases, of.role, Doc{Tag: "Releases", Summary: "Make a release, or change one", Status: http.StatusCreated}, a.makeRelease)
		read(a, one, readReleases, of.may, doc("A release"), a.showRelease)
		change(a, http.MethodPut, one, "change release", useReleases, of.role, doc("Change a release: finalize, archive, set its commits"), a.changeRelease)
		change(a, http.MethodDelete, one, "remove release", useReleases, of.role, Doc{
			Tag: "Releases", Summary: "Remove a release", Text: "Only one that no event named.", Status: http.StatusNoContent,
		}, a.removeRelease)
		read(a, one+"commits/", readReleases, of.may, Doc{Tag: "Releases", Summary: "Commits of a release, the newest first", Paged: true}, a.listCommits)
		read(a, one+"previous-with-commits/", readReleases, of.may, doc("The release before whose commits are known; {} if there is none"), a.previousRelease)
		read(a, one+"deploys/", readReleases, of.may, doc("Where a release went, the newest first"), a.listDeploys)
		change(a, http.MethodPost, one+"deploys/", "record deploy", useReleases, of.role, Doc{Tag: "Releases", Summary: "Record that a release went somewhere", Status: http.StatusCreated}, a.addDeploy)
		change(a, http.MethodDelete, one+"deploys/{deploy}/", "remove deploy", useReleases, of.role, Doc{Tag: "Releases", Summary: "Remove a deploy that was recorded by mistake", Text: "By the id that the list has. Sundew's own.", Status: http.StatusNoContent}, a.removeDeploy)
	}
}

// releaseProjects are the projects that a request about releases can be about.
func releaseProjects(rx *store.Rx, r *request) ([]store.Project, error) {
	if r.PathValue("project") != "" {
		return []store.Project{r.project}, nil
	}
	return visible(rx, r)
}

// releasesAsked returns the releases that {version} stands for, store.ErrNotFound if
// there are none.
func releasesAsked(rx *store.Rx, r *request) ([]store.Project, []store.Release, error) {
	projects, err := releaseProjects(rx, r)
	if err != nil {
		return nil, nil, err
	}
	releases, err := rx.ReleasesNamed(idsOf(projects), []string{r.PathValue("version")})
	if err == nil && len(releases) == 0 {
		err = &Problem{http.StatusNotFound, fmt.Sprintf("There is no release %.200s", r.PathValue("version"))}
	}
	return projects, releases, err
}

// releasesChanged returns the same where they are to be changed: those of projects in
// which who asks is a member.
func releasesChanged(rx *store.Rx, r *request) ([]store.Release, error) {
	_, releases, err := releasesAsked(rx, r)
	releases = slices.DeleteFunc(releases, func(one store.Release) bool { return r.person.In(one.Project) < access.Member })
	if err == nil && len(releases) == 0 {
		err = errForbidden
	}
	return releases, err
}

func (a *API) listReleases(rx *store.Rx, r *request) (List[Release], error) {
	at, err := parseCursor(r.query("cursor"))
	if err != nil {
		return nil, err
	}
	n, err := r.perPage(releasesPerPage, maxReleasesPerPage)
	if err != nil {
		return nil, err
	}
	projects, err := releaseProjects(rx, r)
	if err != nil {
		return nil, err
	}
	q := store.VersionQuery{Projects: idsOf(projects), Text: r.query("query"), Before: at.Value, Limit: n}
	if q.Archived, err = archivedAsked(r); err != nil {
		return nil, err
	}
	versions, more, err := rx.Versions(q)
	if err != nil {
		return nil, err
	}
	var names []string
	var last int64
	for _, v := range versions {
		names, last = append(names, v.Name), v.ID
	}
	r.page(cursor{Back: true}, cursor{Value: last}, false, more)
	releases, err := rx.ReleasesNamed(q.Projects, names)
	if err != nil {
		return nil, err
	}
	return shapeReleases(rx, projects, releases, names)
}

// archivedAsked is which releases a list has: of an organization, unless something else
// is asked for, those that are open.
func archivedAsked(r *request) (*bool, error) {
	status := r.query("status")
	if !r.queries().Has("status") && r.PathValue("project") == "" {
		status = "open"
	}
	switch status {
	case "":
		return nil, nil
	case "open":
		return new(false), nil
	case "archived":
		return new(true), nil
	}
	return nil, bad("status has to be open or archived.")
}

func (a *API) showRelease(rx *store.Rx, r *request) (Release, error) {
	projects, releases, err := releasesAsked(rx, r)
	if err != nil {
		return Release{}, err
	}
	return shapeRelease(rx, projects, releases)
}

// makeRelease makes a release of the projects that are named, or changes it where it
// is there. With no project it changes those that are there.
func (a *API) makeRelease(tx *store.Tx, r *request, in NewRelease) (Release, error) {
	version, err := store.CheckVersion(in.Version)
	if err != nil {
		return Release{}, err
	}
	r.SetPathValue("version", version)
	change, err := in.change()
	if err != nil {
		return Release{}, err
	}
	projects, err := releaseTargets(&tx.Rx, r, in.Projects)
	if err != nil {
		return Release{}, err
	}
	r.status = http.StatusAlreadyReported // what Sentry says where it was there
	for _, project := range projects {
		made, err := tx.MakeRelease(project, version, change)
		if err == nil {
			err = in.setCommits(tx, project, version)
		}
		action := "release.change"
		if made {
			r.status, action = http.StatusCreated, "release.make"
		}
		if err == nil {
			err = r.audit(tx, store.AuditEntry{Action: action, Project: project, Subject: version, Detail: in.words()})
		}
		if err != nil {
			return Release{}, err
		}
	}
	return a.showRelease(&tx.Rx, r)
}

// releaseTargets are the projects in which a release is to be made.
func releaseTargets(rx *store.Rx, r *request, named []Name) ([]event.ProjectID, error) {
	switch {
	case r.PathValue("project") != "":
		return []event.ProjectID{r.project.ID}, nil
	case len(named) > maxReleaseProjects:
		return nil, bad(fmt.Sprintf("A release is made in at most %d projects at a time.", maxReleaseProjects))
	case len(named) > 0:
		return projectsNamed(rx, r, named)
	}
	releases, err := releasesChanged(rx, r)
	var unknown *Problem
	if errors.As(err, &unknown) {
		err = bad("A new release needs at least one project.")
	}
	var ids []event.ProjectID
	for _, one := range releases {
		ids = append(ids, one.Project)
	}
	return ids, err
}

// projectsNamed returns the projects that a body names, in all of which who asks has to
// be a member.
func projectsNamed(rx *store.Rx, r *request, named []Name) ([]event.ProjectID, error) {
	var ids []event.ProjectID
	for _, name := range named {
		p, err := projectNamed(rx, string(name))
		if err == nil {
			err = enough(r.person.In(p.ID), access.Member)
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil, bad(fmt.Sprintf("Invalid project ids or slugs: there is no project %.100s that this token may see.", name))
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (a *API) changeRelease(tx *store.Tx, r *request, in NewRelease) (Release, error) {
	change, err := in.change()
	if err != nil {
		return Release{}, err
	}
	releases, err := releasesChanged(&tx.Rx, r)
	if err != nil {
		return Release{}, err
	}
	for _, one := range releases {
		err := tx.ChangeRelease(one.Project, one.Version, change)
		if err == nil {
			err = in.setCommits(tx, one.Project, one.Version)
		}
		if err == nil {
			err = r.audit(tx, store.AuditEntry{Action: "release.change", Project: one.Project, Subject: one.Version, Detail: in.words()})
		}
		if err != nil {
			return Release{}, err
		}
	}
	return a.showRelease(&tx.Rx, r)
}

func (a *API) removeRelease(tx *store.Tx, r *request, _ None) (None, error) {
	releases, err := releasesChanged(&tx.Rx, r)
	for _, one := range releases {
		if err == nil {
			err = tx.RemoveRelease(one.Project, one.Version)
		}
		if err == nil {
			err = r.audit(tx, store.AuditEntry{Action: "release.remove", Project: one.Project, Subject: one.Version})
		}
	}
	return None{}, err
}

// words are what the audit log says of a change.
func (in NewRelease) words() string {
	var words []string
	for _, w := range []struct {
		word string
		said bool
	}{
		{"finalized", in.DateReleased != nil}, {"address", in.URL != nil}, {"ref", in.Ref != nil},
		{fmt.Sprintf("%d commits", len(in.Commits)), in.Commits != nil}, {fmt.Sprintf("%d refs", len(in.Refs)), in.Refs != nil},
	} {
		if w.said {
			words = append(words, w.word)
		}
	}
	if in.Status != nil {
		words = append(words, *in.Status)
	}
	return strings.Join(words, ", ")
}
