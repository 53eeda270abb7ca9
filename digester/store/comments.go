package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxComment is in characters.
const maxComment = 10_000

// Comment adds what a person says about an issue, in Markdown, and returns the id
// of the history entry that it is.
func (tx *Tx) Comment(issue int64, text string, by int64) (int64, error) {
	text, err := commentText(text)
	if err != nil {
		return 0, err
	}
	chosen, err := tx.choose([]int64{issue})
	if err != nil {
		return 0, err
	}
	return tx.addHistory(chosen[0].id, HistoryComment, by, Detail{Text: text})
}

// EditComment changes what a person said; ErrNotFound if it is not a comment of
// this issue, or not this person's.
func (tx *Tx) EditComment(issue, comment int64, text string, by int64) error {
	text, err := commentText(text)
	if err != nil {
		return err
	}
	n, err := tx.exec(`UPDATE history SET detail = ?5 WHERE `+ownComment,
		issue, comment, HistoryComment, nullID(by), Detail{Text: text, Edited: ms(tx.now)}.text())
	return oneRow(n, err)
}

// DeleteComment takes back what a person said; ErrNotFound as of EditComment. For
// DeletionUndo it can be restored.
func (tx *Tx) DeleteComment(issue, comment, by int64) error {
	n, err := tx.exec(`UPDATE history SET kind = ?5, detail = json_set(detail, '$.written', at), at = ?6 WHERE `+ownComment,
		issue, comment, HistoryComment, nullID(by), HistoryTakenBack, ms(tx.now))
	return oneRow(n, err)
}

// RestoreComment says again what a person took back; ErrNotFound as of EditComment, or
// if it is gone.
func (tx *Tx) RestoreComment(issue, comment, by int64) error {
	n, err := tx.exec(`UPDATE history SET kind = ?5, at = detail ->> '$.written', detail = json_remove(detail, '$.written') WHERE `+ownComment,
		issue, comment, HistoryTakenBack, nullID(by), HistoryComment)
	return oneRow(n, err)
}

// RemoveComments removes for good what was taken back long enough ago.
func (tx *Tx) RemoveComments() error {
	_, err := tx.exec(`DELETE FROM history WHERE kind = 'taken back' AND at <= ?`, ms(tx.now.Add(-DeletionUndo)))
	return err
}

// ownComment is the comment ?2 of issue ?1, kind ?3, if user ?4 wrote it.
const ownComment = `id = ?2 AND issue_id IN ` + strandsOf1 + ` AND kind = ?3 AND user_id = ?4`

func oneRow(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

func commentText(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" || utf8.RuneCountInString(text) > maxComment || !utf8.ValidString(text) {
		return "", fmt.Errorf("%w comment: it needs 1 to %d characters", ErrInvalid, maxComment)
	}
	return text, nil
}
