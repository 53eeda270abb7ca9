package dashboard

import (
	"errors"
	"fmt"

	"sundew/digester/store"
)

// passwordLetter lets somebody set a new password; an address follows its text.
func passwordLetter(to store.User) store.Mail {
	return store.Mail{
		To: to.Email, Subject: "Your password at Sundew",
		Text:  fmt.Sprintf("Hello %s,\n\nsomebody, hopefully you, asked for a new password for your account at Sundew. Set one here:", to.Name),
		After: "The address works once, for two hours. If it was not you, leave it: nothing has changed.",
	}
}

// changedLetter tells somebody what changed about their account.
func changedLetter(to, name, what string) store.Mail {
	return store.Mail{
		To: to, Subject: "Your account at Sundew has changed",
		Text: fmt.Sprintf("Hello %s,\n\n%s If it was not you, tell an admin of your installation at once.", name, what),
	}
}

// hasMail reports whether mail can be sent.
func (d *Dashboard) hasMail() bool { return d.cfg.Mail != nil }

// mailLink makes a link and sends its address to somebody.
func (d *Dashboard) mailLink(tx *store.Tx, l store.Link, m store.Mail) error {
	tx.OnCommit(d.cfg.Mail)
	return tx.MailLink(l, m)
}

// tell sends a mail, if there is a server that takes mail. That too much waits
// already is no reason not to do what it is about.
func (d *Dashboard) tell(tx *store.Tx, m store.Mail) error {
	if !d.hasMail() {
		return nil
	}
	tx.OnCommit(d.cfg.Mail)
	if err := tx.QueueMail(m); !errors.Is(err, store.ErrOutboxFull) {
		return err
	}
	return nil
}
