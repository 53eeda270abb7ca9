package api

import (
	"net/http"
	"slices"
	"strconv"

	"sundew/digester/store"
)

// Message is what a channel was sent, to one recipient.
type Message struct {
	ID          string `json:"id"`
	Recipient   string `json:"recipient"` // a mail address; empty: the channel has one place only
	Kind        string `json:"kind"`      // new, regression, unmuted, volume, users, storm, test
	Title       string `json:"title"`
	IssueID     string `json:"issueId"` // empty: it is about none
	State       string `json:"state"`   // waiting, sent, failed
	DateCreated Time   `json:"dateCreated"`
	DateDue     Time   `json:"dateDue"` // of the next attempt
	DateSent    Time   `json:"dateSent"`
	Attempts    int64  `json:"attempts"`
	Error       string `json:"error"`   // of the last attempt
	LeftOut     int64  `json:"leftOut"` // messages left out before it
}

func messageView(n store.Notification) Message {
	view := Message{
		ID: number(n.ID), Recipient: n.Recipient, Kind: string(n.Kind), Title: n.Title, State: string(n.State()), DateCreated: Time{n.CreatedAt}, DateDue: Time{n.DueAt},
		DateSent: Time{n.SentAt}, Attempts: n.Attempts, Error: n.Error, LeftOut: n.LeftOut,
	}
	if n.Issue != 0 {
		view.IssueID = number(n.Issue)
	}
	return view
}

func (a *API) messages(rx *store.Rx, r *request) (List[Message], error) {
	c, err := channelNamed(rx, r)
	if err != nil {
		return nil, err
	}
	all, err := rx.Notifications(c.ID, messagesShown)
	views := make(List[Message], len(all))
	for i, n := range all {
		views[i] = messageView(n)
	}
	return views, err
}

func (a *API) retryMessage(tx *store.Tx, r *request, _ None) (None, error) {
	c, err := channelNamed(&tx.Rx, r)
	if err != nil {
		return None{}, err
	}
	id, err := strconv.ParseInt(r.PathValue("message"), 10, 64)
	if err != nil {
		return None{}, store.ErrNotFound
	}
	return None{}, a.carriers().Retry(tx, r.by(), r.project, c, id)
}

// testChannel queues a test message in a transaction, and waits outside of it for what
// comes of it.
func (a *API) testChannel(w http.ResponseWriter, r *request) error {
	var c store.Channel
	var sent []int64
	err := a.write(r, "test channel by API", func(tx *store.Tx) (err error) {
		if c, err = channelNamed(&tx.Rx, r); err != nil {
			return err
		}
		at := r.link("/projects/" + projectNumber(r.project.ID))
		sent, err = a.carriers().Test(tx, r.by(), r.project, c, at+"/issues", at+"/settings/channels/"+number(c.ID))
		return err
	})
	if err == nil {
		err = a.carriers().Await(r.Context(), a.cfg.Replica, sent)
	}
	if err != nil {
		return err
	}
	var views List[Message]
	err = a.cfg.Replica.Read(r.Context(), func(rx *store.Rx) error {
		views = nil
		all, err := rx.Notifications(c.ID, messagesShown)
		for _, n := range all {
			if slices.Contains(sent, n.ID) {
				views = append(views, messageView(n))
			}
		}
		return err
	})
	if err == nil {
		r.send(w, views)
	}
	return err
}
