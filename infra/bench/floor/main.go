// Command floor measures how far Sundew's store is from what the machine can do:
// the same statements with the same data, once by the store and once by a few
// lines of C on the same version of SQLite.
//
//	go run ./infra/bench/floor [-events N] [-batch N] [-rounds N] [-drivers]
//
// It sends the recorded requests of schema/corpus through the real edge and the
// real preparation, has the store digest them once while every statement is
// recorded, compiles floor.c, and then lets store and C take turns on fresh
// copies of one database. The databases must be equal in the end. The last line
// is the median rate of the store over that of C.
//
// With -drivers the recorded statements are also run through other SQLite
// drivers for Go, each a program in the module below drivers/, so that the
// product depends on none of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"sundew/digester/store"
)

// options are the command line.
type options struct {
	events  int
	batch   int
	rounds  int
	drivers bool
	keep    string
	profile string
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 12000, "events of a round")
	flag.IntVar(&o.batch, "batch", 100, "events that share a barrier")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each contender")
	flag.BoolVar(&o.drivers, "drivers", false, "compare drivers for Go too")
	flag.StringVar(&o.keep, "keep", "", "directory for trace and databases; empty: a temporary one that is removed")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a CPU profile of the store's rounds")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

// cost is what one round took. What is not known is zero.
type cost struct {
	took  time.Duration
	used  time.Duration // of the processor, on all cores
	pages int           // written to the WAL
	syncs int
}

// contender is one way to do the work: run does it on a database of its own.
type contender struct {
	name  string
	run   func(ctx context.Context, database string) (cost, error)
	costs []cost
}

func run(ctx context.Context, o options) error {
	dir, err := workDir(o.keep)
	if err != nil {
		return err
	}
	if o.keep == "" {
		defer os.RemoveAll(dir)
	}
	work, err := prepare(ctx, dir, o.events, o.batch)
	if err != nil {
		return err
	}
	limit, err := buildC(ctx, work)
	if err != nil {
		return err
	}
	contenders := []*contender{limit, {name: "Sundew's store", run: work.digest}}
	if o.drivers {
		contenders = append(contenders, buildDrivers(ctx, work)...)
	}
	for _, c := range contenders {
		if err := work.verify(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	stopProfile, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	for range max(o.rounds, 1) {
		for _, c := range contenders {
			spent, err := work.round(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.costs = append(c.costs, spent)
		}
	}
	printTable(contenders, work)
	fmt.Printf("ratio %.2f\n", float64(limit.median())/float64(contenders[1].median()))
	return nil
}

func workDir(keep string) (string, error) {
	if keep == "" {
		return os.MkdirTemp("", "sundew-floor-")
	}
	return keep, os.MkdirAll(keep, 0o755)
}

// round lets a contender do the work once on a copy of the seed.
func (w *work) round(ctx context.Context, c *contender) (cost, error) {
	if err := w.copySeed(w.database); err != nil {
		return cost{}, err
	}
	runtime.GC() // what the round before left is not this round's
	return c.run(ctx, w.database)
}

// verify is a round that does not count: what the contender leaves must be what
// the recorded store left.
func (w *work) verify(ctx context.Context, c *contender) error {
	if _, err := w.round(ctx, c); err != nil {
		return err
	}
	sum, err := checksum(ctx, w.database)
	if err != nil {
		return err
	}
	if sum != w.sum {
		return fmt.Errorf("the database it left differs:\n%s\nthe recorded one:\n%s", sum, w.sum)
	}
	return nil
}

func (c *contender) median() time.Duration {
	return c.middle(func(s cost) time.Duration { return s.took })
}

func (c *contender) middle(of func(cost) time.Duration) time.Duration {
	all := make([]time.Duration, len(c.costs))
	for i, s := range c.costs {
		all[i] = of(s)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func printTable(contenders []*contender, w *work) {
	fmt.Printf("%s/%s, %d cores, %s, SQLite %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), w.version)
	fmt.Printf("%d events, a barrier every %d, %.1f statements an event\n\n", len(w.events), w.batch, float64(w.statements)/float64(len(w.events)))
	n := float64(len(w.events))
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tevents/s\tof C\tCPU/event\tWAL pages/event\tfsyncs\tevery round\t\n")
	for _, c := range contenders {
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.0f µs\t", c.name, n/c.median().Seconds(), float64(contenders[0].median())/float64(c.median()),
			float64(c.middle(func(s cost) time.Duration { return s.used }).Microseconds())/n)
		if s := c.costs[0]; s.pages > 0 {
			fmt.Fprintf(t, "%.1f\t%d\t", float64(s.pages)/n, s.syncs)
		} else {
			fmt.Fprint(t, "\t\t")
		}
		for _, s := range c.costs {
			fmt.Fprintf(t, " %.0f", n/s.took.Seconds())
		}
		fmt.Fprintln(t, "\t")
	}
	t.Flush()
	fmt.Println()
}

// clock returns a clock that begins at a fixed time and moves a millisecond each
// time it is asked, so that every run writes the same.
func clock() func() time.Time {
	now := firstEvent
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

// digest is the store doing the work: one transaction an event, a barrier after
// each batch.
func (w *work) digest(ctx context.Context, database string) (cost, error) {
	db, err := store.Open(ctx, store.Config{Path: database, Now: clock()})
	if err != nil {
		return cost{}, err
	}
	used := processor()
	began := time.Now()
	if err := w.digestInto(ctx, db); err != nil {
		return cost{}, err
	}
	return cost{took: time.Since(began), used: processor() - used}, db.Close(ctx)
}

// processor returns how much processor time this program has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (w *work) digestInto(ctx context.Context, db *store.DB) error {
	for i := range w.events {
		result, err := db.Digest(ctx, &w.events[i])
		if err != nil {
			return err
		}
		if result != store.Stored {
			return fmt.Errorf("event %d was not stored: %d", i, result)
		}
		if (i+1)%w.batch == 0 || i+1 == len(w.events) {
			if err := db.Barrier(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
