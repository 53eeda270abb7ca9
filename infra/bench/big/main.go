// Command big shows whether Sundew stays as fast as its database grows.
//
//	go run ./infra/bench/big [-events N] [-step N] [-dir DIR]
//
// It digests recorded events, spread over ninety days and two thousand issues,
// through the real queue, digester and store, and prints the digester's speed for
// each step of the way. At the end it opens pages while digesting goes on at full
// speed. Everything is in one process without HTTP intake, so that the database is
// what is measured. Last line: `flat 0.NN`, the last step's speed over the first's.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/dashboard"
	"sundew/digester/digest"
	"sundew/digester/queue/local"
	"sundew/digester/store"
)

func main() {
	events := flag.Int("events", 5_000_000, "events to digest")
	step := flag.Int("step", 100_000, "events between two lines")
	dir := flag.String("dir", "", "where the database is made; empty: a temporary directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *events, *step, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "big:", err)
		os.Exit(1)
	}
}

// bench is the parts of a digester, without intake.
type bench struct {
	db      *store.DB
	replica *store.Replica
	queue   *local.Queue
	pages   *dashboard.Dashboard
	load    *load
}

func run(ctx context.Context, events, step int, dir string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "sundew-big-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	b, err := open(ctx, dir, events)
	if err != nil {
		return err
	}
	defer b.close(context.WithoutCancel(ctx))
	fmt.Printf("%s/%s, %d cores, %s\n%12s %10s %8s %10s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(),
		"events", "drained/s", "ratio", "database")
	var first, last float64
	for done := 0; done < events; done += step {
		n := min(step, events-done)
		if err := b.load.fill(ctx, b.queue, n); err != nil {
			return err
		}
		took, err := b.drain(ctx, int64(n), nil)
		if err != nil {
			return err
		}
		last = float64(n) / took.Seconds()
		if first == 0 {
			first = last
		}
		fmt.Printf("%12d %10.0f %8.2f %7d MB\n", done+n, last, last/first, fileSize(filepath.Join(dir, "sundew.db"))>>20)
	}
	if err := b.load.fill(ctx, b.queue, step); err != nil {
		return err
	}
	visits := newVisits(b.pages, b.load.issues)
	took, err := b.drain(ctx, int64(step), visits.visit)
	if err != nil {
		return err
	}
	fmt.Printf("pages opened one after the other while %0.f events/s were digested:\n", float64(step)/took.Seconds())
	visits.print()
	fmt.Printf("flat %.2f\n", last/first)
	return nil
}

func open(ctx context.Context, dir string, events int) (*bench, error) {
	b := &bench{}
	var err error
	if b.db, err = store.Open(ctx, store.Config{Path: filepath.Join(dir, "sundew.db")}); err != nil {
		return nil, err
	}
	if b.replica, err = b.db.OpenReplica(ctx); err != nil {
		return nil, err
	}
	if b.queue, err = local.Open(ctx, local.Config{Path: filepath.Join(dir, "queue.db")}); err != nil {
		return nil, err
	}
	var p store.Project
	if err := b.db.Write(ctx, "project", func(tx *store.Tx) (err error) {
		p, err = tx.CreateProject("Big")
		return err
	}); err != nil {
		return nil, err
	}
	if b.load, err = newLoad(p.ID, events); err != nil {
		return nil, err
	}
	b.pages, err = dashboard.New(dashboard.Config{Replica: b.replica, DB: b.db, PublicURL: "http://127.0.0.1:8000", Now: time.Now, Log: zerolog.Nop(), Version: "big"})
	return b, err
}

// drain digests n events that are in the queue and returns how long that took.
// beside runs meanwhile, until its context is done.
func (b *bench) drain(ctx context.Context, n int64, beside func(context.Context)) (time.Duration, error) {
	d, err := digest.New(digest.Config{Queue: b.queue, Store: b.db})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	besideEnded := make(chan struct{})
	go func() {
		defer close(besideEnded)
		if beside != nil {
			beside(ctx)
		}
	}()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for d.Health().Stored < n {
		select {
		case err := <-ended:
			return 0, fmt.Errorf("digesting ended after %d of %d events: %w", d.Health().Stored, n, err)
		case <-every.C:
		}
	}
	took := time.Since(began)
	cancel()
	<-besideEnded
	return took, <-ended
}

func (b *bench) close(ctx context.Context) {
	for _, err := range []error{b.queue.Close(ctx), b.replica.Close(), b.db.Close(ctx)} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "big: closing:", err)
		}
	}
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
