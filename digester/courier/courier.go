// Package courier brings messages from the outbox of channels to where they go.
//
// It exists so that nothing that makes a message waits for a service on the internet:
// a message is a row (store.QueueNotification), and a Courier sends it after the commit,
// as often as it takes. One channel is given one message at a time, in order, and
// several channels are served at once, so that one that is slow or down holds up no
// other. Delivery is at least once: if the process dies between a service's answer and
// the note of it, or the answer is lost, the message goes out again, under the same id
// where the service takes one. None is lost silently: what no attempt brought through
// stays in the outbox for a month, and says why.
package courier

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/mail"
	"sundew/digester/notify"
	"sundew/digester/outbound"
	"sundew/digester/store"
)

// Config says what a courier carries and how.
type Config struct {
	DB       *store.DB
	Replica  *store.Replica
	Client   *outbound.Client
	Mail     mail.Server      // without a host there is none
	From     string           // whom mail is from
	Services notify.Services  // zero: the real ones
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
}

const (
	// lookEvery is how often the outbox is looked into if nobody calls.
	lookEvery = 30 * time.Second

	// pauseAfterTrouble is how long the database is left alone after an error.
	pauseAfterTrouble = 5 * time.Second

	// channelsAtOnce is how many channels are served at a time.
	channelsAtOnce = 16

	// lastWords is for how long a message under way may go on when the courier has to
	// stop: one that is broken off may go out twice.
	lastWords = 5 * time.Second

	// purgeEvery is how often old messages are removed.
	purgeEvery = time.Hour
)

// Courier carries messages.
type Courier struct {
	cfg     Config
	call    chan struct{}
	workers sync.WaitGroup
	purged  time.Time // owned by Run's goroutine

	mu   sync.Mutex
	busy map[int64]bool // channels that are being served; guarded by mu
}

// New returns a courier who works as soon as Run is called.
func New(cfg Config) *Courier {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Services == (notify.Services{}) {
		cfg.Services = notify.DefaultServices()
	}
	return &Courier{cfg: cfg, call: make(chan struct{}, 1), busy: make(map[int64]bool)}
}

// Call says that there is a message. It never waits, and is safe for concurrent use.
func (c *Courier) Call() {
	select {
	case c.call <- struct{}{}:
	default: // he looks anyway
	}
}

// Run carries messages until ctx is done, and ends those that are under way.
func (c *Courier) Run(ctx context.Context) {
	defer c.workers.Wait()
	for ctx.Err() == nil {
		pause, err := c.round(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.cfg.Log.Error().Err(err).Msg("the outbox of channels could not be read; it is tried again")
			}
			pause = pauseAfterTrouble
		}
		timer := time.NewTimer(pause)
		select {
		case <-c.call:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// round begins to serve each channel that is due and not being served, and returns how
// long there is nothing more to begin.
func (c *Courier) round(ctx context.Context) (time.Duration, error) {
	if err := c.purge(ctx); err != nil {
		return 0, err
	}
	var due []store.DueChannel
	err := c.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		due, err = rx.DueChannels()
		return err
	})
	if err != nil {
		return 0, err
	}
	pause := lookEvery
	for _, d := range due {
		if wait := d.At.Sub(c.cfg.Now()); wait > 0 {
			pause = min(pause, wait)
			continue
		}
		if c.begin(d.ID) {
			c.workers.Go(func() { c.serve(ctx, d.ID) })
		}
	}
	return pause, nil
}

func (c *Courier) purge(ctx context.Context) error {
	if now := c.cfg.Now(); now.Sub(c.purged) >= purgeEvery {
		if err := c.cfg.DB.Write(ctx, "remove old notifications", (*store.Tx).PurgeNotifications); err != nil {
			return err
		}
		c.purged = now
	}
	return nil
}

// begin reports whether a channel may be served now. Whoever serves it calls end.
func (c *Courier) begin(channel int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[channel] || len(c.busy) >= channelsAtOnce {
		return false
	}
	c.busy[channel] = true
	return true
}

// end takes back what begin noted. He looks again if something was sent, since there
// may be more of it by now, or if others had to wait; not always, or a replica that is
// behind would keep him turning.
func (c *Courier) end(channel int64, sent bool) {
	c.mu.Lock()
	full := len(c.busy) >= channelsAtOnce
	delete(c.busy, channel)
	c.mu.Unlock()
	if sent || full {
		c.Call()
	}
}

// serve sends a channel's messages until none is due.
func (c *Courier) serve(ctx context.Context, channel int64) {
	sent := false
	defer func() { c.end(channel, sent) }()
	for ctx.Err() == nil {
		more, err := c.carry(ctx, channel)
		if err != nil {
			if ctx.Err() == nil {
				c.cfg.Log.Error().Err(err).Int64("channel", channel).Msg("a channel's messages could not be worked through; it is tried again")
				loop.Pause(ctx, pauseAfterTrouble)
			}
			return
		}
		if !more {
			return
		}
		sent = true
	}
}

// carry makes one attempt at a channel's next message; it returns false if there is
// none. What a service says is no error of carry's: it stands in the outbox.
func (c *Courier) carry(ctx context.Context, channel int64) (bool, error) {
	var d store.Dispatch
	err := c.cfg.DB.Write(ctx, "take notification", func(tx *store.Tx) (err error) {
		d, err = tx.TakeNotification(channel)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sending, stop := untilLastWords(ctx)
	defer stop()
	attempt, class := c.send(sending, d)
	if attempt.Failure != "" {
		if sending.Err() != nil {
			return false, nil // nobody knows; it is due again by itself
		}
		c.cfg.Log.Warn().Str("failure", class).Int64("channel", channel).Int64("notification", d.ID).Msg("a message was not taken")
	}
	err = c.cfg.DB.Write(context.WithoutCancel(ctx), "notification carried", func(tx *store.Tx) error {
		return tx.NotificationDone(d, attempt)
	})
	return true, err
}

// untilLastWords returns a context that ends some time after ctx.
func untilLastWords(ctx context.Context) (context.Context, func()) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		loop.Pause(sending, lastWords)
		cancel()
	})
	return sending, func() {
		stop()
		cancel()
	}
}
