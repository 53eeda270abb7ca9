// Command replicas measures how far copies lag behind the primary: from the moment
// in which a batch's commit is acknowledged until a reader of the copy sees it, at
// several rates of events, for both kinds of copies: a follower of a file's backup,
// and a replica of a libSQL server. Then it opens pages on each copy while the
// primary digests as fast as it can.
//
//	go run ./infra/bench/replicas [-kinds file,libsql] [-s3] [-every 50ms] [-seconds N] [-rates 50,200,1000,2000]
//
// Everything shares this machine's cores: primary, backup and follower are in one
// process, libSQL servers beside it. The backup goes through a folder, or with -s3
// through a server of S3 in memory, which has no network in between. -every is how
// often the backup is made: half of it is part of the lag. The libSQL primary syncs
// every commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

type options struct {
	kinds   string
	s3      bool
	every   time.Duration
	seconds int
	rates   []int
}

func main() {
	var o options
	flag.StringVar(&o.kinds, "kinds", "file,libsql", "of copies")
	flag.BoolVar(&o.s3, "s3", false, "through S3 in memory instead of a folder")
	flag.DurationVar(&o.every, "every", 50*time.Millisecond, "how often the backup is made")
	flag.IntVar(&o.seconds, "seconds", 10, "for each rate")
	rates := flag.String("rates", "50,200,1000,2000", "events a second")
	flag.Parse()
	for _, text := range strings.Split(*rates, ",") {
		rate, err := strconv.Atoi(text)
		if err != nil || rate < 1 {
			fmt.Fprintf(os.Stderr, "replicas: rate %q\n", text)
			os.Exit(2)
		}
		o.rates = append(o.rates, rate)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
}

// kinds are the ways to have a copy.
var kinds = map[string]func(context.Context, options, string) (*pair, error){"file": openFiles, "libsql": openServers}

func run(ctx context.Context, o options) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer t.Flush()
	fmt.Fprintln(t, "copy\tevents/s\twritten/s\tlag p50\tp90\tp99\tmax\t")
	for _, kind := range strings.Split(o.kinds, ",") {
		open, known := kinds[kind]
		if !known {
			return fmt.Errorf("there is no kind %q", kind)
		}
		if err := runKind(ctx, o, kind, open, t); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

// runKind measures one kind, each rate and then the pages.
func runKind(ctx context.Context, o options, kind string, open func(context.Context, options, string) (*pair, error), t *tabwriter.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sundew-replicas-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := open(ctx, o, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	for _, rate := range o.rates {
		lags, took, err := measure(ctx, p.primary, p.copy, rate, o.seconds)
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f\t%s\t%s\t%s\t%s\t\n", kind, rate, float64(rate*o.seconds)/took.Seconds(),
			quantile(lags, 0.5), quantile(lags, 0.9), quantile(lags, 0.99), quantile(lags, 1))
		t.Flush()
	}
	return p.openPages(ctx, kind, time.Duration(o.seconds)*time.Second, t)
}

// quantile returns how long a part of sorted durations took at most.
func quantile(sorted []time.Duration, part float64) time.Duration {
	return sorted[int(part*float64(len(sorted)-1))].Round(100 * time.Microsecond)
}

// A batch ends after batchEvery, or after batchMost events if they came late.
const (
	batchEvery = 20 * time.Millisecond
	batchMost  = 100
)

// measure writes for some seconds and returns how long each batch took to be
// visible in the copy, ascending, and how long the writing took.
func measure(ctx context.Context, p *primary, c *copyOf, rate, seconds int) ([]time.Duration, time.Duration, error) {
	acknowledged := make(map[int64]time.Time)
	var last int64
	tick := time.NewTicker(batchEvery)
	defer tick.Stop()
	began := time.Now()
	for sent := 0; sent < rate*seconds; {
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case <-tick.C:
		}
		due := min(int(time.Since(began).Seconds()*float64(rate))+1, rate*seconds, sent+batchMost)
		if due == sent {
			continue
		}
		position, err := p.batch(ctx, due-sent)
		if err != nil {
			return nil, 0, err
		}
		sent, last = due, position
		acknowledged[position] = time.Now()
	}
	took := time.Since(began)
	seen, err := c.until(ctx, last)
	if err != nil {
		return nil, 0, err
	}
	var lags []time.Duration
	for position, at := range acknowledged {
		i, _ := slices.BinarySearchFunc(seen, position, func(s sight, position int64) int { return int(s.position - position) })
		lags = append(lags, max(0, seen[i].at.Sub(at)))
	}
	slices.Sort(lags)
	return lags, took, nil
}
