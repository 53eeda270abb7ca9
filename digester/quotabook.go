package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/quota"
)

const (
	// quotasEvery is how often limits are read again: so long a limit that was raised
	// still holds.
	quotasEvery = time.Second

	// quotasSavedEvery is how often what was counted is written down. What a process
	// that is killed accepted since is known by its queue, and counted as of the next
	// start.
	quotasSavedEvery = 5 * time.Second
)

// quotaBook counts what is accepted and knows what may be. There are two counts. The
// one of what was accepted is what this process's edge stops by: it takes from it
// before it sends, so that it is exact, whatever becomes of the queue; messages of
// edges elsewhere are added when they come in. The other one is of what is digested,
// by when it was accepted: what several copies of an edge let through together, or
// what waited when a limit was lowered, is dropped by it.
type quotaBook struct {
	db      *store.DB
	replica *store.Replica
	log     zerolog.Logger
	now     func() time.Time
	ever    func(context.Context) (map[event.ProjectID]int64, error) // messages that the queue ever accepted
	usual   int64                                                    // what store.UsualSpike stands for

	accepted *quota.Meter
	digested *quota.Meter
	spikes   atomic.Pointer[map[event.ProjectID]int64] // that are set
}

// newQuotaBook returns a book without limits; ever says how many messages of each
// project the queue has ever accepted.
func newQuotaBook(usual int64, ever func(context.Context) (map[event.ProjectID]int64, error), log zerolog.Logger) *quotaBook {
	return &quotaBook{now: time.Now, ever: ever, log: log, usual: usual, accepted: quota.NewMeter(), digested: quota.NewMeter()}
}

// open reads what was counted before this process, and the limits. Until then there are
// none; what the queue accepts meanwhile is counted now.
func (b *quotaBook) open(ctx context.Context, db *store.DB, replica *store.Replica) error {
	b.db, b.replica = db, replica
	var records map[event.ProjectID]store.QuotaRecord
	err := b.replica.Read(ctx, func(rx *store.Rx) (err error) {
		records, err = rx.QuotaRecords()
		return err
	})
	if err != nil {
		return err
	}
	ever, err := b.acceptedEver(ctx)
	if err != nil {
		return err
	}
	for project, r := range records {
		b.accepted.Load(project, r.Counted)
		// Of what class they are the queue does not know; nearly all are events.
		if n := ever[project] - r.Accepted; n > 0 {
			b.accepted.Recall(project, quota.Events, b.now(), n)
		}
	}
	if err := b.refresh(ctx); err != nil {
		return err
	}
	b.trySave(ctx)
	return nil
}

// refresh reads the limits.
func (b *quotaBook) refresh(ctx context.Context) error {
	var set map[event.ProjectID]store.Quotas
	err := b.replica.Read(ctx, func(rx *store.Rx) (err error) {
		set, err = rx.AllQuotas()
		return err
	})
	if err != nil {
		return err
	}
	var all []quota.Quota
	spikes := make(map[event.ProjectID]int64)
	for project, q := range set {
		all = append(all, q.Limits.Quotas(project)...)
		if q.Spike != store.UsualSpike {
			spikes[project] = q.Spike
		}
	}
	b.accepted.Set(all, time.Time{})
	b.digested.Set(all, time.Time{})
	b.spikes.Store(&spikes)
	return nil
}

// acceptedEver returns how many messages the queue ever accepted of each project, and
// of the installation.
func (b *quotaBook) acceptedEver(ctx context.Context) (map[event.ProjectID]int64, error) {
	ever, err := b.ever(ctx)
	if err != nil {
		return nil, err
	}
	delete(ever, quota.Installation) // messages of counts, which are of no project
	var all int64
	for _, n := range ever {
		all += n
	}
	ever[quota.Installation] = all
	return ever, nil
}

// save writes down what was accepted by projects with limits. The queue is asked
// first: what comes meanwhile is counted twice rather than not at all.
func (b *quotaBook) save(ctx context.Context) error {
	if !b.accepted.HasChanged() {
		return nil
	}
	ever, err := b.acceptedEver(ctx)
	if err != nil {
		return err
	}
	changed := b.accepted.Changed()
	records := make(map[event.ProjectID]store.QuotaRecord, len(changed))
	for project, counted := range changed {
		records[project] = store.QuotaRecord{Counted: counted, Accepted: ever[project]}
	}
	err = b.db.Write(ctx, "quotas", func(tx *store.Tx) error { return tx.SaveQuotaRecords(records) })
	if err != nil {
		b.accepted.Again(changed)
	}
	return err
}

// run keeps limits and records fresh until ctx is done, and writes down the last ones.
func (b *quotaBook) run(ctx context.Context) {
	saved := b.now()
	loop.Every(ctx, quotasEvery, func() {
		if err := b.refresh(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("the quotas could not be read; the last ones stay valid")
		}
		if now := b.now(); now.Sub(saved) >= quotasSavedEvery {
			saved = now
			b.trySave(ctx)
		}
	})
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	b.trySave(last)
}

// trySave is save where it may fail: this process knows without.
func (b *quotaBook) trySave(ctx context.Context) {
	if err := b.save(ctx); err != nil && ctx.Err() == nil {
		b.log.Warn().Err(err).Msg("how far quotas are used up could not be written down; it is tried again")
	}
}

// Spike returns how many events a minute of one issue are all stored.
func (b *quotaBook) Spike(project event.ProjectID) int64 {
	if n, is := (*b.spikes.Load())[project]; is {
		return n
	}
	return b.usual
}

// Admit counts a message that is about to be digested, or says why it is dropped.
func (b *quotaBook) Admit(in *store.Incoming) (reason, detail string) {
	class, _ := quota.ClassOf(in.Category)
	at := b.acceptedAt(in)
	b.count(in, class, at, 1)
	over, is := b.digested.TakeLate(in.Project, class, at)
	if !is {
		return "", ""
	}
	return over.Reason(), fmt.Sprintf("accepted by an edge, though the limit of %s in %s was reached", over.Class, over.Window.Span())
}

// Forget undoes Admit.
func (b *quotaBook) Forget(in *store.Incoming) {
	class, _ := quota.ClassOf(in.Category)
	at := b.acceptedAt(in)
	b.count(in, class, at, -1)
	if in.Drop != quota.ReasonProject && in.Drop != quota.ReasonInstallation {
		b.digested.Add(in.Project, class, at, -1)
	}
}

// count adds messages of edges elsewhere, which have a region, to what was accepted.
func (b *quotaBook) count(in *store.Incoming, class quota.Class, at time.Time, n int64) {
	if in.Region != "" {
		b.accepted.Add(in.Project, class, at, n)
	}
}

// acceptedAt is when a message was accepted, as far as an edge's clock can be right: a
// window that ends in the future would be blind to the present.
func (b *quotaBook) acceptedAt(in *store.Incoming) time.Time {
	if now := b.now(); in.ReceivedAt.After(now) {
		return now
	}
	return in.ReceivedAt
}

// publish adds to keys that are read for edges elsewhere how far quotas are used up.
func (b *quotaBook) publish(read func(context.Context) (*keyring.Snapshot, error)) func(context.Context) (*keyring.Snapshot, error) {
	return func(ctx context.Context) (*keyring.Snapshot, error) {
		snapshot, err := read(ctx)
		if err != nil {
			return nil, err
		}
		now := b.now()
		snapshot.Quotas, snapshot.QuotasAt = b.accepted.Quotas(now), snapshot.At
		for _, over := range b.accepted.Over(now) {
			if over.Scope == quota.Installation {
				continue // not of a project: edges stop by Quotas
			}
			snapshot.Limits = append(snapshot.Limits, keyring.Limit{
				Project: over.Scope, Categories: over.Class.Categories(), Until: over.Until, Reason: over.Reason(),
			})
		}
		return snapshot, nil
	}
}
