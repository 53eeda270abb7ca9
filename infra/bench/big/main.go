// Command big shows whether Sundew stays as fast as its database grows.
//
//	go run ./infra/bench/big [-events N] [-issues N] [-step N] [-rounds N] [-pace N] [-dir DIR]
//
// It digests recorded events, spread over ninety days and two thousand issues or more,
// through the real queue, digester and store, until the database has as many as
// asked for; the database of an earlier run in DIR is grown further, or used as it
// is. Then it measures by turns how fast a step is digested into the large database
// and into one that begins empty: on a machine that others use too, only what was
// measured side by side can be compared. At the end it opens pages and searches while
// digesting goes on, at full speed or at a pace, and issues are indexed behind it.
// Everything is in one process without HTTP intake, so that the database is what is
// measured. Last line: `flat 0.NN`, the median speed of the large database over that of
// the empty ones.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"time"
)

// settings say how to measure.
type settings struct {
	events, issues, step, rounds, pace int
	dir                                string
}

func main() {
	var s settings
	flag.IntVar(&s.events, "events", 5_000_000, "events the large database has")
	flag.IntVar(&s.step, "step", 100_000, "events between two lines, and of a measurement")
	flag.IntVar(&s.issues, "issues", 2000, "issues the events are spread over; a run that goes on must have the same")
	flag.IntVar(&s.rounds, "rounds", 5, "how often both databases are measured; 0: only the pages are")
	flag.IntVar(&s.pace, "pace", 0, "events a second that are digested while pages are opened; 0: as many as can be")
	flag.StringVar(&s.dir, "dir", "", "where the large database is, and stays; empty: a temporary directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "big:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, s settings) (err error) {
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "sundew-big-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	}
	fmt.Fprintf(out, "%s/%s, %d cores, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	b, err := open(ctx, s.dir, s.issues)
	if err != nil {
		return err
	}
	defer b.close(context.WithoutCancel(ctx))
	if err := b.grow(ctx, out, s.events, s.step); err != nil {
		return err
	}
	if err := b.index(ctx, out); err != nil {
		return err
	}
	now := time.Now()
	b.load.spread(now, now, 0)
	flat := 0.0
	if s.rounds > 0 {
		if flat, err = compare(ctx, out, b, s); err != nil {
			return err
		}
	}
	visits := newVisits(b.pages, b.cookies, b.load.made, s.issues)
	measure := b.measure
	if s.pace > 0 {
		measure = b.paced(s.pace)
	}
	speed, err := measure(ctx, s.step, visits.visit)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "pages opened one after the other while %.0f events/s were digested:\n", speed)
	visits.print(out)
	if s.rounds > 0 {
		fmt.Fprintf(out, "flat %.2f\n", flat)
	}
	return nil
}

// grow digests until the database has as many events as asked for.
func (b *bench) grow(ctx context.Context, out io.Writer, events, step int) error {
	have := int(b.load.made)
	if have > 0 {
		fmt.Fprintf(out, "the database has %d events\n", have)
	}
	if have >= events {
		return nil
	}
	b.load.spread(b.newest, time.Now(), events-have)
	fmt.Fprintf(out, "%12s %10s %10s\n", "events", "drained/s", "database")
	for have < events {
		n := min(step, events-have)
		speed, err := b.measure(ctx, n, nil)
		if err != nil {
			return err
		}
		have += n
		fmt.Fprintf(out, "%12d %10.0f %7d MB\n", have, speed, b.size()>>20)
	}
	return nil
}

// compare measures the large database and new ones by turns and returns the ratio
// of the medians.
func compare(ctx context.Context, out io.Writer, large *bench, s settings) (float64, error) {
	fmt.Fprintf(out, "%d events each, by turns:\n%6s %10s %10s %8s\n", s.step, "round", "large/s", "empty/s", "ratio")
	var larges, empties []float64
	for round := range s.rounds {
		speed, err := large.measure(ctx, s.step, nil)
		if err != nil {
			return 0, err
		}
		empty, err := measureEmpty(ctx, s.step, large.load.issues)
		if err != nil {
			return 0, err
		}
		larges, empties = append(larges, speed), append(empties, empty)
		fmt.Fprintf(out, "%6d %10.0f %10.0f %8.2f\n", round+1, speed, empty, speed/empty)
	}
	return median(larges) / median(empties), nil
}

// measureEmpty digests a step into a database of its own and removes it.
func measureEmpty(ctx context.Context, step, issues int) (float64, error) {
	dir, err := os.MkdirTemp("", "sundew-empty-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	b, err := open(ctx, dir, issues)
	if err != nil {
		return 0, err
	}
	defer b.close(context.WithoutCancel(ctx))
	now := time.Now()
	b.load.spread(now, now, 0) // as the large one does
	return b.measure(ctx, step, nil)
}

// median returns the middle one of an odd number of values.
func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[len(values)/2]
}
