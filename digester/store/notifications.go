package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sundew/digester/notify"
	"sundew/schema/event"
)

const (
	// maxNotificationsWaiting is how many messages wait for one channel, whose rows are
	// one for each recipient. What comes beyond is only counted: whoever gets a hundred messages
	// late does not need more of them, but has to know that there were.
	maxNotificationsWaiting = 100

	// notificationLife is for how long attempts are made.
	notificationLife = 24 * time.Hour

	// notificationLease is how long an attempt may take before another one is made;
	// the process may have died in it.
	notificationLease = time.Minute

	// notificationsKept is for how long what became of a message is known, and
	// maxNotificationsKept of how many for each channel.
	notificationsKept    = 30 * 24 * time.Hour
	maxNotificationsKept = 1000

	// notificationsPurged is how many rows are looked at in one transaction.
	notificationsPurged = 500

	maxNotificationTitle = 300
	maxNotificationError = 500

	// maxPause bounds for how long a service may ask to be left alone.
	maxPause = time.Hour
)

// notificationPauses are the pauses after so many failures in a row; the last one stays.
func notificationPauses() []time.Duration {
	return []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}
}

// Notification is a message to one recipient as its channel's list shows it.
type Notification struct {
	ID        int64
	Recipient string // a mail address; empty: the channel has one place only
	Kind      notify.Kind
	Title     string
	Issue     int64 // 0: it is about none
	LeftOut   int64 // messages left out before it
	CreatedAt time.Time
	DueAt     time.Time // zero unless it is waiting
	Attempts  int64
	Error     string // of the last attempt
	SentAt    time.Time
}

// State returns how far the message is, in the words of mail.
func (n Notification) State() MailState {
	return OutboxMail{DueAt: n.DueAt, SentAt: n.SentAt}.State()
}

// QueueNotification writes a message into the outbox of a channel, to be sent after
// the transaction. If too many wait already it is counted only, and the next that is
// sent says so. A channel that is switched off gets none. ErrNotFound if there is no
// such channel.
func (tx *Tx) QueueNotification(channel int64, m notify.Message) error {
	_, err := tx.queueNotification(channel, m)
	return err
}

// QueueTest writes a test message, which is sent before others and tried once, and
// returns the ids of its rows. Errors are as of QueueNotification; there are no rows if
// the channel is switched off, or gets far too many.
func (tx *Tx) QueueTest(channel int64, m notify.Message) ([]int64, error) {
	m.Kind = notify.KindTest
	return tx.queueNotification(channel, m)
}

func (tx *Tx) queueNotification(channel int64, m notify.Message) ([]int64, error) {
	c, err := one(tx.channels(`WHERE id = ?`, channel))
	if err != nil {
		return nil, fmt.Errorf("channel %d: %w", channel, err)
	}
	if !c.Enabled {
		return nil, nil
	}
	if m.Kind == notify.KindTest && c.full(2*maxNotificationsWaiting) {
		return nil, nil
	}
	if m.Kind != notify.KindTest && c.full(maxNotificationsWaiting) {
		_, err := tx.exec(`UPDATE channels SET left_out = left_out + 1 WHERE id = ?`, channel)
		return nil, err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("message for channel %d: %w", channel, err)
	}
	recipients := c.Config.Addresses
	if c.Kind != notify.Mail {
		recipients = []string{""}
	}
	var ids []int64
	for _, to := range recipients {
		id, err := tx.insert(`
			INSERT INTO notifications (channel_id, recipient, kind, title, issue_id, message, created_at, expires_at, due_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			channel, to, string(m.Kind), cutText(m.Title(), maxNotificationTitle), nullID(m.Issue.ID), string(text),
			ms(tx.now), ms(tx.now.Add(notificationLife)), ms(tx.now))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// full reports whether so many messages wait already.
func (c Channel) full(most int) bool {
	return c.Waiting >= int64(most*max(1, len(c.Config.Addresses)))
}

// DueChannel is a channel that has messages to send.
type DueChannel struct {
	ID int64
	At time.Time // when the first of them is due
}

// DueChannels returns which channels have messages to send, and from when on.
func (rx *Rx) DueChannels() ([]DueChannel, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT n.channel_id, min(CASE n.kind WHEN 'test' THEN n.due_at ELSE max(n.due_at, coalesce(c.held_until, 0)) END)
		FROM notifications n JOIN channels c ON c.id = n.channel_id
		WHERE n.due_at IS NOT NULL GROUP BY n.channel_id`)
	var at sql.NullInt64
	return collectThen(rows, err, func(d *DueChannel) []any { return []any{&d.ID, &at} }, func(d *DueChannel) { d.At = fromMS(at) })
}

// Dispatch is a message at the moment in which it is sent.
type Dispatch struct {
	ID        int64
	Attempt   int64
	Channel   Channel
	Recipient string // a mail address; empty: the channel has one place only
	Message   notify.Message
	LeftOut   int64 // messages left out before it
}

// TakeNotification returns the first message of a channel that is due, a test before
// others, and what was tried less often before what was more often: a message that is
// never taken must not keep others from their first attempt. ErrNotFound if there is none. Who takes one calls NotificationDone; if
// nothing is heard of it, it is due again a minute later.
func (tx *Tx) TakeNotification(channel int64) (Dispatch, error) {
	type taken struct {
		Dispatch
		text string
	}
	rows, err := tx.q.QueryContext(tx.ctx, `
		SELECT n.id, n.attempts + 1, n.recipient, n.message, n.left_out + c.left_out
		FROM notifications n JOIN channels c ON c.id = n.channel_id
		WHERE n.channel_id = ?1 AND n.due_at <= ?2 AND (n.kind = 'test' OR coalesce(c.held_until, 0) <= ?2)
		ORDER BY n.kind = 'test' DESC, n.attempts, n.id LIMIT 1`, channel, ms(tx.now))
	t, err := one(collect(rows, err, func(t *taken) []any { return []any{&t.ID, &t.Attempt, &t.Recipient, &t.text, &t.LeftOut} }))
	if err != nil {
		return Dispatch{}, err
	}
	if err := json.Unmarshal([]byte(t.text), &t.Message); err != nil {
		return Dispatch{}, fmt.Errorf("notification %d: %w", t.ID, err)
	}
	if t.Channel, err = one(tx.channels(`WHERE id = ?`, channel)); err != nil {
		return Dispatch{}, err
	}
	if _, err := tx.exec(`UPDATE notifications SET attempts = attempts + 1, left_out = ?, due_at = ? WHERE id = ?`,
		t.LeftOut, ms(tx.now.Add(notificationLease)), t.ID); err != nil {
		return Dispatch{}, err
	}
	_, err = tx.exec(`UPDATE channels SET left_out = 0 WHERE id = ? AND left_out > 0`, channel)
	return t.Dispatch, err
}

// Attempt is what came of sending a message.
type Attempt struct {
	Failure string        // why it failed; empty: it was taken
	Final   bool          // no other attempt would go better
	Pause   time.Duration // for which the service asked to be left alone; 0: it did not say

	// OfRecipient: it says nothing about the channel's other recipients.
	OfRecipient bool
}

// NotificationDone notes what came of an attempt, and gives up what is too old and had
// one; what had none gets one first, however old it is. It does nothing if the message was
// taken again since, or is gone.
func (tx *Tx) NotificationDone(d Dispatch, a Attempt) error {
	const mine = ` WHERE id = ? AND attempts = ? AND due_at IS NOT NULL`
	if a.Failure == "" {
		if err := someChanged(tx.exec(`UPDATE notifications SET sent_at = ?, due_at = NULL, error = '', message = ''`+mine, ms(tx.now), d.ID, d.Attempt)); err != nil {
			return ignoreGone(err)
		}
		_, err := tx.exec(`UPDATE channels SET succeeded_at = ?, failures = 0, held_until = NULL WHERE id = ?`, ms(tx.now), d.Channel.ID)
		return err
	}
	failure := cutText(a.Failure, maxNotificationError)
	if err := someChanged(tx.exec(`UPDATE notifications SET error = ?`+mine, failure, d.ID, d.Attempt)); err != nil {
		return ignoreGone(err)
	}
	if _, err := tx.exec(`UPDATE channels SET failed_at = ?, failure = ? WHERE id = ?`, ms(tx.now), failure, d.Channel.ID); err != nil {
		return err
	}
	if a.Final || d.Message.Kind == notify.KindTest {
		return tx.giveNotificationsUp(d.Channel.ID, tx.now, `id = ?`, d.ID)
	}
	hold := tx.holdChannel
	if a.OfRecipient {
		hold = tx.holdNotification
	}
	if err := hold(d, a.Pause); err != nil {
		return err
	}
	return tx.giveNotificationsUp(d.Channel.ID, tx.now, `error <> '' AND expires_at <= ?`, ms(tx.now))
}

// pauseAfter returns for how long to wait after so many failures in a row, beside one.
func pauseAfter(failures int64, asked time.Duration) time.Duration {
	pauses := notificationPauses()
	return max(pauses[min(failures, int64(len(pauses)-1))], min(asked, maxPause))
}

// holdNotification has one message wait: its recipient is not to hold up others.
func (tx *Tx) holdNotification(d Dispatch, asked time.Duration) error {
	_, err := tx.exec(`UPDATE notifications SET due_at = ? WHERE id = ?`, ms(tx.now.Add(pauseAfter(d.Attempt-1, asked))), d.ID)
	return err
}

// holdChannel has a channel's messages wait: if it does not take this one it hardly
// takes the next.
func (tx *Tx) holdChannel(d Dispatch, asked time.Duration) error {
	var failures int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT failures FROM channels WHERE id = ?`, d.Channel.ID).Scan(&failures); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE channels SET failures = failures + 1, held_until = ? WHERE id = ?`, ms(tx.now.Add(pauseAfter(failures, asked))), d.Channel.ID); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE notifications SET due_at = ? WHERE id = ?`, ms(tx.now), d.ID) // the lease is over
	return err
}

// giveNotificationsUp gives up messages of a channel and notes when, in the place of
// when they were to be given up; the zero time: somebody wished it, so nobody has to
// hear of it. What they were to tell of others that were left out is for the next to
// tell.
func (tx *Tx) giveNotificationsUp(channel int64, at time.Time, which string, args ...any) error {
	these := ` WHERE channel_id = ? AND due_at IS NOT NULL AND ` + which
	ended := int64(0)
	if !at.IsZero() {
		ended = ms(at)
	}
	args = append([]any{channel}, args...)
	var leftOut int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT coalesce(sum(left_out), 0) FROM notifications`+these, args...).Scan(&leftOut); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE notifications SET due_at = NULL, left_out = 0, expires_at = ?`+these, append([]any{ended}, args...)...); err != nil {
		return err
	}
	if leftOut == 0 {
		return nil
	}
	_, err := tx.exec(`UPDATE channels SET left_out = left_out + ? WHERE id = ?`, leftOut, channel)
	return err
}

// ignoreGone takes it for well that there was nothing to change.
func ignoreGone(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// RetryNotification has attempts made again at a message of a channel that was given
// up, the first at once. ErrNotFound if there is none.
func (tx *Tx) RetryNotification(channel, id int64) error {
	err := someChanged(tx.exec(`
		UPDATE notifications SET due_at = ?, expires_at = ?
		WHERE id = ? AND channel_id = ? AND due_at IS NULL AND sent_at IS NULL AND EXISTS (SELECT 1 FROM channels WHERE id = channel_id AND enabled)`,
		ms(tx.now), ms(tx.now.Add(notificationLife)), id, channel))
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE channels SET failures = 0, held_until = NULL WHERE id = ?`, channel)
	return err
}

// Notifications returns a channel's newest messages, at most limit.
func (rx *Rx) Notifications(channel int64, limit int) ([]Notification, error) {
	return rx.notifications(`WHERE channel_id = ? ORDER BY id DESC LIMIT ?`, channel, limit)
}

// NotificationWaits reports whether one of some messages waits to be sent.
func (rx *Rx) NotificationWaits(ids []int64) (bool, error) {
	for _, id := range ids {
		n, err := one(rx.notifications(`WHERE id = ?`, id))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return false, err
		}
		if err == nil && !n.DueAt.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

func (rx *Rx) notifications(where string, args ...any) ([]Notification, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, recipient, kind, title, coalesce(issue_id, 0), left_out, created_at, due_at, attempts, error, sent_at FROM notifications `+where, args...)
	var created, due, sent sql.NullInt64
	return collectThen(rows, err, func(n *Notification) []any {
		return []any{&n.ID, &n.Recipient, &n.Kind, &n.Title, &n.Issue, &n.LeftOut, &created, &due, &n.Attempts, &n.Error, &sent}
	}, func(n *Notification) { n.CreatedAt, n.DueAt, n.SentAt = fromMS(created), fromMS(due), fromMS(sent) })
}

// PurgeNotifications removes what is known of messages that were sent or given up long
// ago, or more than a channel keeps, in a short transaction.
func (tx *Tx) PurgeNotifications() error {
	if _, err := tx.exec(`
		DELETE FROM notifications WHERE id IN (
		  SELECT id FROM (SELECT id, created_at, due_at FROM notifications ORDER BY id LIMIT ?) WHERE created_at < ? AND due_at IS NULL)`,
		notificationsPurged, ms(tx.now.Add(-notificationsKept))); err != nil {
		return err
	}
	rows, err := tx.q.QueryContext(tx.ctx, `SELECT id FROM channels`)
	channels, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err != nil {
		return err
	}
	for _, id := range channels {
		_, err := tx.exec(`
			DELETE FROM notifications WHERE channel_id = ?1 AND due_at IS NULL AND id <= (
			  SELECT id FROM notifications WHERE channel_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`, id, maxNotificationsKept)
		if err != nil {
			return err
		}
	}
	return nil
}

// removeChannels removes a project's channels and their messages, some in each
// transaction. It reports whether there were any.
func (tx *Tx) removeChannels(project event.ProjectID) (bool, error) {
	channel, err := one(tx.channels(`WHERE project_id = ? ORDER BY id LIMIT 1`, int64(project)))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, tx.DeleteChannel(project, channel.ID)
}
