package dashboard

import (
	"net/http"

	"sundew/digester/store"
)

// mailsShown is how many mails the page has.
const mailsShown = 100

// outboxPage is what became of mail.
type outboxPage struct {
	shell
	Mails []store.OutboxMail
	Done  string
}

// showOutbox is GET /mail.
func (d *Dashboard) showOutbox(rx *store.Rx, r *http.Request) (reply, error) {
	mails, err := rx.Outbox(mailsShown)
	return show("outbox", outboxPage{shell: shell{Title: "Mail"}, Mails: mails, Done: doneWords(r)}), err
}

// retryMail is POST /mail/{id}/retry.
func (d *Dashboard) retryMail(tx *store.Tx, r *http.Request) (reply, error) {
	id, err := pathNumber(r, "id")
	if err != nil {
		return reply{}, err
	}
	mail, err := tx.RetryMail(id)
	if err != nil {
		return reply{}, err
	}
	if d.hasMail() {
		tx.OnCommit(d.cfg.Mail)
	}
	err = d.audit(tx, r, store.AuditEntry{Action: "mail.retry", Subject: mail.To, Detail: mail.Subject})
	return redirect(d.links.done(d.links.outbox(), "retry")), err
}
