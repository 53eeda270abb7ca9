// Command lambda measures the edge as a Lambda function: the program that is
// deployed, built for this machine, behind a Runtime API and a Function URL, with SQS
// and S3 in this process.
//
//	go run ./infra/bench/lambda [-starts N] [-requests N] [-events N]
//
// It prints how long a request takes that has to start an environment, what an
// environment that runs costs beside the same handler on net/http (both measured by
// turns in one run, so that the ratio holds on any machine), and how long clients
// wait while the digester is away and the queue fills. AWS adds to all of this what
// one machine does not have: the start of a micro VM, its processor share, networks.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"time"

	"sundew/functions/lambdatest"
	"sundew/infra/aws/cloud"
	"sundew/schema/keyring"
)

const region = "eu-central-1"

func main() {
	starts := flag.Int("starts", 40, "environments to start for the cold start")
	requests := flag.Int("requests", 2000, "requests to each of the function and net/http")
	events := flag.Int("events", 10_000, "events while the digester is away")
	environments := flag.Int("environments", 4, "environments at once while the digester is away")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *starts, *requests, *events, *environments); err != nil {
		fmt.Fprintln(os.Stderr, "lambda:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, starts, requests, events, environments int) error {
	dir, err := os.MkdirTemp("", "sundew-bench-lambda-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := lambdatest.Build(ctx, dir, "sundew/functions/ingest")
	if err != nil {
		return err
	}
	report, err := recorded()
	if err != nil {
		return err
	}
	c, err := cloud.New(region)
	if err != nil {
		return err
	}
	defer c.Close()
	b := &bench{program: program, region: c.Region(region), report: report}
	if err := b.publishKeys(); err != nil {
		return err
	}
	fmt.Printf("%s/%s, %d cores, %s; clients, queue and bucket on the same cores; one event is %d bytes as sent\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), len(report.Body))
	if err := b.cold(ctx, starts); err != nil {
		return fmt.Errorf("cold starts: %w", err)
	}
	if err := b.warm(ctx, requests); err != nil {
		return fmt.Errorf("warm requests: %w", err)
	}
	if err := b.outage(ctx, events, environments); err != nil {
		return fmt.Errorf("digester away: %w", err)
	}
	return nil
}

// publishKeys puts the snapshot into the bucket that the digester would.
func (b *bench) publishKeys() error {
	snapshot, err := b.snapshot().Encode()
	if err != nil {
		return err
	}
	return b.region.PutObject("keys/v1.json", snapshot)
}

// snapshot has the one key that is used.
func (b *bench) snapshot() *keyring.Snapshot {
	return &keyring.Snapshot{At: time.Now(), Keys: []keyring.Key{{Project: b.report.project, Public: b.report.key, Enabled: true}}}
}

// durations are measured times.
type durations []time.Duration

// at returns the time that a share of all stays below, in milliseconds.
func (d durations) at(share float64) float64 {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	i := min(int(share*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i]) / float64(time.Millisecond)
}
