package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/erasure"
	"sundew/digester/store"
	"sundew/schema/event"
)

// personRoutes are about what is stored of a person: in a project, and in all.
func (d *Dashboard) personRoutes() {
	for _, at := range []struct {
		path string
		may  guard
	}{{"/projects/{id}/settings/person", ofProject(access.Admin)}, {"/person", ofInstallation(access.Owner)}} {
		d.get(at.path, at.may, d.showPerson)
		d.post(at.path, "search for a person", at.may, d.searchPerson)
		d.post(at.path+"/{request}/remove", "remove a person", at.may, d.removePerson)
		d.post(at.path+"/{request}/withdraw", "withdraw a search for a person", at.may, d.withdrawPerson)
		d.get(at.path+"/{request}/export", at.may, d.exportPerson)
	}
}

// personPage is where people ask for somebody's data, of a project or of all.
type personPage struct {
	settingsFrame
	Action   string // of the form
	Kinds    []option
	Value    string // as typed
	Requests []personRow
	Busy     bool // something happens by itself
}

// personRow is one of the requests.
type personRow struct {
	store.Erasure
	Kind   string // what names the person, in words
	Share  int64  // of all events that were looked at, in percent
	URL    string
	Nobody bool // nothing was found
}

// Searching, Found, Removing and Done say how far a request is.
func (r personRow) Searching() bool { return r.State == store.ErasureSearching }
func (r personRow) Found() bool     { return r.State == store.ErasureFound }
func (r personRow) Removing() bool  { return r.State == store.ErasureRemoving }
func (r personRow) Done() bool      { return r.State == store.ErasureDone }

func (d *Dashboard) showPerson(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.personPage(rx, r)
	return show("person", page), err
}

// personScope returns the project that a request is about; the zero project: all.
func personScope(rx *store.Rx, r *http.Request) (store.Project, error) {
	if r.PathValue("id") == "" {
		return store.Project{}, nil
	}
	return pathProject(rx, r)
}

func (d *Dashboard) personPage(rx *store.Rx, r *http.Request) (personPage, error) {
	p, err := personScope(rx, r)
	if err != nil {
		return personPage{}, err
	}
	page := personPage{Action: d.links.person(p.ID), Kinds: personKinds("")}
	if p.ID != 0 {
		page.settingsFrame = d.settingsFrame(r, p, "person")
	} else {
		page.settingsFrame = settingsFrame{shell: shell{Title: "Personal data", Trail: d.trail()}}
	}
	page.Notice = personWords(r.URL.Query().Get("done"))
	requests, err := rx.Erasures(p.ID)
	if err != nil {
		return page, err
	}
	newest, err := rx.LastEvent()
	for _, e := range requests {
		row := personRow{
			Erasure: e, Kind: deed.PersonKindWords(e.Subject.Kind), URL: d.links.personRequest(p.ID, e.ID),
			Nobody: e.Events+e.Feedback+e.Attachments == 0, Share: 100,
		}
		if newest > 0 {
			row.Share = min(100, 100*e.Searched/newest)
		}
		page.Busy = page.Busy || row.Searching() || row.Removing()
		page.Requests = append(page.Requests, row)
	}
	return page, err
}

func personKinds(chosen string) []option {
	var all []option
	for _, k := range []erasure.Kind{erasure.ByEmail, erasure.ByID, erasure.ByUsername, erasure.ByIP} {
		all = append(all, option{string(k), deed.PersonKindWords(k), string(k) == chosen})
	}
	return all
}

// personWords says what a form has done, by the word in the address.
func personWords(word string) string {
	switch word {
	case "searching":
		return "The search has begun. Nothing is removed before you say so."
	case "removing":
		return "It is being removed."
	case "withdrawn":
		return "Nothing is removed, and the search is forgotten."
	}
	return ""
}

// searchPerson is POST …/person.
func (d *Dashboard) searchPerson(tx *store.Tx, r *http.Request) (reply, error) {
	p, err := personScope(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	kind, value := r.PostFormValue("kind"), r.PostFormValue("value")
	_, err = deed.SearchPerson(tx, d.by(r), p, kind, value)
	var unfit *deed.Unfit
	if errors.As(err, &unfit) {
		page, err := d.personPage(&tx.Rx, r)
		page.Kinds, page.Value, page.Error = personKinds(kind), value, unfit.Words
		return returned("person", page), err
	}
	return d.afterPerson(p, "searching"), err
}

// removePerson is POST …/person/{request}/remove.
func (d *Dashboard) removePerson(tx *store.Tx, r *http.Request) (reply, error) {
	p, request, err := pathRequest(&tx.Rx, r)
	if err == nil {
		err = deed.RemovePerson(tx, d.by(r), p, request)
	}
	return d.afterPerson(p, "removing"), err
}

// withdrawPerson is POST …/person/{request}/withdraw.
func (d *Dashboard) withdrawPerson(tx *store.Tx, r *http.Request) (reply, error) {
	p, request, err := pathRequest(&tx.Rx, r)
	if err == nil {
		err = deed.WithdrawPerson(tx, d.by(r), p, request)
	}
	return d.afterPerson(p, "withdrawn"), err
}

// afterPerson leads back to the page, and says there what was done.
func (d *Dashboard) afterPerson(p store.Project, done string) reply {
	return redirect(d.links.done(d.links.person(p.ID), done))
}

// pathRequest loads the request that a path names, if it is one of the path's project.
func pathRequest(rx *store.Rx, r *http.Request) (store.Project, store.Erasure, error) {
	p, err := personScope(rx, r)
	if err != nil {
		return p, store.Erasure{}, err
	}
	id, err := pathNumber(r, "request")
	if err != nil {
		return p, store.Erasure{}, err
	}
	request, err := rx.Erasure(id)
	if err == nil && request.Project != event.ProjectID(p.ID) {
		err = store.ErrNotFound
	}
	return p, request, err
}
