package api

import "sundew/digester/store"

// What the installation is towards tools, which know organizations: one.
const (
	orgID   = "1"
	orgSlug = "sundew"
	orgName = "Sundew"
)

// indexRoutes are about the API itself.
func (a *API) indexRoutes() {
	read(a, "/", anyToken, anyone, Doc{Tag: "Token", Summary: "Who a token speaks for, and what it may"}, a.index)
	read(a, "/auth/", anyToken, anyone, Doc{Tag: "Token", Summary: "The person that a token speaks for"}, a.self)
	read(a, "/users/me/", anyToken, anyone, Doc{Tag: "Token", Summary: "The person that a token speaks for"}, a.self)
}

// Index is the answer to who asks who they are.
type Index struct {
	Version string `json:"version"`
	Auth    *Auth  `json:"auth"`
	User    *Self  `json:"user"`
}

// Auth is what a token may.
type Auth struct {
	Scopes List[string] `json:"scopes"`
}

// Self is who a token speaks for; of a project's token nobody.
type Self struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Email    string `json:"email"`
}

func (a *API) index(_ *store.Rx, r *request) (Index, error) {
	answer := Index{Version: "0", Auth: &Auth{Scopes: r.person.Scopes.Names()}}
	if r.person.ID != 0 {
		self := selfOf(r)
		answer.User = &self
	}
	return answer, nil
}

func selfOf(r *request) Self {
	p := r.person
	return Self{ID: number(p.ID), Name: p.Name, Username: p.Email, Email: p.Email}
}

// self is who speaks; a project's token is nobody.
func (a *API) self(_ *store.Rx, r *request) (Self, error) {
	if r.person.ID == 0 {
		return Self{}, &Problem{404, "A project's token speaks for nobody"}
	}
	return selfOf(r), nil
}
