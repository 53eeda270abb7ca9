package deed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sundew/digester/notify"
	"sundew/digester/store"
	"sundew/digester/words"
)

const (
	// testPatience is how long who tests a channel waits for what comes of it, and
	// testLook how often is looked.
	testPatience = 8 * time.Second
	testLook     = 50 * time.Millisecond
)

// Channels is what is done with channels where somebody carries messages. The zero
// value: nobody does.
type Channels struct {
	CheckURL func(string) error // says why a channel's address cannot be called, as far as its text tells; nil: it can
	Courier  func()             // told that there are messages; nil: nobody is
}

// Add makes a channel of a project, and notes it; a webhook gets a secret. Like those
// below it asks nothing about who may, and returns *Unfit where what is typed will not
// do.
func (cs Channels) Add(tx *store.Tx, by By, p store.Project, c store.Channel) (store.Channel, error) {
	if c.Kind == notify.Webhook {
		c.Config.Secret = notify.NewSecret()
	}
	if err := cs.check(c); err != nil {
		return store.Channel{}, err
	}
	made, err := tx.AddChannel(p.ID, c)
	return made, noteChannel(tx, by, p, made, "add", err)
}

// Change makes a channel what was typed; secrets that were not typed stay.
func (cs Channels) Change(tx *store.Tx, by By, p store.Project, saved, typed store.Channel) error {
	c := typed
	c.ID, c.Project, c.Kind, c.Config = saved.ID, saved.Project, saved.Kind, typed.Config.Keep(saved.Config)
	if err := cs.check(c); err != nil {
		return err
	}
	if err := tx.ChangeChannel(c); err != nil {
		return unfitChannel(err)
	}
	cs.call(tx) // what waits is tried at once
	return noteChannel(tx, by, p, c, "change", nil)
}

// SwitchChannel switches a channel on or off.
func SwitchChannel(tx *store.Tx, by By, p store.Project, c store.Channel, on bool) error {
	return noteChannel(tx, by, p, c, switched(on), tx.SetChannelEnabled(p.ID, c.ID, on))
}

// DeleteChannel deletes a channel with all that it sent and was to send.
func DeleteChannel(tx *store.Tx, by By, p store.Project, c store.Channel) error {
	return noteChannel(tx, by, p, c, "delete", tx.DeleteChannel(p.ID, c.ID))
}

// RenewChannelSecret gives a webhook another secret and returns the channel with it.
// store.ErrNotFound: the channel is of a kind that has none.
func RenewChannelSecret(tx *store.Tx, by By, p store.Project, c store.Channel) (store.Channel, error) {
	if c.Kind != notify.Webhook {
		return c, store.ErrNotFound
	}
	c.Config.Secret = notify.NewSecret()
	return c, noteChannel(tx, by, p, c, "secret", tx.ChangeChannel(c))
}

// Retry has a message tried again that was given up.
func (cs Channels) Retry(tx *store.Tx, by By, p store.Project, c store.Channel, message int64) error {
	err := tx.RetryNotification(c.ID, message)
	cs.call(tx)
	return noteChannel(tx, by, p, c, "retry", err)
}

// Test queues a test message, with links to a project's issues and to where the
// channel is set up, and returns its rows; none if the channel is switched off, or
// gets far too many.
func (cs Channels) Test(tx *store.Tx, by By, p store.Project, c store.Channel, issues, settings string) ([]int64, error) {
	sent, err := tx.QueueTest(c.ID, notify.Message{Project: notify.Project{ID: p.ID, Name: p.Name, URL: issues}, At: tx.Now(), SettingsURL: settings})
	cs.call(tx)
	return sent, noteChannel(tx, by, p, c, "test", err)
}

// Await waits, outside of any transaction, until messages are sent or given up, or
// patience ends.
func (cs Channels) Await(ctx context.Context, replica *store.Replica, messages []int64) error {
	waiting, cancel := context.WithTimeout(ctx, testPatience)
	defer cancel()
	ticker := time.NewTicker(testLook)
	defer ticker.Stop()
	for len(messages) > 0 && cs.Courier != nil {
		var waits bool
		err := replica.Read(ctx, func(rx *store.Rx) (err error) {
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

// call says that there are messages to send, when the transaction is committed.
func (cs Channels) call(tx *store.Tx) {
	if cs.Courier != nil {
		tx.OnCommit(cs.Courier)
	}
}

// check returns *Unfit if a channel's address is known not to be callable. What else is
// wrong with it the store says.
func (cs Channels) check(c store.Channel) error {
	clean, err := c.Config.Clean(c.Kind)
	if err != nil {
		return unfitChannel(err)
	}
	if !c.Kind.HasURL() || cs.CheckURL == nil {
		return nil
	}
	if err := cs.CheckURL(clean.URL); err != nil {
		return Cannot(fmt.Sprintf("This address cannot be called: %s. The operator of this installation can allow networks of your own with SUNDEW_ALLOW_NETWORKS.", err))
	}
	return nil
}

func unfitChannel(err error) error {
	if errors.Is(err, notify.ErrConfig) || errors.Is(err, store.ErrInvalid) {
		return Cannot(words.Sentence(err.Error()))
	}
	return err
}

// noteChannel notes what was done with a channel unless it failed.
func noteChannel(tx *store.Tx, by By, p store.Project, c store.Channel, what string, err error) error {
	if err != nil {
		return unfitChannel(err)
	}
	return by.setting(tx, p, "channel."+what, c.Kind.Name()+" “"+c.Name+"”")
}
