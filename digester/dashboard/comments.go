package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/deed"
	"sundew/digester/store"
)

// comment is POST /issues/{id}/comments.
func (d *Dashboard) comment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, func(issue store.Issue, _ int64) (int64, error) {
		return deed.Comment(tx, d.by(r), issue, r.PostFormValue("text"))
	})
}

// editComment is POST /issues/{id}/comments/{comment}.
func (d *Dashboard) editComment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, func(issue store.Issue, comment int64) (int64, error) {
		return comment, deed.EditComment(tx, d.by(r), issue, comment, r.PostFormValue("text"))
	})
}

// deleteComment is POST /issues/{id}/comments/{comment}/delete.
func (d *Dashboard) deleteComment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, func(issue store.Issue, comment int64) (int64, error) {
		return comment, deed.DeleteComment(tx, d.by(r), issue, comment)
	})
}

// restoreComment is POST /issues/{id}/comments/{comment}/restore.
func (d *Dashboard) restoreComment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, func(issue store.Issue, comment int64) (int64, error) {
		return comment, deed.RestoreComment(tx, d.by(r), issue, comment)
	})
}

// aboutComment does something about the comment that the path names, 0 if it names
// none, and leads to what became of it. Where the text will not do the issue's page
// comes back with it.
func (d *Dashboard) aboutComment(tx *store.Tx, r *http.Request, change func(issue store.Issue, comment int64) (int64, error)) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	issue, err := wholeIssue(&tx.Rx, id)
	if err != nil {
		return reply{}, err
	}
	comment := int64(0)
	if r.PathValue("comment") != "" {
		if comment, err = pathNumber(r, "comment"); err != nil {
			return reply{}, err
		}
	}
	now, err := change(issue, comment)
	if errors.Is(err, deed.ErrComment) {
		return d.commentAgain(tx, r, issue, comment)
	}
	return redirect(d.links.historyEntry(issue.ID, now)), err
}

// commentAgain is an issue's page with a comment that was not taken.
func (d *Dashboard) commentAgain(tx *store.Tx, r *http.Request, issue store.Issue, comment int64) (reply, error) {
	page, err := d.issuePage(&tx.Rx, r, issue)
	if err != nil {
		return reply{}, err
	}
	typed := r.PostFormValue("text")
	if comment == 0 {
		page.History.Error, page.History.Typed = deed.CommentWords, typed
	}
	for _, views := range [][]historyView{page.History.Recent, page.History.Older} {
		for _, view := range views {
			if c := view.Comment; c != nil && c.ID == comment && c.Mine {
				c.Editing, c.Error, c.Text = true, deed.CommentWords, typed
			}
		}
	}
	return returned("issue", page), nil
}
