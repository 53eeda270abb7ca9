// Package late reads stored events again when source maps arrive behind them.
//
// It exists because builds upload their maps when they have time to: the first events
// of a release are often there before. Their frames become frames of the source, and
// they go to the issues of the source, so that in the end it does not matter which came
// first.
//
// Rules: it looks at the newest events of issues that were seen lately, and not at what
// the upload can hardly be about; it reads outside of transactions that write, writes
// little in each, and pauses longer than it works. It can be killed at any moment: what
// it has noted as done is done, and doing the rest again changes nothing.
package late

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/grouping"
	"sundew/digester/loop"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/digester/symbolicate/scripts"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// every is how often it looks for uploads.
	every = 2 * time.Second

	// afterError is how long it rests when the database does not answer.
	afterError = 10 * time.Second

	// usesEvery is how often it is noted which bundles helped.
	usesEvery = time.Minute

	// issuesRead is how many issues are read at once, dueRead how many events that
	// could not be read when they were digested.
	issuesRead = 200
	dueRead    = 500
)

// Scripts finds source maps, and forgets what it found before an upload.
type Scripts interface {
	Await(ctx context.Context, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error)
	Forget(event.ProjectID)
	TakeUses() []int64
}

// Config says what is read again, and where.
type Config struct {
	Replica *store.Replica // where it reads
	DB      *store.DB      // where it writes
	Scripts Scripts
	Rules   func(event.ProjectID) grouping.Rules // as the digest has them
	Since   time.Duration                        // how long ago an issue was last seen at most; 0: 30 days
	Events  int                                  // how many of an issue are looked at; 0: 1,000
	Now     func() time.Time                     // nil: time.Now
	Log     zerolog.Logger
}

// Reader reads events again.
type Reader struct {
	cfg   Config
	codec *wire.Codec

	known    bool  // whether seen was read from the database
	seen     int64 // up to which bundle, by its Published, events were looked at
	settling []settling
	damaged  map[int64]bool // events that this pass has told of
	pause    func(ctx context.Context, d time.Duration) error
}

// settling is an upload that events were looked at for, but for those that were under
// way then: they were read before the upload and stored after it was looked.
type settling struct {
	project   event.ProjectID
	published int64
	at        time.Time // when none can be under way any more
	after     int64     // the newest event that was looked at
}

// New returns a reader.
func New(cfg Config) *Reader {
	if cfg.Since == 0 {
		cfg.Since = 30 * 24 * time.Hour
	}
	if cfg.Events == 0 {
		cfg.Events = 1000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reader{cfg: cfg, codec: wire.NewCodec(), damaged: make(map[int64]bool), pause: loop.Pause}
}

// Run reads again until ctx is done.
func (l *Reader) Run(ctx context.Context) {
	noted := l.cfg.Now()
	for ctx.Err() == nil {
		wait := every
		if err := l.Step(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Log.Error().Err(err).Msg("reading events again behind source maps failed; it is tried again")
			wait = afterError
		}
		if now := l.cfg.Now(); now.Sub(noted) >= usesEvery {
			noted = now
			l.noteUses(ctx)
		}
		l.pause(ctx, wait)
	}
}

// Step does all that is to be done now.
func (l *Reader) Step(ctx context.Context) error {
	clear(l.damaged)
	if err := l.arrivals(ctx); err != nil {
		return err
	}
	if err := l.due(ctx); err != nil {
		return err
	}
	return l.settle(ctx)
}

// arrivals looks at events for bundles that have come.
func (l *Reader) arrivals(ctx context.Context) error {
	var bundles []store.Bundle
	var newest int64
	if err := l.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
		if !l.known {
			if l.seen, err = rx.SymbolsCursor(); err != nil {
				return err
			}
		}
		if bundles, err = rx.NewBundles(l.seen); err != nil || len(bundles) == 0 {
			return err
		}
		newest, err = rx.NewestEvent()
		return err
	}); err != nil {
		return err
	}
	l.known = true
	last := make(map[event.ProjectID]int64)
	for _, b := range bundles {
		last[b.Project] = b.Published
		l.cfg.Scripts.Forget(b.Project)
	}
	at := l.cfg.Now().Add(scripts.Settled)
	for _, b := range bundles { // in their order, each project once
		if last[b.Project] != b.Published {
			continue
		}
		if err := l.project(ctx, b.Project, 0); err != nil {
			return err
		}
	}
	for _, b := range bundles {
		if last[b.Project] == b.Published {
			l.settling = append(l.settling, settling{b.Project, b.Published, at, newest})
		}
		l.seen = b.Published
	}
	return nil
}

// settle looks at what was under way when bundles came, and notes that they are done
// with.
func (l *Reader) settle(ctx context.Context) error {
	for len(l.settling) > 0 && !l.cfg.Now().Before(l.settling[0].at) {
		s := l.settling[0]
		if err := l.project(ctx, s.project, s.after); err != nil {
			return err
		}
		if err := l.cfg.DB.Write(ctx, "source maps were looked at", func(tx *store.Tx) error { return tx.MoveSymbolsCursor(s.published) }); err != nil {
			return err
		}
		l.settling = l.settling[1:]
	}
	return nil
}

// due looks at events whose maps could not be asked when they were digested.
func (l *Reader) due(ctx context.Context) error {
	for {
		var issues map[int64][]int64
		if err := l.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			issues, err = rx.SymbolsDue(dueRead)
			return err
		}); err != nil || len(issues) == 0 {
			return err
		}
		for issue, events := range issues {
			if err := l.issue(ctx, issue, events); err != nil {
				return err
			}
		}
	}
}

// project looks at the issues of a project that have events behind one.
func (l *Reader) project(ctx context.Context, project event.ProjectID, after int64) error {
	since := l.cfg.Now().Add(-l.cfg.Since)
	for last := int64(0); ; {
		var issues []int64
		if err := l.cfg.Replica.Read(ctx, func(rx *store.Rx) (err error) {
			issues, err = rx.MappedIssues(project, since, last, issuesRead)
			return err
		}); err != nil || len(issues) == 0 {
			return err
		}
		for _, issue := range issues {
			if err := l.look(ctx, issue, after); err != nil {
				return err
			}
		}
		last = issues[len(issues)-1]
	}
}

// look looks at an issue, if something of it is to be done.
func (l *Reader) look(ctx context.Context, issue, after int64) error {
	began := time.Now()
	events, err := l.newest(ctx, issue)
	if err != nil || len(events) == 0 || events[len(events)-1].ID <= after {
		return err
	}
	worth, err := l.worth(ctx, issue, sample(events, after))
	if err == nil && worth {
		err = l.bring(ctx, issue, events, nil)
	}
	if err != nil {
		return err
	}
	return l.pause(ctx, 2*time.Since(began))
}

// noteUses notes which bundles helped.
func (l *Reader) noteUses(ctx context.Context) {
	ids := l.cfg.Scripts.TakeUses()
	if len(ids) == 0 {
		return
	}
	if err := l.cfg.DB.Write(ctx, "note used source maps", func(tx *store.Tx) error { return tx.NoteBundleUses(ids) }); err != nil && ctx.Err() == nil {
		l.cfg.Log.Warn().Err(err).Msg("which source maps are in use could not be noted; it is noted with their next use")
	}
}
