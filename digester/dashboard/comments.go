package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/store"
)

// commentWords is said about a text that cannot be a comment.
const commentWords = "A comment needs 1 to 10,000 characters."

// comment is POST /issues/{id}/comments.
func (d *Dashboard) comment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, "issue.comment", func(issue store.Issue, _ int64) (int64, error) {
		return tx.Comment(issue.ID, r.PostFormValue("text"), who(r).ID)
	})
}

// editComment is POST /issues/{id}/comments/{comment}.
func (d *Dashboard) editComment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, "issue.comment.edit", func(issue store.Issue, comment int64) (int64, error) {
		return comment, tx.EditComment(issue.ID, comment, r.PostFormValue("text"), who(r).ID)
	})
}

// deleteComment is POST /issues/{id}/comments/{comment}/delete.
func (d *Dashboard) deleteComment(tx *store.Tx, r *http.Request) (reply, error) {
	return d.aboutComment(tx, r, "issue.comment.delete", func(issue store.Issue, comment int64) (int64, error) {
		return comment, tx.DeleteComment(issue.ID, comment, who(r).ID)
	})
}

// restoreComment is POST /issues/{id}/comments/{comment}/restore.
func (d *Dashboard) restoreComment(tx *store.Tx, r *http.Request) (reply, error) {
	rep, err := d.aboutComment(tx, r, "issue.comment.restore", func(issue store.Issue, comment int64) (int64, error) {
		return comment, tx.RestoreComment(issue.ID, comment, who(r).ID)
	})
	if errors.Is(err, store.ErrNotFound) {
		return reply{}, &unfit{tooLate}
	}
	return rep, err
}

// aboutComment does something about the comment that the path names, 0 if it names
// none, and leads to what became of it. Where the text will not do the issue's page
// comes back with it.
func (d *Dashboard) aboutComment(tx *store.Tx, r *http.Request, why string, change func(issue store.Issue, comment int64) (int64, error)) (reply, error) {
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
	if errors.Is(err, store.ErrInvalid) {
		return d.commentAgain(tx, r, issue, comment)
	}
	if err != nil {
		return reply{}, err
	}
	return redirect(d.links.historyEntry(issue.ID, now)), d.audit(tx, r, store.AuditEntry{Action: why, Project: issue.ProjectID, Subject: shortID(issue)})
}

// commentAgain is an issue's page with a comment that was not taken.
func (d *Dashboard) commentAgain(tx *store.Tx, r *http.Request, issue store.Issue, comment int64) (reply, error) {
	page, err := d.issuePage(&tx.Rx, r, issue)
	if err != nil {
		return reply{}, err
	}
	typed := r.PostFormValue("text")
	if comment == 0 {
		page.History.Error, page.History.Typed = commentWords, typed
	}
	for _, views := range [][]historyView{page.History.Recent, page.History.Older} {
		for _, view := range views {
			if c := view.Comment; c != nil && c.ID == comment && c.Mine {
				c.Editing, c.Error, c.Text = true, commentWords, typed
			}
		}
	}
	return returned("issue", page), nil
}
