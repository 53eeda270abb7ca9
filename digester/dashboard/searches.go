package dashboard

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/schema/event"
)

// savedView is the saved searches beside a list, and the form for another one.
type savedView struct {
	Searches []savedRow
	Place    store.SearchPlace
	Query    string // what would be saved
	Sort     string
	Graph    string // of the list, which is shown again after it is saved
	MayShare bool
	Gone     *goneSearch // what was just deleted
	Error    string      // why a search was not saved
}

// savedRow is one saved search.
type savedRow struct {
	store.SavedSearch
	URL       string
	Current   bool
	MayDelete bool
}

// goneSearch is a search that was deleted, to be saved again.
type goneSearch struct {
	Name   string
	Shared bool
}

// savedView reads the searches of a list's place.
func (d *Dashboard) savedView(rx *store.Rx, r *http.Request, page issuesPage, place store.SearchPlace) (savedView, error) {
	view := savedView{Place: place, Query: page.List.whole(), Sort: page.List.Sort, Graph: page.List.Graph, MayShare: deed.RoleAt(who(r), place) >= access.Member}
	q := r.URL.Query()
	if name := q.Get("deleted"); name != "" {
		view.Gone = &goneSearch{Name: name, Shared: q.Has("shared")}
	}
	switch q.Get("unsaved") {
	case "name":
		view.Error = "The search was not saved: a name needs 1 to 60 characters and no line breaks, and there can be 50 searches beside a list."
	case "query":
		view.Error = "The search was not saved: it is too long."
	}
	searches, err := rx.SavedSearches(place, who(r).ID)
	for _, s := range searches {
		view.Searches = append(view.Searches, savedRow{
			SavedSearch: s, URL: page.link(issueList{Query: s.Query, Sort: s.Sort, Graph: page.List.Graph}),
			Current: s.Query == view.Query && s.Sort == view.Sort, MayDelete: deed.MayDeleteSearch(who(r), s),
		})
	}
	return view, err
}

// saveSearch is POST /searches.
func (d *Dashboard) saveSearch(tx *store.Tx, r *http.Request) (reply, error) {
	place, err := formPlace(r)
	if err != nil {
		return reply{}, err
	}
	s := store.SavedSearch{
		Place: place, Shared: r.PostFormValue("shared") != "", Name: r.PostFormValue("name"),
		Query: strings.TrimSpace(r.PostFormValue("query")), Sort: known(issueSorts()[1:], r.PostFormValue("sort")),
	}
	if err := enough(deed.RoleAt(who(r), place), deed.SearchRole(s.Shared)); err != nil {
		return reply{}, err
	}
	back := d.links.issuesAt(place, issueList{Query: s.Query, Sort: s.Sort, Graph: formGraph(r)})
	err = deed.SaveSearch(tx, d.by(r), s)
	if errors.Is(err, store.ErrInvalid) {
		return redirect(withParam(back, "unsaved", "name")), nil
	}
	return redirect(back), err
}

// deleteSearch is POST /searches/{id}/delete. It leads to the list of what was
// deleted, from where it can be saved again.
func (d *Dashboard) deleteSearch(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	s, err := tx.SavedSearch(id)
	if err != nil {
		return reply{}, err
	}
	if !deed.MayDeleteSearch(who(r), s) {
		if s.Shared {
			return reply{}, enough(deed.RoleAt(who(r), s.Place), access.Member)
		}
		return reply{}, store.ErrNotFound
	}
	if err := deed.DeleteSearch(tx, d.by(r), s); err != nil {
		return reply{}, err
	}
	back := withParam(d.links.issuesAt(s.Place, issueList{Query: s.Query, Sort: s.Sort, Graph: formGraph(r)}), "deleted", s.Name)
	if s.Shared {
		back = withParam(back, "shared", "1")
	}
	return redirect(back), nil
}

// formGraph is which graph the list shows beside which a form stands.
func formGraph(r *http.Request) string { return known(graphSpans()[1:], r.PostFormValue("graph")) }

// formPlace reads which list a form is about.
func formPlace(r *http.Request) (store.SearchPlace, error) {
	var place store.SearchPlace
	project, team := r.PostFormValue("project"), r.PostFormValue("team")
	var errProject, errTeam error
	if project != "" {
		var id int64
		id, errProject = strconv.ParseInt(project, 10, 64)
		place.Project = event.ProjectID(id)
	}
	if team != "" {
		place.Team, errTeam = strconv.ParseInt(team, 10, 64)
	}
	if errProject != nil || errTeam != nil || place.Project < 0 || place.Team < 0 || place.Project != 0 && place.Team != 0 {
		return place, errForm
	}
	return place, nil
}
