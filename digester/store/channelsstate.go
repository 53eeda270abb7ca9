package store

import (
	"database/sql"
	"time"
)

// ChannelsState is how the channels of all projects are.
type ChannelsState struct {
	Failing int64     // channels that are on and whose last attempt failed
	Waiting int64     // messages, by recipient
	Oldest  time.Time // since when the oldest of these waits; zero: none does
	GivenUp int64     // messages to channels that are on, of the day before now; without tests
}

// ChannelsState counts what became of messages to channels lately, and what did not.
func (rx *Rx) ChannelsState(now time.Time) (s ChannelsState, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT count(*) FROM channels WHERE enabled AND failed_at > coalesce(succeeded_at, 0)`).Scan(&s.Failing)
	if err != nil {
		return s, err
	}
	var expires sql.NullInt64 // a message waits since its life began; of one that is tried again it began again
	err = rx.q.QueryRowContext(rx.ctx, `SELECT count(*), min(expires_at) FROM notifications WHERE due_at IS NOT NULL`).Scan(&s.Waiting, &expires)
	if err != nil {
		return s, err
	}
	if expires.Valid {
		s.Oldest = fromMS(expires).Add(-notificationLife)
	}
	// A channel that had no failure has given nothing up.
	day := ms(now.Add(-24 * time.Hour))
	err = rx.q.QueryRowContext(rx.ctx, `
		SELECT count(*) FROM channels c CROSS JOIN notifications n ON n.channel_id = c.id
		WHERE c.enabled AND c.failed_at > ?1 AND n.due_at IS NULL AND n.sent_at IS NULL AND n.kind <> 'test' AND n.expires_at > ?1`, day).Scan(&s.GivenUp)
	return s, err
}
