package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// outlet is a project with one channel, and a clock.
type outlet struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	now     time.Time
	channel store.Channel
}

func newOutlet(t *testing.T, c store.Channel) *outlet {
	t.Helper()
	o := &outlet{t: t, now: time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)}
	o.db, o.replica = storetest.Open(t, func() time.Time { return o.now })
	o.furnish(c)
	return o
}

// furnish makes the project and its channel.
func (o *outlet) furnish(c store.Channel) {
	o.t.Helper()
	p := storetest.MustCreateProject(o.t, o.db, "Web shop", "0123456789abcdef0123456789abcdef")
	o.write(func(tx *store.Tx) (err error) {
		o.channel, err = tx.AddChannel(p.ID, c)
		return err
	})
}

// hook is a channel that needs nothing but an address.
func hook() store.Channel {
	return store.Channel{Kind: notify.Slack, Name: "Team room", Config: notify.Config{URL: "https://hooks.example.com/a"}}
}

func (o *outlet) write(fn func(tx *store.Tx) error) {
	o.t.Helper()
	if err := o.db.Write(o.t.Context(), "test", fn); err != nil {
		o.t.Fatal(err)
	}
}

func (o *outlet) queue(title string) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error {
		return tx.QueueNotification(o.channel.ID, notify.Message{Kind: notify.KindNew, Issue: notify.Issue{ID: 1, Title: title}})
	})
}

// take returns what is taken, nil if nothing is due.
func (o *outlet) take() *store.Dispatch {
	o.t.Helper()
	var d *store.Dispatch
	o.write(func(tx *store.Tx) error {
		taken, err := tx.TakeNotification(o.channel.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		d = &taken
		return err
	})
	return d
}

func (o *outlet) mustTake(title string) store.Dispatch {
	o.t.Helper()
	d := o.take()
	if d == nil || d.Message.Title() != title {
		o.t.Fatalf("took %+v, want %q", d, title)
	}
	return *d
}

func (o *outlet) done(d store.Dispatch, a store.Attempt) {
	o.t.Helper()
	o.write(func(tx *store.Tx) error { return tx.NotificationDone(d, a) })
}

// list returns state and title of what the channel has, the newest first.
func (o *outlet) list() (all []string) {
	o.t.Helper()
	storetest.MustRead(o.t, o.replica, func(rx *store.Rx) error {
		ns, err := rx.Notifications(o.channel.ID, 1000)
		for _, n := range ns {
			all = append(all, fmt.Sprintf("%s %s %s", n.State(), n.Title, n.Error))
		}
		return err
	})
	return all
}

func (o *outlet) state() (c store.Channel) {
	o.t.Helper()
	storetest.MustRead(o.t, o.replica, func(rx *store.Rx) (err error) {
		c, err = rx.Channel(o.channel.Project, o.channel.ID)
		return err
	})
	return c
}

// due returns how long the channel has nothing to send.
func (o *outlet) due() time.Duration {
	o.t.Helper()
	var due []store.DueChannel
	storetest.MustRead(o.t, o.replica, func(rx *store.Rx) (err error) {
		due, err = rx.DueChannels()
		return err
	})
	if len(due) != 1 || due[0].ID != o.channel.ID {
		o.t.Fatalf("due are %v", due)
	}
	return due[0].At.Sub(o.now)
}

// A message goes out once; one that is taken and never heard of again goes out once
// more, and a late word of the first attempt changes nothing.
func TestNotificationLease(t *testing.T) {
	o := newOutlet(t, hook())
	o.queue("a")
	first := o.mustTake("a")
	if d := o.take(); d != nil {
		t.Errorf("it was taken twice: %+v", d)
	}
	o.now = o.now.Add(time.Minute)
	second := o.mustTake("a")
	o.done(first, store.Attempt{Failure: "late", Final: true})
	if diff := cmp.Diff([]string{"waiting a "}, o.list()); diff != "" {
		t.Error(diff)
	}
	o.done(second, store.Attempt{})
	if diff := cmp.Diff([]string{"sent a "}, o.list()); diff != "" {
		t.Error(diff)
	}
	if c := o.state(); !c.SucceededAt.Equal(o.now) || c.Waiting != 0 {
		t.Errorf("channel %+v", c)
	}
}

// A channel that does not take one message is not given the next: it pauses longer
// with each failure, as long as the service asks. Then comes what was tried least. What
// is a day old is given up after an attempt of its own, and not for another's failure.
func TestNotificationPauses(t *testing.T) {
	o := newOutlet(t, hook())
	o.queue("a")
	o.queue("b")
	o.queue("c")
	for i, want := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		o.done(o.mustTake([]string{"a", "b", "c"}[i]), store.Attempt{Failure: "busy"})
		if d := o.take(); d != nil {
			t.Fatalf("taken in a pause: %+v", d)
		}
		if got := o.due(); got != want {
			t.Errorf("pause %s, want %s", got, want)
		}
		o.now = o.now.Add(want)
	}
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy", Pause: 40 * time.Minute})
	if got := o.due(); got != 40*time.Minute {
		t.Errorf("asked for 40 minutes, got %s", got)
	}
	o.queue("d")
	o.queue("e")
	o.now = o.now.Add(40 * time.Minute)
	o.done(o.mustTake("d"), store.Attempt{Failure: "busy", Pause: 90 * time.Hour})
	if got := o.due(); got != time.Hour {
		t.Errorf("asked for 90 hours, got %s", got)
	}
	o.now = o.now.Add(25 * time.Hour)
	o.queue("f")
	o.done(o.mustTake("e"), store.Attempt{Failure: "still busy"})
	if diff := cmp.Diff([]string{"waiting f ", "failed e still busy", "failed d busy", "failed c busy", "failed b busy", "failed a busy"}, o.list()); diff != "" {
		t.Error(diff)
	}
	o.now = o.now.Add(time.Hour)
	o.done(o.mustTake("f"), store.Attempt{})
	o.write(func(tx *store.Tx) error {
		all, err := tx.Notifications(o.channel.ID, 10)
		if err != nil {
			return err
		}
		return tx.RetryNotification(o.channel.ID, all[4].ID)
	})
	o.done(o.mustTake("b"), store.Attempt{})
	if diff := cmp.Diff("sent b ", o.list()[4]); diff != "" {
		t.Error(diff)
	}
}

// What expired without any attempt of its own is not given up for what became of
// others, be it that the channel was held all the time.
func TestNotificationExpiresUntried(t *testing.T) {
	o := newOutlet(t, hook())
	o.queue("a")
	o.queue("b")
	o.now = o.now.Add(48 * time.Hour)
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy"})
	if diff := cmp.Diff([]string{"waiting b ", "failed a busy"}, o.list()); diff != "" {
		t.Error(diff)
	}
	o.now = o.now.Add(time.Hour)
	o.done(o.mustTake("b"), store.Attempt{Failure: "away"})
	if diff := cmp.Diff([]string{"failed b away", "failed a busy"}, o.list()); diff != "" {
		t.Error(diff)
	}
}

// An address that a mail server does not take now holds up no other address of the
// channel, pauses longer each time, and what was for it goes with it.
func TestNotificationOfBadRecipient(t *testing.T) {
	o := newOutlet(t, store.Channel{Kind: notify.Mail, Name: "People", Config: notify.Config{Addresses: []string{"full@example.com", "ada@example.com"}}})
	o.queue("a")
	busy := store.Attempt{Failure: "mailbox full", OfRecipient: true}
	o.done(o.mustTake("a"), busy)
	d := o.mustTake("a")
	if d.Recipient != "ada@example.com" {
		t.Fatalf("to %q", d.Recipient)
	}
	o.done(d, store.Attempt{})
	for _, want := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute} {
		if got := o.due(); got != want || o.take() != nil {
			t.Errorf("due in %s, want %s", got, want)
		}
		o.now = o.now.Add(want)
		o.done(o.mustTake("a"), busy)
	}
	o.queue("b")
	o.write(func(tx *store.Tx) error {
		c := o.state()
		c.Config.Addresses = []string{"ada@example.com", "grace@example.com"}
		return tx.ChangeChannel(c)
	})
	const removed = "the address was removed from the channel"
	if diff := cmp.Diff([]string{"waiting b ", "failed b " + removed, "sent a ", "failed a " + removed}, o.list()); diff != "" {
		t.Error(diff)
	}
}

// A test goes before what waits, in a pause too, and is tried once.
func TestNotificationTest(t *testing.T) {
	o := newOutlet(t, hook())
	o.queue("a")
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy"})
	var ids []int64
	test := func() {
		o.write(func(tx *store.Tx) (err error) {
			ids, err = tx.QueueTest(o.channel.ID, notify.Message{})
			return err
		})
	}
	waits := func() (is bool) {
		storetest.MustRead(t, o.replica, func(rx *store.Rx) (err error) {
			is, err = rx.NotificationWaits(ids)
			return err
		})
		return is
	}
	test()
	if got := o.due(); got != 0 || !waits() {
		t.Errorf("due in %s", got)
	}
	o.done(o.mustTake("Test message"), store.Attempt{Failure: "busy"})
	if got := o.due(); got != 10*time.Second || waits() {
		t.Errorf("due in %s", got)
	}
	test()
	o.done(o.mustTake("Test message"), store.Attempt{})
	o.mustTake("a") // the channel works again, though its pause is not over
}

// What is too much is counted, and the next message tells of it; if that is given up,
// the next but one does.
func TestNotificationsLeftOut(t *testing.T) {
	o := newOutlet(t, hook())
	for i := range 103 {
		o.queue(fmt.Sprint(i))
	}
	if c := o.state(); c.Waiting != 100 || c.LeftOut != 3 {
		t.Errorf("%d wait, %d are left out", c.Waiting, c.LeftOut)
	}
	d := o.mustTake("0")
	if d.LeftOut != 3 {
		t.Errorf("the first tells of %d", d.LeftOut)
	}
	o.done(d, store.Attempt{Failure: "no", Final: true})
	if d = o.mustTake("1"); d.LeftOut != 3 {
		t.Errorf("the second tells of %d", d.LeftOut)
	}
	o.done(d, store.Attempt{})
	if d = o.mustTake("2"); d.LeftOut != 0 {
		t.Errorf("the third tells of %d", d.LeftOut)
	}
}

// Each address of a mail channel has a row of its own. A channel that is switched off
// takes nothing, and what waited for it is given up.
func TestNotificationRecipients(t *testing.T) {
	o := newOutlet(t, store.Channel{Kind: notify.Mail, Name: "People", Config: notify.Config{Addresses: []string{"ada@example.com", "grace@example.com"}}})
	o.queue("a")
	if d := o.mustTake("a"); d.Recipient != "ada@example.com" {
		t.Errorf("to %q", d.Recipient)
	}
	if d := o.mustTake("a"); d.Recipient != "grace@example.com" {
		t.Errorf("to %q", d.Recipient)
	}
	o.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(o.channel.Project, o.channel.ID, false) })
	o.queue("b")
	if diff := cmp.Diff([]string{"failed a the channel was switched off", "failed a the channel was switched off"}, o.list()); diff != "" {
		t.Error(diff)
	}
	o.write(func(tx *store.Tx) error { return tx.DeleteChannel(o.channel.Project, o.channel.ID) })
	err := o.db.Write(t.Context(), "test", func(tx *store.Tx) error { return tx.QueueNotification(o.channel.ID, notify.Message{}) })
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a channel that is gone: %v", err)
	}
}

// An installation knows of channels that fail and of what was given up lately, but not
// of what somebody wished to be given up.
func TestChannelsState(t *testing.T) {
	o := newOutlet(t, hook())
	check := func(what string, want store.ChannelsState) {
		t.Helper()
		storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
			got, err := rx.ChannelsState(o.now)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			return err
		})
	}
	enable := func(on bool) {
		o.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(o.channel.Project, o.channel.ID, on) })
	}
	check("at first", store.ChannelsState{})
	start := o.now
	o.queue("a")
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy"})
	check("held", store.ChannelsState{Failing: 1, Waiting: 1, Oldest: start})
	o.now = o.now.Add(50 * time.Hour)
	o.done(o.mustTake("a"), store.Attempt{Failure: "busy"})
	check("given up", store.ChannelsState{Failing: 1, GivenUp: 1})
	o.now = o.now.Add(23 * time.Hour)
	check("lately", store.ChannelsState{Failing: 1, GivenUp: 1})
	o.write(func(tx *store.Tx) error { return tx.RetryNotification(o.channel.ID, 1) })
	check("again", store.ChannelsState{Failing: 1, Waiting: 1, Oldest: o.now})
	o.done(o.mustTake("a"), store.Attempt{Failure: "no", Final: true})
	o.queue("b")
	enable(false)
	check("off", store.ChannelsState{})
	enable(true)
	check("on", store.ChannelsState{Failing: 1, GivenUp: 1})
	o.queue("c")
	o.done(o.mustTake("c"), store.Attempt{})
	check("taken", store.ChannelsState{GivenUp: 1})
	o.now = o.now.Add(25 * time.Hour)
	check("a day later", store.ChannelsState{})
}

// What was sent is known for a month.
func TestPurgeNotifications(t *testing.T) {
	o := newOutlet(t, hook())
	o.queue("old")
	o.done(o.mustTake("old"), store.Attempt{})
	o.now = o.now.Add(29 * 24 * time.Hour)
	o.queue("new")
	o.write((*store.Tx).PurgeNotifications)
	if n := len(o.list()); n != 2 {
		t.Errorf("%d are left after 29 days", n)
	}
	o.now = o.now.Add(48 * time.Hour)
	o.write((*store.Tx).PurgeNotifications)
	if diff := cmp.Diff([]string{"waiting new "}, o.list()); diff != "" {
		t.Error(diff)
	}
}

// What was told of an issue goes with the issue: its title is in it.
func TestNotificationsOfDeletedIssue(t *testing.T) {
	p := newPerson(t, 1)
	p.sees("a", "", "", "")
	p.sees("b", "", "", "")
	var channel store.Channel
	mustWrite(t, p.db, func(tx *store.Tx) (err error) {
		channel, err = tx.AddChannel(p.project, hook())
		for id := int64(1); id <= 2 && err == nil; id++ {
			err = tx.QueueNotification(channel.ID, notify.Message{Kind: notify.KindNew, Issue: notify.Issue{ID: id, Title: "x"}})
		}
		return err
	})
	p.do(func(tx *store.Tx) ([]int64, error) { return tx.DeleteIssues([]int64{1}, 0) })
	p.now = p.now.Add(store.DeletionUndo)
	p.removeAll()
	storetest.MustRead(t, p.replica, func(rx *store.Rx) error {
		left, err := rx.Notifications(channel.ID, 10)
		if len(left) != 1 || left[0].Issue != 2 {
			t.Errorf("left are %+v", left)
		}
		return err
	})
}

// A hundred messages may wait, however many people each goes to.
func TestNotificationsWaitByMessage(t *testing.T) {
	o := newOutlet(t, store.Channel{Kind: notify.Mail, Name: "People", Config: notify.Config{Addresses: []string{"ada@example.com", "grace@example.com", "alan@example.com"}}})
	summary := func() (putOff bool) {
		o.write(func(tx *store.Tx) (err error) {
			putOff, err = tx.QueueSummary(o.channel.ID, notify.Message{Kind: notify.KindStorm})
			return err
		})
		return putOff
	}
	for range 99 {
		o.queue("a")
	}
	if summary() {
		t.Error("a summary finds no room behind 99")
	}
	o.queue("b")
	if !summary() {
		t.Error("a summary is not put off behind 100")
	}
	storetest.MustRead(t, o.replica, func(rx *store.Rx) error {
		c, err := rx.Channel(o.channel.Project, o.channel.ID)
		if c.Waiting != 300 || c.LeftOut != 1 {
			t.Errorf("%d rows wait and %d messages are left out", c.Waiting, c.LeftOut)
		}
		return err
	})
	o.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(o.channel.Project, o.channel.ID, false) })
	if summary() {
		t.Error("a summary for nobody is put off")
	}
}
