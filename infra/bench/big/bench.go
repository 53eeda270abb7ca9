package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/dashboard"
	"sundew/digester/deadletter"
	"sundew/digester/digest"
	"sundew/digester/ledger"
	"sundew/digester/password"
	"sundew/digester/queue/local"
	"sundew/digester/search/indexer"
	"sundew/digester/store"
	"sundew/schema/event"
)

// projectName is what the only project of a database of ours is called.
const projectName = "Big"

// bench is the parts of a digester, without intake.
type bench struct {
	path    string
	db      *store.DB
	replica *store.Replica
	queue   *local.Queue
	pages   *dashboard.Dashboard
	cookies []*http.Cookie // of who looks at them
	load    *load
	newest  time.Time // when the newest event of an earlier run happened
}

// open opens or makes a database. What an earlier run left in the queue is digested
// first; then the number of stored events is the number of those ever made.
func open(ctx context.Context, dir string, issues int) (_ *bench, err error) {
	b := &bench{path: filepath.Join(dir, "sundew.db")}
	defer func() {
		if err != nil {
			b.close(context.WithoutCancel(ctx))
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if b.queue, err = local.Open(ctx, local.Config{Path: filepath.Join(dir, "queue.db")}); err != nil {
		return nil, err
	}
	if b.db, err = store.Open(ctx, store.Config{Path: b.path}); err != nil {
		return nil, err
	}
	if b.replica, err = b.db.OpenReplica(ctx); err != nil {
		return nil, err
	}
	stats, err := b.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := b.drain(ctx, stats.Waiting, nil); err != nil {
		return nil, err
	}
	p, err := b.project(ctx)
	if err != nil {
		return nil, err
	}
	if b.load, err = newLoad(p.ID, uint64(p.Events), issues); err != nil {
		return nil, err
	}
	passwords := password.NewHasher(1, password.Recommended())
	b.pages, err = dashboard.New(dashboard.Config{
		Passwords: passwords,
		Replica:   b.replica, DB: b.db, PublicURL: "http://127.0.0.1:8000", Now: time.Now, Log: zerolog.Nop(), Version: "big",
		Ledger: b.books, Dead: deadletter.Queues{{Name: "local", Letters: b.queue}},
	})
	if err != nil {
		return nil, err
	}
	b.cookies, err = b.signIn(ctx, passwords)
	return b, err
}

// project returns the database's project, made if there is none, and sets newest.
func (b *bench) project(ctx context.Context) (p store.Project, err error) {
	now := time.Now()
	b.newest = now.AddDate(0, 0, -overDays)
	err = b.db.Write(ctx, "project", func(tx *store.Tx) error {
		projects, err := tx.ProjectsByID()
		switch {
		case err != nil:
			return err
		case len(projects) == 0:
			p, err = tx.CreateProject(projectName)
			return err
		case len(projects) > 1 || projects[0].Name != projectName:
			return errors.New("the database was not made by this program")
		}
		p = projects[0]
		found, err := tx.Find(store.Search{Projects: []event.ProjectID{p.ID}, Limit: 1})
		if len(found.Issues) > 0 && found.Issues[0].LastSeen.After(b.newest) {
			b.newest = found.Issues[0].LastSeen
		}
		return err
	})
	if b.newest.After(now) {
		b.newest = now
	}
	return p, err
}

// books are for the ledger's page. What the queue holds is left out: it takes no
// part in what the database does for the page.
func (b *bench) books(ctx context.Context) (*ledger.Books, error) {
	now := time.Now()
	var decided store.Books
	err := b.replica.Read(ctx, func(rx *store.Rx) (err error) {
		decided, err = rx.Books(ledger.Since(now))
		return err
	})
	return ledger.Reconcile(decided, ledger.Queue{}, now), err
}

// measure queues n new events, digests them and returns how many a second that
// were. beside runs meanwhile.
func (b *bench) measure(ctx context.Context, n int, beside func(context.Context)) (float64, error) {
	if err := b.load.fill(ctx, b.queue, n); err != nil {
		return 0, err
	}
	began := time.Now()
	tally, err := b.drain(ctx, int64(n), beside)
	if err != nil {
		return 0, err
	}
	took := time.Since(began)
	if tally.Stored != int64(n) {
		return 0, fmt.Errorf("of %d new events only %d were stored: %+v", n, tally.Stored, tally)
	}
	return float64(n) / took.Seconds(), nil
}

// paced returns measure that queues so many events a second while they are digested.
func (b *bench) paced(pace int) func(context.Context, int, func(context.Context)) (float64, error) {
	return func(ctx context.Context, n int, beside func(context.Context)) (float64, error) {
		const portions = 20 // a second
		began := time.Now()
		queued := make(chan error, 1)
		go func() {
			every := time.NewTicker(time.Second / portions)
			defer every.Stop()
			for left := n; left > 0; {
				portion := min(left, max(1, pace/portions))
				if err := b.load.fill(ctx, b.queue, portion); err != nil {
					queued <- err
					return
				}
				left -= portion
				<-every.C
			}
			queued <- nil
		}()
		_, err := b.drain(ctx, int64(n), beside)
		return float64(n) / time.Since(began).Seconds(), errors.Join(err, <-queued)
	}
}

// drain digests n messages that are in the queue. beside runs meanwhile, until its
// context is done.
func (b *bench) drain(ctx context.Context, n int64, beside func(context.Context)) (digest.Tally, error) {
	d, err := digest.New(digest.Config{Queue: b.queue, Store: b.db})
	if err != nil {
		return digest.Tally{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	besideEnded := make(chan struct{})
	go func() {
		defer close(besideEnded)
		if beside != nil {
			indexed := make(chan struct{})
			go func() {
				defer close(indexed)
				indexer.Run(ctx, b.indexing())
			}()
			beside(ctx)
			<-indexed
		}
	}()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for decided(d) < n {
		select {
		case err := <-ended:
			cancel()
			<-besideEnded
			return digest.Tally{}, fmt.Errorf("digesting ended after %d of %d messages: %w", decided(d), n, errors.Join(err, ctx.Err()))
		case <-every.C:
		}
	}
	cancel()
	<-besideEnded
	return d.Health().Tally, <-ended
}

// decided counts the deliveries that are done with.
func decided(d *digest.Digester) int64 {
	h := d.Health()
	return h.Stored + h.Duplicate + h.Dropped + h.Redelivered + h.Counts
}

// index indexes the texts of all issues that are due.
func (b *bench) index(ctx context.Context, out io.Writer) error {
	began, n := time.Now(), 0
	for {
		done, err := indexer.Step(ctx, b.indexing())
		if err != nil {
			return err
		}
		if n += done; done == 0 {
			fmt.Fprintf(out, "%d issues indexed in %v, database %d MB\n", n, time.Since(began).Round(time.Millisecond), b.size()>>20)
			return nil
		}
	}
}

func (b *bench) indexing() indexer.Config {
	return indexer.Config{Replica: b.replica, DB: b.db, Log: zerolog.Nop()}
}

func (b *bench) close(ctx context.Context) {
	var errs []error
	if b.queue != nil {
		errs = append(errs, b.queue.Close(ctx))
	}
	if b.replica != nil {
		errs = append(errs, b.replica.Close())
	}
	if b.db != nil {
		errs = append(errs, b.db.Close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "big: closing:", err)
	}
}

// size returns the database's, zero if it cannot be told.
func (b *bench) size() int64 {
	info, err := os.Stat(b.path)
	if err != nil {
		return 0
	}
	return info.Size()
}
