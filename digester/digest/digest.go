// Package digest turns queued messages into stored events.
//
// It exists to know the order of things, and nothing else knows it: receive,
// prepare, commit each event, barrier, delete. A message is deleted only after
// the barrier that makes its commit survive a power cut.
//
// Every message ends in one of three ways. Decided: stored, duplicate or dropped
// by a committed transaction; then it is deleted. Left: something failed that is
// about this message (a panic, a format too new); it comes back and in the end
// becomes a dead letter. Held: something failed that is not about the message
// (disk full, I/O error); digesting pauses, nothing is given up. A commit whose
// outcome is unknown is neither: Run ends, and the process with it.
package digest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/grouping"
	"sundew/digester/loop"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
	"sundew/schema/scrub"
)

// Queue is the receiving end of a queue with SQS's semantics. Deliveries may be
// repeated and come in any order. All methods are safe for concurrent use.
type Queue interface {
	// Receive returns up to max messages, waiting up to wait for the first. No
	// messages is not an error.
	Receive(ctx context.Context, max int, wait time.Duration) ([]queue.Message, error)
	// Extend keeps deliveries invisible for d from now, also beyond the time for
	// which they were received.
	Extend(ctx context.Context, receipts []string, d time.Duration) error
	// Delete removes messages for good.
	Delete(ctx context.Context, receipts []string) error
}

// Store is where messages are decided.
type Store interface {
	// DigestBatch commits messages, each in a transaction of its own, and returns an
	// outcome for each. After an error that is not about a message the ones behind it
	// may have been left out, with the same error.
	DigestBatch(ctx context.Context, ins []*store.Incoming) []store.Outcome
	// Barrier returns nil only when all that was committed before is on disk.
	Barrier(ctx context.Context) error
}

// Quotas decides, from memory, what is not stored of floods. It is called by many
// goroutines.
type Quotas interface {
	// Admit counts a message by when it was accepted and returns an empty text, or why
	// it is dropped: a word for the books and one for people. What is left in the queue,
	// or was decided before, is taken back with Forget.
	Admit(in *store.Incoming) (reason, detail string)
	Forget(in *store.Incoming)
	// Spike returns how many events a minute of one issue of a project are all stored;
	// 0: any number.
	Spike(event.ProjectID) int64
}

// Scripts finds source maps. It is called for every event of a minified script, by many
// goroutines, and answers from memory, or soon.
type Scripts interface {
	// Find returns what there is for scripts of a project. An error says that it cannot
	// be told now: their events are digested as they were sent, and looked at later.
	Find(ctx context.Context, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error)
}

// Config says how to digest.
type Config struct {
	Queue Queue
	Store Store
	Log   zerolog.Logger

	// Rules returns the fingerprint rules of a project. It is called for every event,
	// by many goroutines, and answers from memory. nil: no project has any.
	Rules func(event.ProjectID) grouping.Rules

	// Scrubber returns what takes secrets out of a project's events, likewise. The edge
	// has done so, by rules that may have been older. nil, and an answer of nil, is the
	// usual one.
	Scrubber func(event.ProjectID) *scrub.Scrubber

	// Scripts finds the source maps of events. nil: there are none.
	Scripts Scripts

	// Report is told of every batch when it is over; nil: nobody is. It must be quick.
	Report func(Report)

	// Quotas says what is not stored of floods. nil: everything is.
	Quotas Quotas

	// Active reports, from memory, whether a key may report to a project. It is asked
	// for messages that were accepted when the edge did not know their key: those of
	// active keys count towards quotas, all others are judged by the store and do not.
	// nil: no key is known.
	Active func(project event.ProjectID, key string) bool

	BatchSize int           // messages that share a barrier, at most; 0: 256
	Workers   int           // that prepare in parallel; 0: one a core
	Wait      time.Duration // of one receive; 0: 10 s
	HoldFor   time.Duration // how long received messages stay invisible, renewed while they are worked on; 0: 30 s
}

// Digester drains a queue into a store.
type Digester struct {
	cfg    Config
	prep   *preparer
	health health
	left   leftovers
}

// New returns a digester.
func New(cfg Config) (*Digester, error) {
	if cfg.Queue == nil || cfg.Store == nil {
		return nil, errors.New("digest: a queue and a store are needed")
	}
	if cfg.BatchSize == 0 {
		cfg.BatchSize = 256
	}
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Wait == 0 {
		cfg.Wait = 10 * time.Second
	}
	if cfg.HoldFor == 0 {
		cfg.HoldFor = 30 * time.Second
	}
	return &Digester{cfg: cfg, prep: newPreparer(cfg)}, nil
}

// batch is what one receive brought, on its way through the stages.
type batch struct {
	items   []item
	report  Report
	release context.CancelFunc // stops renewing its invisibility
}

// item is one message with what was made of it.
type item struct {
	receipt  string
	receives int    // how often it was delivered
	body     []byte // as it was received
	ready    *prepared
	err      error  // why nothing could be made of it; it is left
	outcome  string // one of the Outcome constants, once it is known
	counts   bool   // towards quotas
}

// Run digests until ctx is done; then it finishes the batches under way and
// returns nil. It returns an error only when the process has to end.
func (d *Digester) Run(ctx context.Context) error {
	// One batch is prepared while the one before it is committed.
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	batches := make(chan *batch, 1)
	go func() {
		defer close(batches)
		d.receive(receiving, batches)
	}()
	for b := range batches {
		if err := d.finish(ctx, b); err != nil {
			stop()
			for b := range batches { // what was received comes back
				b.release()
			}
			return err
		}
	}
	return nil
}

// receive fetches and prepares batches until ctx is done.
func (d *Digester) receive(ctx context.Context, batches chan<- *batch) {
	for failures := 0; ctx.Err() == nil; {
		messages, err := d.cfg.Queue.Receive(ctx, d.cfg.BatchSize, d.cfg.Wait)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			failures++
			d.health.receiveFailed(err)
			d.cfg.Log.Error().Err(err).Msg("receiving from the queue failed")
			loop.Pause(ctx, backoff(failures))
			continue
		}
		failures = 0
		d.health.received()
		if len(messages) == 0 {
			continue
		}
		b := d.prepare(ctx, messages)
		select {
		case batches <- b:
		case <-ctx.Done(): // not begun: they come back
			b.release()
		}
	}
}

// prepare makes a batch of messages, in parallel, and keeps it invisible until
// it is released.
func (d *Digester) prepare(ctx context.Context, messages []queue.Message) *batch {
	hold, release := context.WithCancel(context.WithoutCancel(ctx))
	b := &batch{items: make([]item, len(messages)), release: release, report: Report{Received: time.Now()}}
	receipts := make([]string, len(messages))
	for i, m := range messages {
		receipts[i] = m.Receipt
	}
	go d.keepInvisible(hold, receipts)

	next := make(chan int)
	var workers sync.WaitGroup
	for range min(d.cfg.Workers, len(messages)) {
		workers.Go(func() {
			for i := range next {
				ready, err := d.prep.prepareSafely(ctx, messages[i].Body)
				b.items[i] = item{receipt: messages[i].Receipt, receives: messages[i].Receives, body: messages[i].Body, ready: ready, err: err}
			}
		})
	}
	for i := range messages {
		next <- i
	}
	close(next)
	workers.Wait()
	b.report.Prepared = time.Now()
	return b
}

// keepInvisible renews the messages' invisibility until ctx is done.
func (d *Digester) keepInvisible(ctx context.Context, receipts []string) {
	loop.Every(ctx, d.cfg.HoldFor/3, func() {
		if err := d.cfg.Queue.Extend(ctx, receipts, d.cfg.HoldFor); err != nil && ctx.Err() == nil {
			d.cfg.Log.Warn().Err(err).Msg("a slow batch could not be kept invisible; its messages may be delivered twice, which is harmless")
		}
	})
}

// finish commits a batch, makes it durable and deletes it. ctx being done does
// not stop it, unless the store keeps failing.
func (d *Digester) finish(ctx context.Context, b *batch) error {
	defer b.release()
	began := time.Now()
	var tally Tally
	decided, left, err := d.decide(ctx, b.items, &tally)
	if err != nil {
		return err
	}
	b.report.Begun, b.report.Decided, b.report.Tally = began, time.Now(), tally
	if len(decided) > 0 {
		if err := d.barrier(ctx); err != nil {
			return err
		}
		b.report.Durable = time.Now()
		if err := d.cfg.Queue.Delete(context.WithoutCancel(ctx), decided); err != nil {
			// They come back and are recognised.
			d.cfg.Log.Warn().Err(err).Int("messages", len(decided)).Msg("deleting digested messages failed")
		}
	}
	b.release() // or what is left would be kept for less long again
	d.putOff(context.WithoutCancel(ctx), left)
	d.health.finished(tally)
	d.tell(b)
	d.cfg.Log.Info().Int("messages", len(b.items)).Int64("stored", tally.Stored).Int64("duplicate", tally.Duplicate).
		Int64("dropped", tally.Dropped).Int64("redelivered", tally.Redelivered).Int64("left", tally.Left).
		Dur("took", time.Since(began)).Msg("batch")
	return nil
}

// putOff keeps messages that are left invisible for a while that grows with each
// delivery: what does not pass within seconds may pass within the hour, and must
// not fill the queue with its repetitions meanwhile.
func (d *Digester) putOff(ctx context.Context, left []*item) {
	waits := make(map[time.Duration][]string)
	for _, it := range left {
		wait := queue.Backoff(d.cfg.HoldFor, it.receives)
		waits[wait] = append(waits[wait], it.receipt)
	}
	for wait, receipts := range waits {
		if err := d.cfg.Queue.Extend(ctx, receipts, wait); err != nil {
			d.cfg.Log.Warn().Err(err).Msg("messages that are left could not be put off; they come back sooner")
		}
	}
}

// decide commits messages and returns the receipts of those that are decided and
// the items that are left. It tries again for as long as the store takes no
// writes. An error ends the digester.
func (d *Digester) decide(ctx context.Context, items []item, tally *Tally) (decided []string, left []*item, err error) {
	todo := make([]*item, 0, len(items))
	for i := range items {
		if it := &items[i]; it.err == nil {
			todo = append(todo, it)
			continue
		}
		d.leave(&items[i], items[i].err, tally, "a message cannot be prepared; it is left in the queue")
		left = append(left, &items[i])
	}
	d.admit(todo)
	for failures := 0; len(todo) > 0; {
		ins := make([]*store.Incoming, len(todo))
		for i, it := range todo {
			ins[i] = &it.ready.in
		}
		var held []*item
		var why error
		for i, o := range d.cfg.Store.DigestBatch(context.WithoutCancel(ctx), ins) {
			it, kind := todo[i], store.KindOf(o.Err)
			switch {
			case o.Err == nil:
				it.outcome = tally.add(o.Result, ins[i].IsCounts)
				if o.Result == store.Redelivered {
					d.forget(it)
				}
				decided = append(decided, it.receipt)
			case kind == store.KindUnknown:
				return nil, nil, fmt.Errorf("digesting: %w", o.Err)
			case kind.Holds():
				held, why = append(held, it), o.Err
			default:
				d.forget(it)
				d.leave(it, o.Err, tally, "a message cannot be stored; it is left in the queue")
				left = append(left, it)
			}
		}
		if len(held) < len(todo) {
			failures = 0
			d.health.working()
		}
		if todo = held; len(todo) == 0 {
			break
		}
		failures++
		if !d.hold(ctx, why, failures) {
			return nil, nil, fmt.Errorf("digesting: %w", why)
		}
	}
	return decided, left, nil
}

// leave notes that a message is left in the queue.
func (d *Digester) leave(it *item, err error, tally *Tally, says string) {
	tally.Left++
	it.outcome = OutcomeLeft
	d.left.note(it.body, err)
	entry := d.cfg.Log.Error().Err(err)
	if it.ready != nil {
		entry = entry.Int64("project", int64(it.ready.in.Project))
	}
	entry.Msg(says)
}

func (d *Digester) barrier(ctx context.Context) error {
	if err := d.persist(ctx, d.cfg.Store.Barrier); err != nil {
		return fmt.Errorf("making a batch durable: %w", err)
	}
	return nil
}

// persist runs fn, and again for as long as it fails for reasons that pass, such as
// a full disk: digesting is held until it works or ctx is done.
func (d *Digester) persist(ctx context.Context, fn func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		err := fn(context.WithoutCancel(ctx))
		if !store.KindOf(err).Holds() {
			d.health.working()
			return err
		}
		if !d.hold(ctx, err, attempt) {
			return err
		}
	}
}

// hold pauses because the database takes no writes. It returns false when ctx is
// done.
func (d *Digester) hold(ctx context.Context, why error, attempt int) bool {
	d.health.held(why)
	d.cfg.Log.Error().Err(why).Int("attempt", attempt).Msg("digesting is held: the database does not take writes; the queue keeps everything")
	loop.Pause(ctx, backoff(attempt))
	return ctx.Err() == nil
}

// backoff grows from a tenth of a second to ten seconds.
func backoff(attempt int) time.Duration {
	return min(100*time.Millisecond<<min(attempt-1, 7), 10*time.Second)
}
