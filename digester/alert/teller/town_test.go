package teller

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/alert"
	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// town is a project with a channel, a teller and a clock.
type town struct {
	t       testing.TB
	db      *store.DB
	replica *store.Replica
	now     time.Time
	teller  *Teller
	project event.ProjectID
	channel int64
	seq     uint64
}

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{t: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	w.db, w.replica = storetest.Open(t, func() time.Time { return w.now })
	w.project = storetest.MustCreateProject(t, w.db, "Web shop", "").ID
	w.channel = w.addChannel("Team room")
	w.restart()
	return w
}

// restart is a process that dies, and another one.
func (w *town) restart() {
	w.teller = New(Config{
		Replica: w.replica, DB: w.db, Log: zerolog.Nop(), Now: func() time.Time { return w.now },
		Issue:   func(id int64) string { return fmt.Sprintf("https://errors.example.com/issues/%d", id) },
		Project: func(id event.ProjectID) string { return fmt.Sprintf("https://errors.example.com/projects/%d", id) },
		Settings: func(id event.ProjectID) string {
			return fmt.Sprintf("https://errors.example.com/projects/%d/alerts", id)
		},
	})
}

func (w *town) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), "test", fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) addChannel(name string) (id int64) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		c, err := tx.AddChannel(w.project, store.Channel{Kind: notify.Slack, Name: name, Config: notify.Config{URL: "https://hooks.example.com/" + name[:1]}})
		id = c.ID
		return err
	})
	return id
}

// only makes a rule the only one.
func (w *town) only(r alert.Rule) {
	w.t.Helper()
	r.Name, r.Enabled, r.AllChannels = "Rule", true, r.Channels == nil
	w.write(func(tx *store.Tx) error {
		rules, err := tx.AlertRules(w.project)
		for _, old := range rules {
			err = errors.Join(err, tx.DeleteAlertRule(w.project, old.ID))
		}
		_, added := tx.AddAlertRule(w.project, r)
		return errors.Join(err, added)
	})
}

// incoming is the next event, in the group of that name.
func (w *town) incoming(group string, change ...func(*store.Incoming)) *store.Incoming {
	w.seq++
	in := &store.Incoming{
		Instance: wire.InstanceID{1}, Seq: w.seq, Project: w.project, ReceivedAt: w.now, OccurredAt: w.now, Category: "error",
		Level: event.LevelError, Platform: "go", Title: "Error: " + group, Culprit: "main", Release: "1.0", Environment: "production",
		Tags: []event.Pair{{Key: "tenant", Value: "a"}}, GroupRules: 1,
		Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte(`{}`), Body: []byte(`{"message":"x","tags":{"tenant":"a"}}`),
	}
	binary.BigEndian.PutUint64(in.EventID[8:], w.seq)
	copy(in.Group[:], group)
	for _, c := range change {
		c(in)
	}
	return in
}

func (w *town) happens(group string, change ...func(*store.Incoming)) {
	w.t.Helper()
	if result, err := w.db.Digest(w.t.Context(), w.incoming(group, change...)); err != nil || result != store.Stored {
		w.t.Fatalf("%v, %v", result, err)
	}
}

func (w *town) step() (more bool) {
	w.t.Helper()
	more, err := w.teller.Step(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return more
}

// settle steps until there is nothing more to do at once.
func (w *town) settle() {
	w.t.Helper()
	for range 200 {
		if !w.step() {
			return
		}
	}
	w.t.Fatal("there is always more to do")
}

// take returns the messages that a channel sends now, as it sends them.
func (w *town) take(channel int64) (all []notify.Message) {
	w.t.Helper()
	for {
		var d store.Dispatch
		err := w.db.Write(w.t.Context(), "test", func(tx *store.Tx) (err error) {
			if d, err = tx.TakeNotification(channel); err != nil {
				return err
			}
			return tx.NotificationDone(d, store.Attempt{})
		})
		if errors.Is(err, store.ErrNotFound) {
			return all
		}
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, d.Message)
	}
}

// told settles and returns kinds and titles of what the channel sends.
func (w *town) told() string {
	w.t.Helper()
	w.settle()
	said := []string{}
	for _, m := range w.take(w.channel) {
		said = append(said, string(m.Kind)+" "+m.Title())
	}
	return fmt.Sprint(said)
}

func (w *town) mustTell(want string) {
	w.t.Helper()
	if got := w.told(); got != want {
		w.t.Errorf("told %s, not %s", got, want)
	}
}

func (w *town) log() (lines []store.LoggedAlert) {
	w.t.Helper()
	storetest.MustRead(w.t, w.replica, func(rx *store.Rx) (err error) {
		lines, err = rx.AlertLog(w.project, 100)
		return err
	})
	return lines
}
