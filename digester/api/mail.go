package api

import (
	"net/http"
	"strconv"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
)

// mailsShown is how many mails are answered.
const mailsShown = 100

// mailRoutes are about what became of mail.
func (a *API) mailRoutes() {
	const tag, list, own = "Installation", "/organizations/{org}/mail/", "Sundew's own, for admins of the installation."
	admin := ofInstallation(access.Admin)
	read(a, list, access.ReadOrg|writeOrg, admin, Doc{Tag: tag, Summary: "The newest 100 mails, and what became of them", Text: own}, a.mails)
	change(a, "POST", list+"{mail}/retry/", "try mail again by API", adminOrg, admin, Doc{Tag: tag, Summary: "Try a mail again that was given up", Status: http.StatusAccepted,
		Text: own + " 404: there is none that was given up."}, a.retryMail)
}

// Mail is a mail as the outbox knows it, without its text.
type Mail struct {
	ID          string `json:"id"`
	To          string `json:"to"`
	Subject     string `json:"subject"`
	State       string `json:"state"` // waiting, sent, failed
	DateCreated Time   `json:"dateCreated"`
	DateDue     Time   `json:"dateDue"` // of the next attempt
	DateSent    Time   `json:"dateSent"`
	Attempts    int64  `json:"attempts"`
	Error       string `json:"error"` // of the last attempt
}

func mailView(m store.OutboxMail) Mail {
	return Mail{
		ID: number(m.ID), To: m.To, Subject: m.Subject, State: string(m.State()), DateCreated: Time{m.CreatedAt}, DateDue: Time{m.DueAt}, DateSent: Time{m.SentAt},
		Attempts: m.Attempts, Error: m.Error,
	}
}

func (a *API) mails(rx *store.Rx, _ *request) (List[Mail], error) {
	all, err := rx.Outbox(mailsShown)
	views := make(List[Mail], len(all))
	for i, m := range all {
		views[i] = mailView(m)
	}
	return views, err
}

func (a *API) retryMail(tx *store.Tx, r *request, _ None) (Mail, error) {
	id, err := strconv.ParseInt(r.PathValue("mail"), 10, 64)
	if err != nil {
		return Mail{}, store.ErrNotFound
	}
	mail, err := deed.RetryMail(tx, r.by(), id, a.cfg.Mail)
	return mailView(mail), err
}
