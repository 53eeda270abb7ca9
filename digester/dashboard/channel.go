package dashboard

import (
	"net/http"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/notify"
	"sundew/digester/store"
)

// messagesShown is how many messages a channel's page has.
const messagesShown = 50

// channelPage is a channel: how it is doing, what can be set, what it sent.
type channelPage struct {
	settingsFrame
	Channel  channelRow
	Form     channelForm
	Secret   string // of a webhook, this one time
	Test     testResult
	Messages []messageRow
	ByMail   bool
}

// messageRow is a message of the list.
type messageRow struct {
	store.Notification
	What string    // it is about, in words
	Next time.Time // when the next attempt is due
}

// testResult is what came of a test that the form has just sent.
type testResult struct {
	Text string // empty: there was none
	Good bool
}

// showChannel is GET /projects/{id}/settings/channels/{channel}.
func (d *Dashboard) showChannel(rx *store.Rx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(rx, r)
	if err != nil {
		return reply{}, err
	}
	page, err := d.channelPage(rx, r, p, c)
	if r.URL.Query().Get("done") == "channel-tested" {
		page.Test = newTestResult(page.Messages)
	}
	return show("channel", page), err
}

func (d *Dashboard) channelPage(rx *store.Rx, r *http.Request, p store.Project, c store.Channel) (channelPage, error) {
	page := channelPage{
		settingsFrame: d.settingsFrame(r, p, "channels"), Channel: newChannelRow(c), ByMail: c.Kind == notify.Mail,
		Form: d.channelForm(d.links.channel(p.ID, c.ID), c),
	}
	page.Title = c.Name + " · " + page.Title
	page.Form.Steps = nil // they were for the first time
	messages, err := rx.Notifications(c.ID, messagesShown)
	for _, n := range messages {
		row := messageRow{Notification: n, What: kindWords(n.Kind)}
		if n.State() == store.MailWaiting && n.Attempts > 0 {
			row.Next = laterOf(n.DueAt, c.HeldUntil)
		}
		page.Messages = append(page.Messages, row)
	}
	return page, err
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// kindWords says what a message is about.
func kindWords(k notify.Kind) string {
	switch k {
	case notify.KindNew:
		return "new"
	case notify.KindRegression:
		return "back"
	case notify.KindUnmuted:
		return "no longer muted"
	case notify.KindVolume:
		return "many events"
	case notify.KindUsers:
		return "many users"
	case notify.KindStorm:
		return "storm"
	case notify.KindTest:
		return "test"
	}
	return string(k)
}

// newTestResult reads what came of the newest test: one message, or one to each address.
func newTestResult(messages []messageRow) testResult {
	var result testResult
	var newest time.Time
	for _, m := range messages {
		if m.Kind != notify.KindTest || !newest.IsZero() && !m.CreatedAt.Equal(newest) {
			continue
		}
		if newest.IsZero() {
			result = testResult{Text: "The test message was taken. Look whether it arrived.", Good: true}
		}
		newest = m.CreatedAt
		switch m.State() {
		case store.MailWaiting:
			return testResult{Text: "The test message is still on its way. Reload this page in a moment."}
		case store.MailFailed:
			result = testResult{Text: "The test message was not taken: " + m.Error + "."}
			if m.Recipient != "" {
				result.Text = "The test message to " + m.Recipient + " was not taken: " + m.Error + "."
			}
		}
	}
	return result
}

// setChannel is POST …/enable and …/disable.
func (d *Dashboard) setChannel(enabled bool) writer {
	word := "channel-disabled"
	if enabled {
		word = "channel-enabled"
	}
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		p, c, err := pathChannel(&tx.Rx, r)
		if err == nil {
			err = deed.SwitchChannel(tx, d.by(r), p, c, enabled)
		}
		return d.afterChannel(p, c, word), err
	}
}

// deleteChannel is POST …/delete.
func (d *Dashboard) deleteChannel(tx *store.Tx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(&tx.Rx, r)
	if err == nil {
		err = deed.DeleteChannel(tx, d.by(r), p, c)
	}
	return redirect(d.links.done(d.links.channels(p.ID), "channel-deleted")), err
}

// renewChannelSecret is POST …/secret. The answer shows the new one.
func (d *Dashboard) renewChannelSecret(tx *store.Tx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	if c, err = deed.RenewChannelSecret(tx, d.by(r), p, c); err != nil {
		return reply{}, err
	}
	page, err := d.channelPage(&tx.Rx, r, p, c)
	page.Secret = c.Config.Secret
	return show("channel", page), err
}

// retryNotification is POST …/messages/{message}/retry.
func (d *Dashboard) retryNotification(tx *store.Tx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	id, err := pathNumber(r, "message")
	if err != nil {
		return reply{}, err
	}
	return d.afterChannel(p, c, "retry"), d.carriers().Retry(tx, d.by(r), p, c, id)
}

// afterChannel leads to a channel's page, and says there what was done with it.
func (d *Dashboard) afterChannel(p store.Project, c store.Channel, word string) reply {
	return redirect(d.links.done(d.links.channel(p.ID, c.ID), word))
}

// carriers are what channels are made and tried with.
func (d *Dashboard) carriers() deed.Channels {
	return deed.Channels{CheckURL: d.cfg.CheckURL, Courier: d.cfg.Courier}
}

// testChannel is POST …/test: it queues a message, and waits a moment for what comes of
// it, so that the page can say so.
func (d *Dashboard) testChannel(w http.ResponseWriter, r *http.Request) {
	var to reply
	var sent []int64
	outside := links{base: strings.TrimRight(d.cfg.PublicURL, "/")}
	r, err := d.write(w, r, "test channel", ofProject(access.Admin), func(tx *store.Tx, r *http.Request) error {
		p, c, err := pathChannel(&tx.Rx, r)
		if err != nil {
			return err
		}
		sent, err = d.carriers().Test(tx, d.by(r), p, c, outside.openIssues(p.ID), outside.channel(p.ID, c.ID))
		to = d.afterChannel(p, c, "channel-tested")
		if len(sent) == 0 {
			to = d.afterChannel(p, c, "channel-untested")
		}
		return err
	})
	if err == nil {
		err = d.carriers().Await(r.Context(), d.cfg.Replica, sent)
	}
	d.answer(w, r, to, err)
}
