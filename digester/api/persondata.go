package api

import (
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// personRoutes are about what is stored of a person: in a project, and in all. They are
// for people's own tokens, since a request says who asked for it.
func (a *API) personRoutes() {
	const tag = "Personal data"
	const own = "Sundew's own. "
	for _, at := range []struct {
		path   string
		scopes access.Scopes
		may    guard
		where  string
	}{
		{"/projects/{org}/{project}/person/", adminProjects, both(aPerson, ofProject(access.Admin)), "in a project, for its admins"},
		{"/organizations/{org}/person/", adminOrg, both(aPerson, ofInstallation(access.Owner)), "in all projects, for owners of the installation"},
	} {
		one := at.path + "{request}/"
		read(a, at.path, at.scopes, at.may, Doc{Tag: tag, Summary: "The newest 50 requests about people " + at.where, Text: own + "value is there while there is something left to do."}, a.personRequests)
		change(a, "POST", at.path, "search for a person by API", at.scopes, at.may, Doc{Tag: tag, Summary: "Search for what is stored about a person " + at.where, Status: http.StatusCreated,
			Text: own + "The search takes its time; nothing is removed before …/remove/. kind is id, email, username or ip."}, a.searchPerson)
		read(a, one, at.scopes, at.may, Doc{Tag: tag, Summary: "A request about a person " + at.where, Text: own}, a.personRequest)
		read(a, one+"export/", at.scopes, at.may, Doc{Tag: tag, Summary: "What a search found " + at.where, Text: own + "2,000 events or 32 MiB at most: complete says whether that was all. 404: the search has not ended, or removing has begun."}, a.exportPerson)
		change(a, "POST", one+"remove/", "remove a person by API", at.scopes, at.may, Doc{Tag: tag, Summary: "Remove what a search found, and what has come since, " + at.where, Status: http.StatusAccepted,
			Text: own + "The second step, which cannot be taken back: 400 before the state is found."}, a.removePerson)
		change(a, "POST", one+"withdraw/", "withdraw a search for a person by API", at.scopes, at.may, Doc{Tag: tag, Summary: "Forget a search, and whom it was for, " + at.where,
			Text: own + "400 once it was said that it shall be removed."}, a.withdrawPerson)
	}
}

// PersonRequest is a request about what is stored of a person.
type PersonRequest struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`  // id, email, username, ip
	Value       string `json:"value"` // empty once there is nothing left to do
	Hash        string `json:"hash"`  // stands for the person in the audit log
	State       string `json:"state"` // searching, found, removing, done, withdrawn
	Progress    int64  `json:"progress"`
	Events      int64  `json:"events"` // found
	Feedback    int64  `json:"feedback"`
	Attachments int64  `json:"attachments"`
	User        Named  `json:"user"` // who asked
	DateCreated Time   `json:"dateCreated"`
	DateDone    Time   `json:"dateDone"`
}

// PersonSearch names a person.
type PersonSearch struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// personView shows a request; newest is the newest event that there is.
func personView(e store.Erasure, newest int64) PersonRequest {
	view := PersonRequest{
		ID: number(e.ID), Kind: string(e.Subject.Kind), Value: e.Subject.Value, Hash: e.Hash, State: e.State.String(), Progress: 100,
		Events: e.Events, Feedback: e.Feedback, Attachments: e.Attachments, User: Named{number(e.By), e.Name},
		DateCreated: Time{e.CreatedAt}, DateDone: Time{e.DoneAt},
	}
	if newest > 0 && (e.State == store.ErasureSearching || e.State == store.ErasureRemoving) {
		view.Progress = min(100, 100*e.Searched/newest)
	}
	return view
}

func (a *API) personRequests(rx *store.Rx, r *request) (List[PersonRequest], error) {
	all, err := rx.Erasures(r.project.ID)
	if err != nil {
		return nil, err
	}
	newest, err := rx.LastEvent()
	views := make(List[PersonRequest], len(all))
	for i, e := range all {
		views[i] = personView(e, newest)
	}
	return views, err
}

// requestNamed is the request that {request} names, if it is one of the path's project.
func requestNamed(rx *store.Rx, r *request) (store.Erasure, error) {
	id, err := strconv.ParseInt(r.PathValue("request"), 10, 64)
	if err != nil {
		return store.Erasure{}, store.ErrNotFound
	}
	e, err := rx.Erasure(id)
	if err == nil && e.Project != r.project.ID {
		err = store.ErrNotFound
	}
	return e, err
}

func (a *API) personRequest(rx *store.Rx, r *request) (PersonRequest, error) {
	e, err := requestNamed(rx, r)
	if err != nil {
		return PersonRequest{}, err
	}
	newest, err := rx.LastEvent()
	return personView(e, newest), err
}

func (a *API) searchPerson(tx *store.Tx, r *request, in PersonSearch) (PersonRequest, error) {
	e, err := deed.SearchPerson(tx, r.by(), r.project, in.Kind, in.Value)
	if err != nil {
		return PersonRequest{}, err
	}
	newest, err := tx.LastEvent()
	return personView(e, newest), err
}

func (a *API) exportPerson(rx *store.Rx, r *request) (deed.PersonExport, error) {
	e, err := requestNamed(rx, r)
	if err != nil {
		return deed.PersonExport{}, err
	}
	return deed.ExportPerson(rx, e)
}

func (a *API) removePerson(tx *store.Tx, r *request, _ None) (PersonRequest, error) {
	return a.decidePerson(tx, r, deed.RemovePerson)
}

func (a *API) withdrawPerson(tx *store.Tx, r *request, _ None) (PersonRequest, error) {
	return a.decidePerson(tx, r, deed.WithdrawPerson)
}

func (a *API) decidePerson(tx *store.Tx, r *request, decide func(*store.Tx, deed.By, store.Project, store.Erasure) error) (PersonRequest, error) {
	e, err := requestNamed(&tx.Rx, r)
	if err == nil {
		err = decide(tx, r.by(), r.project, e)
	}
	if err != nil {
		return PersonRequest{}, err
	}
	return a.personRequest(&tx.Rx, r)
}
