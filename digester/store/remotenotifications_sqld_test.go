//go:build sqld

package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// Channels and their messages on a libSQL server, from the first to the last.
func TestNotificationsOnLibSQL(t *testing.T) {
	server := sqldtest.Start(t, sqld.Config{Strong: true})
	o := &outlet{t: t, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	o.db, o.replica = storetest.OpenServer(t, store.RemoteConfig{URL: server.URL()}, store.Config{Now: func() time.Time { return o.now }})
	o.furnish(hook())
	o.queue("a")
	o.queue("b")
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy"})
	if got := o.due(); got != 10*time.Second || o.take() != nil {
		t.Errorf("due in %s", got)
	}
	o.write(func(tx *store.Tx) error {
		_, err := tx.QueueTest(o.channel.ID, notify.Message{})
		return err
	})
	o.done(o.mustTake("Test message"), store.Attempt{})
	o.done(o.mustTake("b"), store.Attempt{})
	o.done(o.mustTake("a"), store.Attempt{Failure: "no", Final: true})
	if diff := cmp.Diff([]string{"sent Test message ", "sent b ", "failed a no"}, o.list()); diff != "" {
		t.Error(diff)
	}
	o.write(func(tx *store.Tx) error {
		c := o.state()
		c.Name = "Other room"
		return tx.ChangeChannel(c)
	})
	o.now = o.now.Add(31 * 24 * time.Hour)
	o.write((*store.Tx).PurgeNotifications)
	if left := o.list(); len(left) != 0 || o.state().Name != "Other room" {
		t.Errorf("left are %v", left)
	}
	o.write(func(tx *store.Tx) error { return tx.DeleteChannel(o.channel.Project, o.channel.ID) })
}
