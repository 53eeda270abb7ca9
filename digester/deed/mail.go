package deed

import "sundew/digester/store"

// RetryMail makes one more round of attempts at a mail that was given up, and notes it.
// postman is told that there is mail; nil: nobody takes mail. store.ErrNotFound: there is
// no such mail.
func RetryMail(tx *store.Tx, by By, id int64, postman func()) (store.OutboxMail, error) {
	mail, err := tx.RetryMail(id)
	if err != nil {
		return mail, err
	}
	if postman != nil {
		tx.OnCommit(postman)
	}
	return mail, by.audit(tx, store.AuditEntry{Action: "mail.retry", Subject: mail.To, Detail: mail.Subject})
}
