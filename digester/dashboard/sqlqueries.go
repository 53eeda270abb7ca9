package dashboard

import (
	"errors"
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/store"
)

// mayDeleteQuery: its author may, and who could have shared it.
func mayDeleteQuery(p access.Person, q store.SavedQuery) bool {
	return q.UserID == p.ID || q.Everybody && p.Role >= access.Admin || q.TeamID != 0 && p.OfTeam(q.TeamID) >= access.Member
}

// saveQuery is POST /sql/queries.
func (d *Dashboard) saveQuery(tx *store.Tx, r *http.Request) (reply, error) {
	q := store.SavedQuery{UserID: who(r).ID, Name: r.PostFormValue("name"), Statement: r.PostFormValue("q")}
	share := r.PostFormValue("share")
	switch share {
	case "":
	case "all":
		q.Everybody = true
		if who(r).Role < access.Admin {
			return reply{}, errForbidden
		}
	default:
		team, err := strconv.ParseInt(share, 10, 64)
		if err != nil || team <= 0 {
			return reply{}, errForm
		}
		if q.TeamID = team; who(r).OfTeam(team) == access.None {
			return reply{}, store.ErrNotFound
		}
		if err := enough(who(r).OfTeam(team), access.Member); err != nil {
			return reply{}, err
		}
		if _, err := tx.Team(team); err != nil {
			return reply{}, err
		}
	}
	id, err := tx.SaveQuery(q)
	if errors.Is(err, store.ErrInvalid) {
		page, err := d.sqlPage(&tx.Rx, who(r))
		page.Statement, page.Name = q.Statement, q.Name
		page.Unsaved = "It was not saved: a query needs a statement, and a name of 1 to 60 characters without line breaks; everybody can have 100."
		page.choose(share)
		return returned("sql", page), err
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.savedSQL(id)), d.auditQuery(tx, r, "query.save", q)
}

// deleteQuery is POST /sql/queries/{id}/delete.
func (d *Dashboard) deleteQuery(tx *store.Tx, r *http.Request) (reply, error) {
	row, err := d.savedQuery(&tx.Rx, who(r), r.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	if !row.MayDelete {
		return reply{}, errForbidden
	}
	if err := tx.DeleteQuery(row.ID); err != nil {
		return reply{}, err
	}
	// The statement is in the form again, to be saved by who did not mean it.
	return redirect(withParam(d.links.sql(row.Statement), "deleted", row.Name)), d.auditQuery(tx, r, "query.delete", row.SavedQuery)
}

// auditQuery notes what concerns others: shared queries.
func (d *Dashboard) auditQuery(tx *store.Tx, r *http.Request, action string, q store.SavedQuery) error {
	if !q.Everybody && q.TeamID == 0 {
		return nil
	}
	return d.audit(tx, r, store.AuditEntry{Action: action, TeamID: q.TeamID, Subject: q.Name, Detail: q.Statement})
}
