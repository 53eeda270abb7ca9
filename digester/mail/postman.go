package mail

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
)

// Config says what a postman carries and where to.
type Config struct {
	DB      *store.DB
	Replica *store.Replica
	Server  Server
	From    string           // as ParseFrom returns it
	Now     func() time.Time // nil: time.Now
	Log     zerolog.Logger

	// Address returns where a link with a secret leads.
	Address func(kind store.LinkKind, secret string) string
}

const (
	// lookEvery is how often the outbox is looked into if nobody calls: what was
	// written by another process, or is due again.
	lookEvery = 30 * time.Second

	// pauseAfterTrouble is how long the database is left alone after an error.
	pauseAfterTrouble = 5 * time.Second
)

// Postman brings what is in the outbox to a mail server, one mail at a time.
type Postman struct {
	cfg  Config
	call chan struct{}
}

// NewPostman returns a postman who works as soon as Run is called.
func NewPostman(cfg Config) *Postman {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Postman{cfg: cfg, call: make(chan struct{}, 1)}
}

// Call says that there is mail. It never waits, and is safe for concurrent use.
func (p *Postman) Call() {
	select {
	case p.call <- struct{}{}:
	default: // he is on his way already
	}
}

// Run carries mail until ctx is done.
func (p *Postman) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pause, err := p.round(ctx)
		if err != nil {
			if ctx.Err() == nil {
				p.cfg.Log.Error().Err(err).Msg("the outbox could not be worked through; it is tried again")
			}
			pause = pauseAfterTrouble
		}
		timer := time.NewTimer(pause)
		select {
		case <-p.call:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// round carries what is due and returns how long there is nothing to do.
func (p *Postman) round(ctx context.Context) (time.Duration, error) {
	for {
		var due time.Time
		err := p.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			due, err = rx.NextMail()
			return err
		})
		if err != nil {
			return 0, err
		}
		if wait := due.Sub(p.cfg.Now()); due.IsZero() || wait > 0 {
			if due.IsZero() {
				wait = lookEvery
			}
			return min(wait, lookEvery), nil
		}
		if err := p.carry(ctx); err != nil {
			return 0, err
		}
	}
}

// carry makes one attempt at one mail. What a server says is no error of carry's: it
// stands in the outbox.
func (p *Postman) carry(ctx context.Context) error {
	var taken []store.Posting
	err := p.cfg.DB.Write(ctx, "take mail", func(tx *store.Tx) (err error) {
		taken, err = tx.TakeMail(1)
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range taken {
		failure := p.cfg.Server.Send(ctx, p.letter(m))
		if failure != nil && ctx.Err() != nil {
			return ctx.Err() // it is due again by itself
		}
		if failure != nil {
			p.cfg.Log.Warn().Str("failure", Class(failure)).Int64("mail", m.ID).Msg("a mail was not taken")
		}
		err := p.cfg.DB.Write(ctx, "mail carried", func(tx *store.Tx) error {
			return tx.MailDone(m.ID, failure, errors.Is(failure, ErrRefused))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// letter puts a mail's parts together.
func (p *Postman) letter(m store.Posting) Letter {
	text := m.Text
	if m.LinkKind != "" {
		text += "\n\n" + p.cfg.Address(m.LinkKind, m.Secret)
	}
	if m.After != "" {
		text += "\n\n" + m.After
	}
	return Letter{From: p.cfg.From, To: m.To, Subject: m.Subject, Text: text + "\n", Date: p.cfg.Now()}
}
