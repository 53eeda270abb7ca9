package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sundew/digester/queue/local"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// Books are the numbers of `digester stats`, /ledger.json and /metrics. At any
// time, for every project and all together:
//
//	accepted = digested + duplicate + Σ dropped + in flight
type Books struct {
	Balance
	DeadLetters      int64   `json:"dead_letters"`       // of those in flight, set aside after too many deliveries
	Redelivered      int64   `json:"redelivered"`        // deliveries of messages decided before; outside the balance
	StoredEvents     int64   `json:"stored_events"`      // in the database
	Issues           int64   `json:"issues"`             //
	Projects         int64   `json:"projects"`           //
	OldestMessageAge float64 `json:"oldest_message_age"` // seconds that the oldest queued message has waited; 0: none
	DatabaseBytes    int64   `json:"database_bytes"`     //
	QueueBytes       int64   `json:"queue_bytes"`        //

	// What the edge answered for without queueing it, by "outcome" and then
	// "category" or "category:reason".
	Edge map[string]map[string]int64 `json:"edge"`

	ByProject map[event.ProjectID]*Balance `json:"by_project"`
}

// Balance is one side of the books against the other.
type Balance struct {
	Accepted  int64            `json:"accepted"`  // by the edge: answered 200 and durable in the queue
	Digested  int64            `json:"digested"`  // stored as events
	Duplicate int64            `json:"duplicate"` // sent again by the client
	Dropped   map[string]int64 `json:"dropped"`   // by reason
	InFlight  int64            `json:"in_flight"` // accepted and not decided yet
}

// queueView is what the books need of the queue: of the open one, or of its file.
type queueView interface {
	Stats(ctx context.Context) (local.Stats, error)
	Undecided(ctx context.Context) ([]local.Ref, error)
}

// readBooks sums up both sides. What was decided is read before what was
// accepted, so that the difference is never negative while both move on.
func readBooks(ctx context.Context, replica *store.Replica, q queueView, now time.Time) (*Books, error) {
	b := &Books{
		Balance: Balance{Dropped: map[string]int64{}}, Edge: map[string]map[string]int64{}, ByProject: map[event.ProjectID]*Balance{},
	}
	type lane struct {
		instance wire.InstanceID
		project  event.ProjectID
	}
	high := make(map[lane]int64)
	err := replica.Read(ctx, func(rx *store.Rx) error {
		totals, err := rx.Totals()
		if err != nil {
			return err
		}
		b.StoredEvents, b.Issues, b.Projects, b.DatabaseBytes = totals.StoredEvents, totals.Issues, totals.Projects, totals.DatabaseBytes
		outcomes, err := rx.Outcomes()
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			b.enter(o)
		}
		lanes, err := rx.Lanes()
		for _, l := range lanes {
			b.Redelivered += l.Redelivered
			high[lane{l.Instance, l.Project}] = l.High
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	stats, err := q.Stats(ctx)
	if err != nil {
		return nil, err
	}
	b.DeadLetters, b.QueueBytes = stats.Dead, stats.Bytes
	if !stats.Oldest.IsZero() {
		b.OldestMessageAge = max(0, now.Sub(stats.Oldest).Seconds())
	}
	for _, l := range stats.Lanes {
		k := lane{l.Instance, l.Project}
		high[k] = max(high[k], int64(l.High))
	}
	for l, n := range high {
		if l.project != 0 {
			b.project(l.project).Accepted += n
		}
	}
	for _, p := range b.ByProject {
		p.InFlight = p.Accepted - p.Digested - p.Duplicate - sum(p.Dropped)
		b.Accepted += p.Accepted
		b.InFlight += p.InFlight
	}
	return b, nil
}

// enter adds a line of the books.
func (b *Books) enter(o store.OutcomeCount) {
	switch o.Outcome {
	case "stored":
		b.project(o.Project).Digested += o.Quantity
		b.Digested += o.Quantity
	case "duplicate":
		b.project(o.Project).Duplicate += o.Quantity
		b.Duplicate += o.Quantity
	case "dropped":
		b.project(o.Project).Dropped[o.Reason] += o.Quantity
		b.Dropped[o.Reason] += o.Quantity
	default:
		key := o.Category
		if o.Reason != "" {
			key += ":" + o.Reason
		}
		if b.Edge[o.Outcome] == nil {
			b.Edge[o.Outcome] = map[string]int64{}
		}
		b.Edge[o.Outcome][key] += o.Quantity
	}
}

func (b *Books) project(id event.ProjectID) *Balance {
	p, ok := b.ByProject[id]
	if !ok {
		p = &Balance{Dropped: map[string]int64{}}
		b.ByProject[id] = p
	}
	return p
}

func sum(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

// checkAll verifies every invariant of the database and of the ledger.
func checkAll(ctx context.Context, replica *store.Replica, q queueView) ([]store.Problem, error) {
	problems, err := replica.Check(ctx)
	if err != nil {
		return nil, err
	}
	refs, err := q.Undecided(ctx)
	if err != nil {
		return nil, err
	}
	stats, err := q.Stats(ctx)
	if err != nil {
		return nil, err
	}
	var queued []store.Accepted
	for _, r := range refs {
		queued = append(queued, store.Accepted{Instance: r.Instance, Project: r.Project, Seq: r.Seq})
	}
	var lanes []store.AcceptedLane
	for _, l := range stats.Lanes {
		lanes = append(lanes, store.AcceptedLane{Instance: l.Instance, Project: l.Project, High: int64(l.High)})
	}
	err = replica.Read(ctx, func(rx *store.Rx) error {
		more, err := rx.CheckLedger(lanes, queued)
		problems = append(problems, more...)
		return err
	})
	return problems, err
}

// openForReading opens the data of an installation, whether or not a digester is
// running on it.
func openForReading(ctx context.Context, cfg Config) (*store.Replica, *local.Inspector, func(), error) {
	if _, err := os.Stat(cfg.databasePath()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil, nil, fmt.Errorf("there is no database in %q yet: start `digester serve` once, or set SUNDEW_DATA", cfg.Data)
		}
		return nil, nil, nil, err
	}
	replica, err := store.OpenReplica(ctx, cfg.databasePath())
	if err != nil {
		return nil, nil, nil, err
	}
	q, err := local.Inspect(ctx, cfg.queuePath())
	if err != nil {
		return nil, nil, nil, errors.Join(err, replica.Close())
	}
	return replica, q, func() { q.Close(); replica.Close() }, nil
}
