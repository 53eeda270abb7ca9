package dashboard

import (
	"errors"
	"net/http"
	"strconv"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// saveQuery is POST /sql/queries.
func (d *Dashboard) saveQuery(tx *store.Tx, r *http.Request) (reply, error) {
	q := store.SavedQuery{Name: r.PostFormValue("name"), Statement: r.PostFormValue("q")}
	share := r.PostFormValue("share")
	switch share {
	case "":
	case "all":
		q.Everybody = true
	default:
		team, err := strconv.ParseInt(share, 10, 64)
		if err != nil || team <= 0 {
			return reply{}, errForm
		}
		q.TeamID = team
	}
	id, err := deed.SaveQuery(tx, d.by(r), q)
	var unfit *deed.Unfit
	if errors.As(err, &unfit) {
		page, err := d.sqlPage(&tx.Rx, who(r))
		page.Statement, page.Name, page.Unsaved = q.Statement, q.Name, unfit.Words
		page.choose(share)
		return returned("sql", page), err
	}
	return redirect(d.links.savedSQL(id)), err
}

// deleteQuery is POST /sql/queries/{id}/delete.
func (d *Dashboard) deleteQuery(tx *store.Tx, r *http.Request) (reply, error) {
	row, err := d.savedQuery(&tx.Rx, who(r), r.PathValue("id"))
	if err == nil {
		err = deed.DeleteQuery(tx, d.by(r), row.SavedQuery)
	}
	// The statement is in the form again, to be saved by who did not mean it.
	return redirect(withParam(d.links.sql(row.Statement), "deleted", row.Name)), err
}
