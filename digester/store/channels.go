package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/digester/notify"
	"sundew/schema/event"
)

// Bounds of a project's channels.
const (
	maxChannels    = 50
	maxChannelName = 80
)

// Channel is a place where messages about a project's issues go.
type Channel struct {
	ID        int64
	Project   event.ProjectID
	Kind      notify.ChannelKind
	Name      string
	Config    notify.Config // has secrets
	Enabled   bool
	CreatedAt time.Time

	SucceededAt time.Time // of the last message that was taken
	FailedAt    time.Time // of the last attempt that failed
	Failure     string    // why it did
	HeldUntil   time.Time // nothing but tests is sent before
	LeftOut     int64     // messages that were too many to keep, of which none has told yet
	Waiting     int64     // messages, by recipient
}

// ChannelState is how a channel is doing.
type ChannelState string

// The states.
const (
	ChannelOff     ChannelState = "off"
	ChannelUnused  ChannelState = "not used yet"
	ChannelWorks   ChannelState = "works"
	ChannelFailing ChannelState = "failing" // the last attempt failed
)

// State returns how the channel is doing.
func (c Channel) State() ChannelState {
	switch {
	case !c.Enabled:
		return ChannelOff
	case !c.FailedAt.IsZero() && !c.FailedAt.Before(c.SucceededAt):
		return ChannelFailing
	case !c.SucceededAt.IsZero():
		return ChannelWorks
	}
	return ChannelUnused
}

// Channels returns a project's channels by name.
func (rx *Rx) Channels(project event.ProjectID) ([]Channel, error) {
	return rx.channels(`WHERE project_id = ? ORDER BY name, id`, int64(project))
}

// Channel returns one channel of a project, ErrNotFound if it has no such channel.
func (rx *Rx) Channel(project event.ProjectID, id int64) (Channel, error) {
	return one(rx.channels(`WHERE project_id = ? AND id = ?`, int64(project), id))
}

func (rx *Rx) channels(where string, args ...any) ([]Channel, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, project_id, kind, name, config, enabled, created_at, succeeded_at, failed_at, failure, held_until, left_out,
		       (SELECT count(*) FROM notifications n WHERE n.channel_id = channels.id AND n.due_at IS NOT NULL)
		FROM channels `+where, args...)
	var created, succeeded, failed, held sql.NullInt64
	var config string
	var broken error
	all, err := collectThen(rows, err, func(c *Channel) []any {
		return []any{&c.ID, &c.Project, &c.Kind, &c.Name, &config, &c.Enabled, &created, &succeeded, &failed, &c.Failure, &held, &c.LeftOut, &c.Waiting}
	}, func(c *Channel) {
		c.CreatedAt, c.SucceededAt, c.FailedAt, c.HeldUntil = fromMS(created), fromMS(succeeded), fromMS(failed), fromMS(held)
		if err := json.Unmarshal([]byte(config), &c.Config); err != nil {
			broken = fmt.Errorf("configuration of channel %d: %w", c.ID, err)
		}
	})
	if err == nil {
		err = broken
	}
	return all, err
}

// AddChannel makes a channel of a project; what c says beside kind, name and
// configuration does not count. The error wraps ErrInvalid or notify.ErrConfig.
func (tx *Tx) AddChannel(project event.ProjectID, c Channel) (Channel, error) {
	name, config, err := cleanChannel(c)
	if err != nil {
		return Channel{}, err
	}
	var n int
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*) FROM channels WHERE project_id = ?`, int64(project)).Scan(&n); err != nil {
		return Channel{}, err
	}
	if n >= maxChannels {
		return Channel{}, fmt.Errorf("%w: a project has at most %d channels", ErrInvalid, maxChannels)
	}
	id, err := tx.insert(`INSERT INTO channels (project_id, kind, name, config, created_at) VALUES (?, ?, ?, ?, ?)`,
		int64(project), string(c.Kind), name, config, ms(tx.now))
	if err != nil {
		return Channel{}, err
	}
	return tx.Channel(project, id)
}

// ChangeChannel changes a channel's name and configuration to what c says; its kind
// stays. What waits for the channel is tried at once, and what waits for an address that
// it does not have any more is given up. ErrNotFound if its project has no such channel,
// otherwise as AddChannel.
func (tx *Tx) ChangeChannel(c Channel) error {
	name, config, err := cleanChannel(c)
	if err != nil {
		return err
	}
	err = someChanged(tx.exec(`UPDATE channels SET name = ?, config = ?, failures = 0, held_until = NULL WHERE project_id = ? AND id = ? AND kind = ?`,
		name, config, int64(c.Project), c.ID, string(c.Kind)))
	if err != nil || c.Kind != notify.Mail {
		return err
	}
	const others = `recipient NOT IN (SELECT value FROM json_each(?, '$.addresses'))`
	if _, err := tx.exec(`UPDATE notifications SET error = ? WHERE channel_id = ? AND due_at IS NOT NULL AND `+others, "the address was removed from the channel", c.ID, config); err != nil {
		return err
	}
	return tx.giveNotificationsUp(c.ID, time.Time{}, others, config)
}

func cleanChannel(c Channel) (name, config string, err error) {
	name = strings.TrimSpace(c.Name)
	if name == "" || utf8.RuneCountInString(name) > maxChannelName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", "", fmt.Errorf("%w name of a channel: it has 1 to %d printable characters", ErrInvalid, maxChannelName)
	}
	clean, err := c.Config.Clean(c.Kind)
	if err != nil {
		return "", "", err
	}
	raw, err := json.Marshal(clean)
	return name, string(raw), err
}

// SetChannelEnabled switches a channel on or off. What waits for one that is switched
// off is given up. ErrNotFound if the project has no such channel.
func (tx *Tx) SetChannelEnabled(project event.ProjectID, id int64, enabled bool) error {
	err := someChanged(tx.exec(`UPDATE channels SET enabled = ?, failures = 0, held_until = NULL, left_out = 0 WHERE project_id = ? AND id = ?`, enabled, int64(project), id))
	if err != nil || enabled {
		return err
	}
	_, err = tx.exec(`UPDATE notifications SET due_at = NULL, expires_at = 0, error = ? WHERE channel_id = ? AND due_at IS NOT NULL`, "the channel was switched off", id)
	return err
}

// DeleteChannel removes a channel with all that it sent and was to send. ErrNotFound if
// the project has no such channel.
func (tx *Tx) DeleteChannel(project event.ProjectID, id int64) error {
	if _, err := tx.Channel(project, id); err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM notifications WHERE channel_id = ?`, id); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM channels WHERE id = ?`, id)
	return err
}
