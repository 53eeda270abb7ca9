package store

import (
	"context"
	"path/filepath"
	"testing"
)

// The same for what is read of channels and their messages.
func TestChannelQueryPlans(t *testing.T) {
	db, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "sundew.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	queries := []struct {
		name  string
		run   func(tx *Tx) error
		index string
		scans []string
	}{
		{"channels of a project", func(tx *Tx) error { _, err := tx.Channels(1); return err }, "channels_by_project", nil},
		{"waiting messages of a channel", func(tx *Tx) error { _, err := tx.Channel(1, 1); return notFoundIsFine(err) }, "notifications_waiting (channel_id=?", nil},
		{"messages of a channel", func(tx *Tx) error { _, err := tx.Notifications(1, 10); return err }, "notifications_by_channel (channel_id=?)", nil},
		// All rows of a small index: those that wait.
		{"channels that are due", func(tx *Tx) error { _, err := tx.DueChannels(); return err }, "SCAN n USING INDEX notifications_waiting", []string{"n"}},
		{"a message that is due", func(tx *Tx) error { _, err := tx.TakeNotification(1); return notFoundIsFine(err) }, "notifications_waiting (channel_id=? AND due_at<?)", nil},
		{"messages to give up", func(tx *Tx) error { return tx.giveNotificationsUp(1, tx.now, `error <> '' AND expires_at <= ?`, 0) }, "notifications_waiting (channel_id=?", nil},
		// The channels are few, and of messages those that wait and those of channels that fail are read.
		{"state of all channels", func(tx *Tx) error { _, err := tx.ChannelsState(tx.now); return err }, "notifications_by_channel (channel_id=?)", []string{"channels", "c", "notifications"}},
	}
	err = db.Write(t.Context(), "test", func(tx *Tx) error {
		for _, q := range queries {
			e := &explainer{querier: tx.q, t: t}
			if err := q.run(&Tx{Rx: Rx{ctx: tx.ctx, q: e, codec: tx.codec}, w: tx.w}); err != nil {
				t.Errorf("%s: %v", q.name, err)
			}
			checkPlan(t, q.name, e.plans, q.index, q.scans)
		}
		for _, statement := range []struct{ text, index string }{
			{`DELETE FROM notifications WHERE issue_id = ?1`, "notifications_by_issue (issue_id=?)"},
			{`DELETE FROM notifications WHERE channel_id = ?1`, "notifications_by_channel (channel_id=?)"},
		} {
			e := &explainer{querier: tx.q, t: t}
			e.explain(tx.ctx, statement.text, []any{1})
			checkPlan(t, statement.text, e.plans, statement.index, nil)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
