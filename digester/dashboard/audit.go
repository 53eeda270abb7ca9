package dashboard

import (
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
)

// audit writes into the audit log what a form does.
func (d *Dashboard) audit(tx *store.Tx, r *http.Request, e store.AuditEntry) error {
	e.Address = d.cfg.Address(r)
	return tx.Audit(who(r), e)
}

// auditOwn writes that somebody changed something about their own account.
func (d *Dashboard) auditOwn(tx *store.Tx, r *http.Request, action, detail string) error {
	return d.audit(tx, r, store.AuditEntry{Action: action, Subject: who(r).Email, Detail: detail})
}

// auditAs writes what a user did who is about to be signed in.
func (d *Dashboard) auditAs(tx *store.Tx, r *http.Request, user store.User, action, detail string) error {
	return tx.Audit(access.Person{ID: user.ID}, store.AuditEntry{Action: action, Subject: user.Email, Detail: detail, Address: d.cfg.Address(r)})
}
