package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// peopleRoutes are about who a token speaks for, and whom they know.
func (a *API) peopleRoutes() {
	const tag = "People"
	read(a, "/organizations/{org}/users/", access.ReadOrg|writeOrg, anyone, Doc{Tag: tag, Summary: "The people who can sign in, without pages"}, a.users)
	change(a, "PUT", "/users/me/", "rename by API", writeOrg, aPerson, Doc{Tag: tag, Summary: "Change what one is called oneself",
		Text: "Mail address, password and second factors are changed on the page of the account alone, by who is signed in: a token that leaks must not become the account."}, a.rename)
	a.memberRoutes()
	a.teamRoutes()
	a.teamMemberRoutes()
	a.auditLogRoutes()
}

// User is a person, as far as others see them.
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Email    string `json:"email"`
	IsActive bool   `json:"isActive"`
}

func userView(u store.User) *User {
	return &User{ID: number(u.ID), Name: u.Name, Username: u.Email, Email: u.Email, IsActive: u.DisabledAt.IsZero()}
}

// SelfChange is what is to become of who asks.
type SelfChange struct {
	Name *string `json:"name"`
}

func (a *API) rename(tx *store.Tx, r *request, in SelfChange) (Self, error) {
	if in.Name != nil && *in.Name != r.person.Name {
		if err := deed.Rename(tx, r.by(), *in.Name); err != nil {
			return Self{}, err
		}
	}
	user, err := tx.User(r.person.ID)
	if err != nil {
		return Self{}, err
	}
	return Self{ID: number(user.ID), Name: user.Name, Username: user.Email, Email: user.Email}, nil
}

// colleagues are who asks and the people of their teams.
func colleagues(rx *store.Rx, r *request) (map[int64]bool, error) {
	all := map[int64]bool{r.person.ID: true}
	for team := range r.person.Teams {
		members, err := rx.TeamMembers(team)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			all[m.UserID] = true
		}
	}
	return all, nil
}

// known returns who is known to who asks, by name. Those who may not sign in any more
// are known to the installation's admins.
func known(rx *store.Rx, r *request) ([]store.User, error) {
	all, err := rx.Users()
	if err != nil || r.person.SeesAll() {
		return all, err
	}
	near, err := colleagues(rx, r)
	return slices.DeleteFunc(all, func(u store.User) bool { return !u.DisabledAt.IsZero() || !near[u.ID] }), err
}

// usersByID are all people.
func usersByID(rx *store.Rx) (map[int64]store.User, error) {
	users, err := rx.Users()
	all := make(map[int64]store.User, len(users))
	for _, u := range users {
		all[u.ID] = u
	}
	return all, err
}

// memberNamed returns a person whom who asks knows, by me, number or mail address.
func memberNamed(rx *store.Rx, r *request, name string) (user store.User, err error) {
	switch id, errID := strconv.ParseInt(name, 10, 64); {
	case name == "me" && r.person.ID != 0:
		return rx.User(r.person.ID)
	case errID == nil:
		user, err = rx.User(id)
	case strings.Contains(name, "@"):
		user, err = rx.UserByEmail(name)
	default:
		err = store.ErrNotFound
	}
	if err != nil || r.person.SeesAll() {
		return user, err
	}
	near, err := colleagues(rx, r)
	if err == nil && !near[user.ID] {
		err = store.ErrNotFound
	}
	return user, err
}

// users are the people to choose from, for tools that assign issues.
func (a *API) users(rx *store.Rx, r *request) (List[Member], error) {
	all, err := known(rx, r)
	if err != nil {
		return nil, err
	}
	places, err := placesSeen(rx, r)
	if err != nil {
		return nil, err
	}
	filter, err := memberFilterOf(r.query("query"))
	var views List[Member]
	for _, u := range all {
		if view := memberView(u, places); u.DisabledAt.IsZero() && filter.has(view) {
			views = append(views, view)
		}
	}
	return views, err
}

func (a *API) projectMembers(rx *store.Rx, r *request) (List[Member], error) {
	all, err := rx.ProjectMembers(r.project.ID)
	if err != nil {
		return nil, err
	}
	people, err := usersByID(rx)
	if err != nil {
		return nil, err
	}
	places, err := placesSeen(rx, r)
	var views List[Member]
	for _, m := range all {
		view := memberView(people[m.UserID], places)
		view.Projects = List[string]{r.project.Slug}
		views = append(views, view)
	}
	return views, err
}

// roleOf is a role in the installation by the names that tools know: who has none in
// the installation is a member of it.
func roleOf(role access.Role) string {
	switch role {
	case access.Owner:
		return "owner"
	case access.Admin:
		return "manager"
	}
	return "member"
}

// roleNamed is the inverse of roleOf; empty: member. Sentry's admin is less than an
// admin here, and is refused rather than taken for one.
func roleNamed(field, name string) (access.Role, error) {
	switch cmp.Or(name, "member") {
	case "owner":
		return access.Owner, nil
	case "manager":
		return access.Admin, nil
	case "member":
		return access.None, nil
	}
	return access.None, bad(field + ` is owner, manager or member: a manager is what the dashboard calls an "admin of everything", a member has what teams give.`)
}
