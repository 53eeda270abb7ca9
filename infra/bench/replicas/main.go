// Command replicas measures how far a follower lags behind: from the moment in
// which a batch's commit is acknowledged by the primary until a reader of the
// copy sees it, at several rates of events.
//
//	go run ./infra/bench/replicas [-s3] [-every 50ms] [-seconds N] [-rates 50,200,1000,2000]
//
// Primary, backup and follower run in one process and share its cores. The backup
// goes through a folder, or with -s3 through a server of S3 in memory, which has
// no network in between. -every is how often the backup is made: half of it is
// part of the lag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rs/zerolog"

	"sundew/digester/replicate"
	"sundew/digester/store"
)

type options struct {
	s3      bool
	every   time.Duration
	seconds int
	rates   []int
}

func main() {
	var o options
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

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "sundew-replicas-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	address := "file://" + dir + "/backup?"
	if o.s3 {
		backend := s3mem.New()
		if err := backend.CreateBucket("backups"); err != nil {
			return err
		}
		server := httptest.NewServer(gofakes3.New(backend).Server())
		defer server.Close()
		if err := errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", "key"), os.Setenv("AWS_SECRET_ACCESS_KEY", "secret"), os.Unsetenv("AWS_CA_BUNDLE")); err != nil {
			return err
		}
		address = "s3://backups/sundew?region=us-east-1&endpoint=" + server.URL + "&"
	}
	target, err := replicate.ParseTarget(address + "every=" + o.every.String())
	if err != nil {
		return err
	}
	p, err := openPrimary(ctx, filepath.Join(dir, "sundew.db"), target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	c, err := openCopy(ctx, filepath.Join(dir, "copy.db"), target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, rate := range o.rates {
		lags, took, err := measure(ctx, p, c, rate, o.seconds)
		if err != nil {
			return err
		}
		at := func(part float64) time.Duration {
			return lags[int(part*float64(len(lags)-1))].Round(100 * time.Microsecond)
		}
		fmt.Printf("%6d events/s  lag p50 %8s  p90 %8s  p99 %8s  max %8s  (%d batches, written at %.0f events/s)\n",
			rate, at(0.5), at(0.9), at(0.99), at(1), len(lags), float64(rate*o.seconds)/took.Seconds())
	}
	return nil
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

func quiet() zerolog.Logger { return zerolog.New(os.Stderr).Level(zerolog.ErrorLevel) }

// primary is a database with its backup.
type primary struct {
	db     *store.DB
	backup *replicate.Backup
	stop   func()
	shop   store.Project
	seq    uint64
}

func openPrimary(ctx context.Context, path string, target replicate.Target) (*primary, error) {
	p := &primary{}
	var err error
	if p.backup, err = replicate.NewBackup(replicate.BackupConfig{Path: path, Target: target, Log: quiet()}); err != nil {
		return nil, err
	}
	if p.db, err = store.Open(ctx, store.Config{Path: path, Checkpoint: p.backup.Checkpoint}); err != nil {
		return nil, err
	}
	if err := p.backup.Start(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); p.backup.Run(ctx) }()
	p.stop = func() { cancel(); <-ended }
	return p, p.db.Write(ctx, "project", func(tx *store.Tx) (err error) {
		p.shop, err = tx.CreateProject("Shop")
		return err
	})
}

// batch stores n events, makes them durable and returns the position then.
func (p *primary) batch(ctx context.Context, n int) (position int64, err error) {
	for range n {
		p.seq++
		if _, err := p.db.Digest(ctx, newEvent(p.shop.ID, p.seq)); err != nil {
			return 0, err
		}
	}
	err = p.db.Write(ctx, "batch", func(tx *store.Tx) error {
		position = tx.Position()
		return nil
	})
	return position, err
}

func (p *primary) close() error {
	p.stop()
	ctx := context.Background()
	return errors.Join(p.db.Close(ctx), p.backup.Close(ctx))
}
