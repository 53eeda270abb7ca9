package api

import (
	"net/http"
	"slices"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// savedQueryRoutes are about statements of SQL with a name. Sentry has nothing of the
// kind.
func (a *API) savedQueryRoutes() {
	const tag, list = "SQL", "/organizations/{org}/sql/queries/"
	const one = list + "{query}/"
	read(a, list, access.ReadEvents, aPerson, Doc{Tag: tag, Summary: "The saved queries that the token's person has, by name", Text: "Their own, their teams' and everybody's."}, a.savedQueries)
	change(a, "POST", list, "save query by API", writeEvents, aPerson, Doc{Tag: tag, Summary: "Save a query, in place of one's own of that name", Status: http.StatusCreated,
		Text: "team shares it with a team in which one is a member at least, everybody with all who can sign in, which admins of the installation may. For people's own tokens, as all about saved queries: a project's token speaks for nobody."}, a.saveQuery)
	read(a, one, access.ReadEvents, aPerson, Doc{Tag: tag, Summary: "A saved query"}, a.savedQuery)
	change(a, "DELETE", one, "delete query by API", writeEvents, aPerson, Doc{Tag: tag, Summary: "Delete a saved query", Status: http.StatusNoContent,
		Text: "Its author may, and who could have shared it."}, a.deleteQuery)
	raw[QueryRun, SQLAnswer](a, "POST", one+"run/", access.ReadEvents, aPerson, Doc{Tag: tag, Summary: "Run a saved query",
		Text: "Over the rows that the token may see, which may be others than its author's. Errors are as of running a statement."}, a.runQuery)
}

// SavedQuery is a statement with a name.
type SavedQuery struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Query     string `json:"query"`
	Team      string `json:"team"` // slug of the team that has it; empty: none
	Everybody bool   `json:"everybody"`
	Author    Named  `json:"author"`
	MayDelete bool   `json:"mayDelete"`
}

// QuerySave is a query to save.
type QuerySave struct {
	Name      string `json:"name"`
	Query     string `json:"query"`
	Team      string `json:"team"` // slug or number
	Everybody bool   `json:"everybody"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (q *QuerySave) UnmarshalJSON(text []byte) error {
	type fields QuerySave
	return strict[fields, SavedQuery](text, (*fields)(q))
}

// QueryRun says how a query is run.
type QueryRun struct {
	Limit int `json:"limit"` // rows; 0: 1,000; at most 10,000
}

func queryView(r *request, q store.SavedQuery, teams []store.Team) SavedQuery {
	view := SavedQuery{
		ID: number(q.ID), Name: q.Name, Query: q.Statement, Everybody: q.Everybody, Author: Named{number(q.UserID), q.Author},
		MayDelete: deed.MayDeleteQuery(r.person, q),
	}
	if at := slices.IndexFunc(teams, func(t store.Team) bool { return t.ID == q.TeamID }); at >= 0 {
		view.Team = teams[at].Slug
	}
	return view
}

func (a *API) savedQueries(rx *store.Rx, r *request) (List[SavedQuery], error) {
	all, err := rx.SavedQueries(r.person)
	if err != nil {
		return nil, err
	}
	teams, err := rx.Teams()
	views := make(List[SavedQuery], len(all))
	for i, q := range all {
		views[i] = queryView(r, q, teams)
	}
	return views, err
}

// queryNamed is the saved query that {query} names.
func queryNamed(rx *store.Rx, r *request) (store.SavedQuery, error) {
	id, err := strconv.ParseInt(r.PathValue("query"), 10, 64)
	if err != nil {
		return store.SavedQuery{}, store.ErrNotFound
	}
	return deed.SavedQuery(rx, r.person, id)
}

func (a *API) savedQuery(rx *store.Rx, r *request) (SavedQuery, error) {
	q, err := queryNamed(rx, r)
	if err != nil {
		return SavedQuery{}, err
	}
	teams, err := rx.Teams()
	return queryView(r, q, teams), err
}

func (a *API) saveQuery(tx *store.Tx, r *request, in QuerySave) (SavedQuery, error) {
	q := store.SavedQuery{Name: in.Name, Statement: in.Query, Everybody: in.Everybody}
	teams, err := tx.Teams()
	if err != nil {
		return SavedQuery{}, err
	}
	if in.Team != "" {
		if in.Everybody {
			return SavedQuery{}, bad("A query is shared with a team or with everybody, not with both")
		}
		team, err := teamNamed(&tx.Rx, in.Team)
		if err != nil {
			return SavedQuery{}, err
		}
		q.TeamID = team.ID
	}
	id, err := deed.SaveQuery(tx, r.by(), q)
	if err != nil {
		return SavedQuery{}, err
	}
	q, err = tx.SavedQuery(id)
	return queryView(r, q, teams), err
}

func (a *API) deleteQuery(tx *store.Tx, r *request, _ None) (None, error) {
	q, err := queryNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	return None{}, deed.DeleteQuery(tx, r.by(), q)
}

func (a *API) runQuery(w http.ResponseWriter, r *request) error {
	in, err := decode[QueryRun](w, r)
	if err != nil {
		return err
	}
	var q store.SavedQuery
	err = a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) (err error) {
		q, err = queryNamed(rx, r)
		return err
	})
	if err != nil {
		return err
	}
	return a.answerSQL(w, r, q.Statement, in.Limit)
}
