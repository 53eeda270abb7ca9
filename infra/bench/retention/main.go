// Command retention shows whether anybody waits while old events are removed.
//
//	go run ./infra/bench/retention [-events N] [-keep N] [-issues N] [-rate N] [-dir DIR]
//
// It fills a database with events, then digests at a steady rate: first with nothing
// else going on, then while everything beyond the limit is removed, and measures for
// each digest how long it waited for its turn to write and how long it took. At the end
// the checker looks at what is left. Everything is in one process without HTTP intake
// and without a queue, so that the database is what is measured; the line "a pulse" says
// how long the machine itself keeps everybody waiting. Last line: `longest N ms`, the
// longest wait of a digest during the removal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"sundew/digester/retention"
	"sundew/digester/retention/keeper"
	"sundew/digester/store"
)

// options are the flags.
type options struct {
	events, keep, issues, rate int
	quiet                      time.Duration // how long it is measured without removal
	dir                        string
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 120_000, "events to begin with")
	flag.IntVar(&o.keep, "keep", 20_000, "events that are to be left")
	flag.IntVar(&o.issues, "issues", 1000, "issues the events are spread over, some much commoner than others")
	flag.IntVar(&o.rate, "rate", 300, "events a second that come meanwhile")
	flag.DurationVar(&o.quiet, "quiet", 20*time.Second, "how long to measure without removing anything")
	flag.StringVar(&o.dir, "dir", "", "where the database is made; empty: a temporary directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "retention:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "sundew-retention-"); err != nil {
			return err
		}
		defer os.RemoveAll(o.dir)
	}
	fmt.Fprintf(out, "%s/%s, %d cores, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	var times recorder
	path := filepath.Join(o.dir, "sundew.db")
	db, err := store.Open(ctx, store.Config{Path: path, Observe: times.observe})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(context.WithoutCancel(ctx))) }()
	replica, err := db.OpenReplica(ctx)
	if err != nil {
		return err
	}
	defer replica.Close()
	l, err := newLoad(ctx, db, o.issues)
	if err != nil {
		return err
	}
	began := time.Now()
	for l.made < o.events {
		if err := l.batch(ctx, min(500, o.events-l.made)); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d events in %d issues, made in %s; the database has %d MB\n", l.made, o.issues, time.Since(began).Round(time.Second), size(path)>>20)

	beating, stop := context.WithCancel(ctx)
	defer stop()
	go times.pulse(beating)
	times.reset()
	if err := l.steady(ctx, o.rate, o.quiet, nil); err != nil {
		return err
	}
	times.print(out, fmt.Sprintf("%d events/s for %s, nothing is removed", o.rate, o.quiet))
	times.reset()
	gone, took, err := removeMeanwhile(ctx, db, replica, l, o)
	if err != nil {
		return err
	}
	times.print(out, fmt.Sprintf("the same while %d events are removed in %s", gone, took.Round(100*time.Millisecond)))
	longest := times.longest(store.StageWait, digestWrite)
	problems, err := replica.Check(ctx)
	if err != nil || len(problems) > 0 {
		return fmt.Errorf("the checker finds %v (%w)", problems, err)
	}
	fmt.Fprintf(out, "the database has %d MB, the checker finds nothing\nlongest %.1f ms\n", size(path)>>20, milliseconds(longest))
	return nil
}

// removeMeanwhile digests at a steady rate until as many events are removed as were too
// many at the beginning.
func removeMeanwhile(ctx context.Context, db *store.DB, replica *store.Replica, l *load, o options) (gone int64, took time.Duration, err error) {
	err = l.steady(ctx, o.rate, 0, func() error {
		began := time.Now()
		defer func() { took = time.Since(began) }()
		enough, cancel := context.WithCancel(ctx)
		defer cancel()
		err := keeper.New(keeper.Config{
			Replica: replica, DB: db, Default: retention.Policy{Events: int64(o.keep)},
			Removed: func(_ string, n int64) {
				if gone += n; gone >= int64(o.events-o.keep) {
					cancel() // what comes meanwhile would go on for ever
				}
			},
		}).Round(enough)
		if ctx.Err() == nil && errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
	return gone, took, err
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
