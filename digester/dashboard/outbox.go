package dashboard

import (
	"net/http"

	"sundew/digester/deed"
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
	_, err = deed.RetryMail(tx, d.by(r), id, d.cfg.Mail)
	return redirect(d.links.done(d.links.outbox(), "retry")), err
}
