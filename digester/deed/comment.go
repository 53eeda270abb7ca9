package deed

import (
	"errors"

	"sundew/digester/store"
)

// ErrComment is a text that cannot be a comment.
var ErrComment error = &Unfit{CommentWords}

// CommentWords is said about a text that cannot be a comment.
const CommentWords = "A comment needs 1 to 10,000 characters."

// Comment adds a comment to an issue that the person may comment on, and notes it. Like
// those below it returns ErrComment where the text will not do, store.ErrNotFound where
// there is no such comment of theirs.
func Comment(tx *store.Tx, by By, issue store.Issue, text string) (comment int64, err error) {
	comment, err = tx.Comment(issue.ID, text, by.Person.ID)
	return comment, noteComment(tx, by, issue, "issue.comment", err)
}

// EditComment changes the text of one of the person's own comments.
func EditComment(tx *store.Tx, by By, issue store.Issue, comment int64, text string) error {
	return noteComment(tx, by, issue, "issue.comment.edit", tx.EditComment(issue.ID, comment, text, by.Person.ID))
}

// DeleteComment deletes one of the person's own comments.
func DeleteComment(tx *store.Tx, by By, issue store.Issue, comment int64) error {
	return noteComment(tx, by, issue, "issue.comment.delete", tx.DeleteComment(issue.ID, comment, by.Person.ID))
}

// RestoreComment takes back that a comment was deleted.
func RestoreComment(tx *store.Tx, by By, issue store.Issue, comment int64) error {
	err := noteComment(tx, by, issue, "issue.comment.restore", tx.RestoreComment(issue.ID, comment, by.Person.ID))
	if errors.Is(err, store.ErrNotFound) {
		return Cannot(TooLate)
	}
	return err
}

// noteComment notes what was done unless it failed.
func noteComment(tx *store.Tx, by By, issue store.Issue, why string, err error) error {
	if errors.Is(err, store.ErrInvalid) {
		return ErrComment
	}
	if err != nil {
		return err
	}
	return by.audit(tx, store.AuditEntry{Action: why, Project: issue.ProjectID, Subject: issue.ShortID()})
}
