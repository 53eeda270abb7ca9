package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/search"
	"sundew/digester/store"
)

// savedSearchRoutes are about searches for issues with a name, beside a list: that of a
// project, of a team, or of all that a person sees.
func (a *API) savedSearchRoutes() {
	const tag = "Saved searches"
	const at = "/organizations/{org}/searches/"
	read(a, at, readOrg, anyone, Doc{Tag: tag, Summary: "The saved searches that the token's person has, by list and name",
		Query: []Param{{Name: "project", Text: "only beside the list of a project: its number or slug"}, {Name: "team", Text: "only beside the list of a team: its number or slug"}}}, a.savedSearches)
	change(a, "POST", at, "save search by API", writeEvents, anyone, Doc{Tag: tag, Summary: "Save a search", Text: "In place of one of that name that the person has beside the list. A project's token is nobody, and has none.", Status: http.StatusCreated}, a.saveSearch)
	read(a, at+"{search}/", readOrg, anyone, Doc{Tag: tag, Summary: "A saved search"}, a.savedSearch)
	change(a, "PUT", at+"{search}/", "change search by API", writeEvents, anyone, Doc{Tag: tag, Summary: "Change a saved search", Text: "One's own, or as a member one that is shared. The list that it belongs to stays."}, a.changeSearch)
	change(a, "DELETE", at+"{search}/", "delete search by API", writeEvents, anyone, Doc{Tag: tag, Summary: "Delete a saved search", Status: http.StatusNoContent}, a.deleteSearch)
}

// SavedSearch is a search for issues with a name.
type SavedSearch struct {
	ID         string  `json:"id"`
	Type       int     `json:"type"` // 0: of issues
	Name       string  `json:"name"`
	Query      string  `json:"query"`
	Sort       string  `json:"sort"`       // date, new, freq, user or trends
	Visibility string  `json:"visibility"` // owner, or organization: whoever sees the list has it
	IsGlobal   bool    `json:"isGlobal"`
	IsPinned   bool    `json:"isPinned"`
	Owner      string  `json:"owner"`   // number of who saved it; Sundew's own
	Project    *string `json:"project"` // slug of whose list it belongs to; Sundew's own
	Team       *string `json:"team"`    // likewise
}

// sortWords are the orders of lists: as the dashboard's addresses say them, and as tools.
func sortWords() [][2]string {
	return [][2]string{{"", "date"}, {"first", "new"}, {"events", "freq"}, {"users", "user"}, {"trend", "trends"}}
}

// searchPlaces are the lists that who asks sees, by what they are called.
type searchPlaces struct {
	projects []store.Project
	teams    []store.Team
}

func newSearchPlaces(rx *store.Rx, r *request) (p searchPlaces, err error) {
	if p.projects, err = visible(rx, r); err != nil {
		return p, err
	}
	p.teams, err = rx.Teams()
	p.teams = slices.DeleteFunc(p.teams, func(t store.Team) bool { return r.person.OfTeam(t.ID) == access.None })
	return p, err
}

// named is the list of a project or a team; both empty: of all that a person sees.
func (p searchPlaces) named(project, team string) (place store.SearchPlace, err error) {
	if project != "" && team != "" {
		return place, bad("A list is of a project or of a team, not of both.")
	}
	if project != "" {
		at := slices.IndexFunc(p.projects, func(o store.Project) bool { return o.Slug == project || projectNumber(o.ID) == project })
		if at < 0 {
			return place, store.ErrNotFound
		}
		place.Project = p.projects[at].ID
	}
	if team != "" {
		at := slices.IndexFunc(p.teams, func(o store.Team) bool { return o.Slug == team || number(o.ID) == team })
		if at < 0 {
			return place, store.ErrNotFound
		}
		place.Team = p.teams[at].ID
	}
	return place, nil
}

// has reports whether a list is one of them.
func (p searchPlaces) has(place store.SearchPlace) bool {
	return (place.Project == 0 || slices.ContainsFunc(p.projects, func(o store.Project) bool { return o.ID == place.Project })) &&
		(place.Team == 0 || slices.ContainsFunc(p.teams, func(o store.Team) bool { return o.ID == place.Team }))
}

func (p searchPlaces) view(s store.SavedSearch) SavedSearch {
	view := SavedSearch{ID: number(s.ID), Name: s.Name, Query: s.Query, Sort: "date", Visibility: "owner", Owner: number(s.UserID)}
	if s.Shared {
		view.Visibility = "organization"
	}
	for _, words := range sortWords() {
		if words[0] == s.Sort {
			view.Sort = words[1]
		}
	}
	for _, o := range p.projects {
		if o.ID == s.Place.Project {
			view.Project = &o.Slug
		}
	}
	for _, o := range p.teams {
		if o.ID == s.Place.Team {
			view.Team = &o.Slug
		}
	}
	return view
}

func (a *API) savedSearches(rx *store.Rx, r *request) (List[SavedSearch], error) {
	places, err := newSearchPlaces(rx, r)
	if err != nil {
		return nil, err
	}
	var all []store.SearchPlace
	if q := r.queries(); q.Get("project") != "" || q.Get("team") != "" {
		place, err := places.named(q.Get("project"), q.Get("team"))
		if err != nil {
			return nil, err
		}
		all = append(all, place)
	} else {
		all = append(all, store.SearchPlace{})
		for _, p := range places.projects {
			all = append(all, store.SearchPlace{Project: p.ID})
		}
		for _, t := range places.teams {
			all = append(all, store.SearchPlace{Team: t.ID})
		}
	}
	var views List[SavedSearch]
	for _, place := range all {
		searches, err := rx.SavedSearches(place, r.person.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range searches {
			views = append(views, places.view(s))
		}
	}
	return views, nil
}

// searchNamed is the saved search that {search} names, if who asks has it.
func searchNamed(rx *store.Rx, r *request) (store.SavedSearch, searchPlaces, error) {
	places, err := newSearchPlaces(rx, r)
	if err != nil {
		return store.SavedSearch{}, places, err
	}
	id, err := strconv.ParseInt(r.PathValue("search"), 10, 64)
	if err != nil {
		return store.SavedSearch{}, places, store.ErrNotFound
	}
	s, err := rx.SavedSearch(id)
	if err == nil && (!places.has(s.Place) || !s.Shared && s.UserID != r.person.ID) {
		err = store.ErrNotFound
	}
	return s, places, err
}

func (a *API) savedSearch(rx *store.Rx, r *request) (SavedSearch, error) {
	s, places, err := searchNamed(rx, r)
	return places.view(s), err
}

// NewSavedSearch is what a search is to be. In a change what is not there stays.
type NewSavedSearch struct {
	Type       int     `json:"type"`
	Name       *string `json:"name"`
	Query      *string `json:"query"`
	Sort       *string `json:"sort"`
	Visibility *string `json:"visibility"`
	Project    *Name   `json:"project"` // to save it only
	Team       *Name   `json:"team"`    // likewise
}

// apply changes a search to what is there.
func (in NewSavedSearch) apply(s *store.SavedSearch) error {
	if in.Type != 0 {
		return bad("type: searches are of issues, which is 0.")
	}
	if in.Name != nil {
		s.Name = *in.Name
	}
	if in.Query != nil {
		s.Query = strings.TrimSpace(*in.Query)
		if _, err := search.Parse(s.Query); err != nil {
			return searchProblem(err)
		}
	}
	if in.Sort != nil {
		at := slices.IndexFunc(sortWords(), func(w [2]string) bool { return w[1] == *in.Sort || w[0] == *in.Sort })
		if at < 0 {
			return bad("sort is date, new, freq, user or trends.")
		}
		s.Sort = sortWords()[at][0]
	}
	if in.Visibility != nil {
		switch *in.Visibility {
		case "owner":
			s.Shared = false
		case "organization":
			s.Shared = true
		default:
			return bad("visibility is owner, or organization: whoever sees the list has it.")
		}
	}
	return nil
}

func (a *API) saveSearch(tx *store.Tx, r *request, in NewSavedSearch) (SavedSearch, error) {
	if r.person.ID == 0 {
		return SavedSearch{}, errForbidden
	}
	places, err := newSearchPlaces(&tx.Rx, r)
	if err != nil {
		return SavedSearch{}, err
	}
	var s store.SavedSearch
	if s.Place, err = places.named(orNone(in.Project), orNone(in.Team)); err != nil {
		return SavedSearch{}, err
	}
	if in.Name == nil || in.Query == nil {
		return SavedSearch{}, bad("A saved search needs a name and a query.")
	}
	if err := in.apply(&s); err != nil {
		return SavedSearch{}, err
	}
	if err := mayShare(r, s); err != nil {
		return SavedSearch{}, err
	}
	if err := deed.SaveSearch(tx, r.by(), s); err != nil {
		return SavedSearch{}, err
	}
	saved, err := tx.SavedSearches(s.Place, r.person.ID)
	at := slices.IndexFunc(saved, func(o store.SavedSearch) bool { return o.UserID == r.person.ID && o.Name == strings.TrimSpace(s.Name) })
	if err != nil || at < 0 {
		return SavedSearch{}, err
	}
	return places.view(saved[at]), nil
}

// mayShare asks for the role that a search needs, as it is to be.
func mayShare(r *request, s store.SavedSearch) error {
	if s.Shared && s.Place == (store.SearchPlace{}) {
		return bad("visibility: the list of all that somebody sees is theirs alone; name a project or a team.")
	}
	return enough(deed.RoleAt(r.person, s.Place), deed.SearchRole(s.Shared))
}

func orNone(n *Name) string {
	if n == nil {
		return ""
	}
	return string(*n)
}

func (a *API) changeSearch(tx *store.Tx, r *request, in NewSavedSearch) (SavedSearch, error) {
	before, places, err := searchNamed(&tx.Rx, r)
	if err != nil {
		return SavedSearch{}, err
	}
	if in.Project != nil || in.Team != nil {
		return SavedSearch{}, bad("project and team: the list that a saved search belongs to stays; save another one there.")
	}
	if !deed.MayDeleteSearch(r.person, before) {
		return SavedSearch{}, errForbidden
	}
	after := before
	if err := in.apply(&after); err != nil {
		return SavedSearch{}, err
	}
	if err := mayShare(r, after); err != nil {
		return SavedSearch{}, err
	}
	if err := deed.ChangeSearch(tx, r.by(), before, after); err != nil {
		return SavedSearch{}, err
	}
	after, err = tx.SavedSearch(before.ID)
	return places.view(after), err
}

func (a *API) deleteSearch(tx *store.Tx, r *request, _ None) (None, error) {
	s, _, err := searchNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	if !deed.MayDeleteSearch(r.person, s) {
		return None{}, errForbidden
	}
	return None{}, deed.DeleteSearch(tx, r.by(), s)
}
