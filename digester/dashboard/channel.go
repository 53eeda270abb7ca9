package dashboard

import (
	"context"
	"net/http"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/notify"
	"sundew/digester/store"
)

const (
	// messagesShown is how many messages a channel's page has.
	messagesShown = 50

	// testPatience is how long a form waits for what comes of a test, and testLook how
	// often it looks.
	testPatience = 8 * time.Second
	testLook     = 50 * time.Millisecond
)

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
	action := "disable"
	if enabled {
		action = "enable"
	}
	return func(tx *store.Tx, r *http.Request) (reply, error) {
		p, c, err := pathChannel(&tx.Rx, r)
		if err != nil {
			return reply{}, err
		}
		if err := tx.SetChannelEnabled(p.ID, c.ID, enabled); err != nil {
			return reply{}, err
		}
		return d.afterChannel(tx, r, p, c, action, "channel-"+action+"d")
	}
}

// deleteChannel is POST …/delete.
func (d *Dashboard) deleteChannel(tx *store.Tx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	if err := tx.DeleteChannel(p.ID, c.ID); err != nil {
		return reply{}, err
	}
	if err := d.noteChannel(tx, r, p, c, "delete"); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.channels(p.ID), "channel-deleted")), nil
}

// renewChannelSecret is POST …/secret. The answer shows the new one.
func (d *Dashboard) renewChannelSecret(tx *store.Tx, r *http.Request) (reply, error) {
	p, c, err := pathChannel(&tx.Rx, r)
	if err != nil {
		return reply{}, err
	}
	if c.Kind != notify.Webhook {
		return reply{}, store.ErrNotFound
	}
	c.Config.Secret = notify.NewSecret()
	if err := tx.ChangeChannel(c); err != nil {
		return reply{}, err
	}
	if err := d.noteChannel(tx, r, p, c, "secret"); err != nil {
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
	if err := tx.RetryNotification(c.ID, id); err != nil {
		return reply{}, err
	}
	d.callCourier(tx)
	return d.afterChannel(tx, r, p, c, "retry", "retry")
}

// afterChannel notes what was done with a channel and leads to its page.
func (d *Dashboard) afterChannel(tx *store.Tx, r *http.Request, p store.Project, c store.Channel, action, word string) (reply, error) {
	if err := d.noteChannel(tx, r, p, c, action); err != nil {
		return reply{}, err
	}
	return redirect(d.links.done(d.links.channel(p.ID, c.ID), word)), nil
}

// testChannel is POST …/test: it queues a message, and waits a moment for what comes of
// it, so that the page can say so.
func (d *Dashboard) testChannel(w http.ResponseWriter, r *http.Request) {
	var to string
	var sent []int64
	outside := links{base: strings.TrimRight(d.cfg.PublicURL, "/")}
	r, err := d.write(w, r, "test channel", ofProject(access.Admin), func(tx *store.Tx, r *http.Request) error {
		p, c, err := pathChannel(&tx.Rx, r)
		if err != nil {
			return err
		}
		sent, err = tx.QueueTest(c.ID, notify.Message{
			Project: notify.Project{ID: p.ID, Name: p.Name, URL: outside.openIssues(p.ID)}, At: tx.Now(),
			SettingsURL: outside.channel(p.ID, c.ID),
		})
		if err != nil {
			return err
		}
		done := "channel-tested"
		if len(sent) == 0 {
			done = "channel-untested"
		}
		to = d.links.done(d.links.channel(p.ID, c.ID), done)
		d.callCourier(tx)
		return d.noteChannel(tx, r, p, c, "test")
	})
	if err == nil {
		err = d.awaitSent(r.Context(), sent)
	}
	d.answer(w, r, redirect(to), err)
}

// awaitSent waits until messages are sent or given up, or patience ends.
func (d *Dashboard) awaitSent(ctx context.Context, messages []int64) error {
	waiting, cancel := context.WithTimeout(ctx, testPatience)
	defer cancel()
	ticker := time.NewTicker(testLook)
	defer ticker.Stop()
	for len(messages) > 0 && d.cfg.Courier != nil {
		var waits bool
		err := d.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			waits, err = rx.NotificationWaits(messages)
			return err
		})
		if err != nil || !waits {
			return err
		}
		select {
		case <-waiting.Done():
			return nil
		case <-ticker.C:
		}
	}
	return nil
}
