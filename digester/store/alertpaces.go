package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/schema/event"
)

// AlertPace is how a channel is told of things, and what it has not been told of yet.
type AlertPace struct {
	alert.Pace
	Channel   int64
	Collected alert.Sum
	told      int64 // alerts up to this one have been in a summary
}

// AlertBudget returns what the channels of the installation share.
func (rx *Rx) AlertBudget() (alert.Budget, error) {
	var filled int64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT filled FROM alert_state`).Scan(&filled)
	return alert.Budget{Filled: time.UnixMilli(filled).UTC()}, err
}

// SetAlertBudget is the inverse of AlertBudget.
func (tx *Tx) SetAlertBudget(b alert.Budget) error {
	_, err := tx.exec(`UPDATE alert_state SET filled = ?`, ms(b.Filled))
	return err
}

// AlertPace returns the pace of a channel.
func (rx *Rx) AlertPace(channel int64) (AlertPace, error) {
	p, err := one(rx.alertPaces(`WHERE channel_id = ?`, channel))
	if errors.Is(err, ErrNotFound) {
		return AlertPace{Channel: channel}, nil
	}
	return p, err
}

// DueSummaries returns the channels that are to have a summary.
func (rx *Rx) DueSummaries(now time.Time) ([]AlertPace, error) {
	return rx.alertPaces(`WHERE step > 0 AND summary_at <= ? ORDER BY summary_at`, ms(now))
}

func (rx *Rx) alertPaces(where string, args ...any) ([]AlertPace, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT channel_id, filled, step, summary_at, told, since, new, regression, unmuted, volume, users FROM alert_paces `+where, args...)
	var filled, summary, since sql.NullInt64
	return collectThen(rows, err, func(p *AlertPace) []any {
		c := &p.Collected
		return []any{&p.Channel, &filled, &p.Step, &summary, &p.told, &since, &c.New, &c.Regression, &c.Unmuted, &c.Volume, &c.Users}
	}, func(p *AlertPace) {
		p.Filled, p.Summary, p.Collected.Since = fromMS(filled), fromMS(summary), fromMS(since)
	})
}

// SetAlertPace writes the pace of a channel.
func (tx *Tx) SetAlertPace(p AlertPace) error {
	c := p.Collected
	var since any
	if !c.Since.IsZero() {
		since = ms(c.Since)
	}
	_, err := tx.exec(`
		INSERT INTO alert_paces (channel_id, filled, step, summary_at, told, since, new, regression, unmuted, volume, users)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET filled = excluded.filled, step = excluded.step, summary_at = excluded.summary_at, told = excluded.told,
		  since = excluded.since, new = excluded.new, regression = excluded.regression, unmuted = excluded.unmuted,
		  volume = excluded.volume, users = excluded.users`,
		p.Channel, ms(p.Filled), p.Step, ms(p.Summary), p.told, since, c.New, c.Regression, c.Unmuted, c.Volume, c.Users)
	return err
}

// CollectedIssues returns the first issues that a channel has not been told of, of
// those that are still open; of a merged one its head.
func (rx *Rx) CollectedIssues(p AlertPace, limit int) ([]Issue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT DISTINCT h.id FROM alert_sends s CROSS JOIN alerts a ON a.id = s.alert_id
		  CROSS JOIN issues i ON i.id = a.issue_id CROSS JOIN issues h ON h.id = coalesce(i.merged_into, i.id)
		WHERE s.channel_id = ? AND s.alert_id > ? AND s.last_notification IS NULL AND h.state = ?
		ORDER BY s.alert_id LIMIT ?`, p.Channel, p.told, int64(StateOpen), limit)
	ids, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err != nil {
		return nil, err
	}
	return rx.IssuesByID(ids)
}

// QueueSummary is QueueNotification of a summary, which is not left out where too many
// messages wait: it has to be put off then, and it reports that.
func (tx *Tx) QueueSummary(channel int64, m notify.Message) (putOff bool, err error) {
	c, err := one(tx.channels(`WHERE id = ?`, channel))
	if err != nil {
		return false, fmt.Errorf("channel %d: %w", channel, err)
	}
	if c.Enabled && c.full(maxNotificationsWaiting) {
		return true, nil
	}
	return false, tx.QueueNotification(channel, m)
}

// Summed returns the pace of a channel that has been told of all that was collected:
// nothing is.
func (tx *Tx) Summed(p AlertPace) (AlertPace, error) {
	p.Collected = alert.Sum{}
	err := tx.q.QueryRowContext(tx.ctx, `SELECT coalesce(max(alert_id), 0) FROM alert_sends WHERE channel_id = ?`, p.Channel).Scan(&p.told)
	return p, err
}

// OpenChannels returns the ids of a project's channels that take messages.
func (rx *Rx) OpenChannels(project event.ProjectID) ([]int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id FROM channels WHERE project_id = ? AND enabled = 1 ORDER BY id`, int64(project))
	return collect(rows, err, func(id *int64) []any { return []any{id} })
}

// ChannelProject returns the project of a channel, ErrNotFound if there is no such
// channel.
func (rx *Rx) ChannelProject(channel int64) (event.ProjectID, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT project_id FROM channels WHERE id = ?`, channel)
	return one(collect(rows, err, func(id *event.ProjectID) []any { return []any{id} }))
}
