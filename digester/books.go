package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sundew/digester/ledger"
	"sundew/digester/queue/local"
	"sundew/digester/store"
)

// queueView is what the books need of the queue: of the open one, or of its file.
type queueView interface {
	Inventory(ctx context.Context) (local.Inventory, error)
}

// readBooks balances both sides. The queue is read first: see package ledger.
func readBooks(ctx context.Context, replica *store.Replica, q queueView, now time.Time) (*ledger.Books, error) {
	held, err := q.Inventory(ctx)
	if err != nil {
		return nil, err
	}
	var decided store.Books
	err = replica.Read(ctx, func(rx *store.Rx) (err error) {
		decided, err = rx.Books(ledger.Since(now))
		return err
	})
	if err != nil {
		return nil, err
	}
	return ledger.Reconcile(decided, queueSide(held), now), nil
}

// queueSide puts what the local queue holds into the ledger's words.
func queueSide(held local.Inventory) ledger.Queue {
	q := ledger.Queue{Dead: held.Dead, Oldest: held.Oldest, Bytes: held.Bytes}
	for _, l := range held.Lanes {
		q.Lanes = append(q.Lanes, ledger.Lane{Instance: l.Instance, Project: l.Project, High: int64(l.High)})
	}
	for _, r := range held.Runs {
		q.Runs = append(q.Runs, ledger.Run{
			Instance: r.Instance, Project: r.Project, Hour: r.Hour, From: int64(r.From), To: int64(r.To), Dead: r.Dead,
		})
	}
	return q
}

// checkAll verifies every invariant of the database and of the ledger.
func checkAll(ctx context.Context, replica *store.Replica, q queueView) ([]store.Problem, error) {
	problems, err := replica.Check(ctx)
	if err != nil {
		return nil, err
	}
	books, err := readBooks(ctx, replica, q, time.Now())
	if err != nil {
		return nil, err
	}
	return append(problems, losses(books)...), nil
}

// maxLosses bounds how many losses are listed.
const maxLosses = 20

// losses lists what was accepted and is gone.
func losses(books *ledger.Books) (problems []store.Problem) {
	const holds = "everything accepted is decided or in the queue"
	for _, g := range books.Gaps {
		if g.State != ledger.Lost {
			break // lost ones come first
		}
		if len(problems) == maxLosses {
			return append(problems, store.Problem{Invariant: holds, Detail: fmt.Sprintf("%d are lost in all", books.Lost)})
		}
		problems = append(problems, store.Problem{Invariant: holds, Detail: fmt.Sprintf(
			"instance %.8s, project %d: %d to %d are neither", g.Instance, g.Project, g.From, g.To)})
	}
	return problems
}

// openForReading opens the data of an installation, whether or not a digester is
// running on it.
func openForReading(ctx context.Context, cfg Config) (*store.Replica, *local.Inspector, func(), error) {
	replica, err := openDatabaseForReading(ctx, cfg)
	if err != nil {
		return nil, nil, nil, err
	}
	q, err := local.Inspect(ctx, cfg.queuePath())
	if err != nil {
		return nil, nil, nil, errors.Join(err, replica.Close())
	}
	return replica, q, func() { q.Close(); replica.Close() }, nil
}

func openDatabaseForReading(ctx context.Context, cfg Config) (*store.Replica, error) {
	if cfg.Server.URL != "" {
		return store.OpenRemoteReplica(ctx, cfg.Server)
	}
	if _, err := os.Stat(cfg.databasePath()); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no database in %q yet: start `digester serve` once, or set SUNDEW_DATA", cfg.Data)
		}
		return nil, err
	}
	return store.OpenReplica(ctx, cfg.databasePath())
}
