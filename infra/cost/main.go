// Command cost estimates what a month of Sundew on AWS costs, so that a number in
// the documentation can be recomputed for another load:
//
//	go run ./infra/cost -events 1000000 -regions 3
//
// It asks nobody: prices are constants with their date, the arithmetic is a pure
// function.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		os.Exit(2)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	var l Load
	flags := flag.NewFlagSet("cost", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Float64Var(&l.Events, "events", 1e6, "events a month")
	flags.Float64Var(&l.WireBytes, "size", 8192, "bytes of an event as queued, compressed")
	flags.Float64Var(&l.MemoryMB, "memory", 256, "MiB of the function")
	flags.Float64Var(&l.Milliseconds, "ms", 12, "milliseconds billed for an event")
	flags.Float64Var(&l.ColdShare, "cold", 0.01, "share of requests that start an instance")
	flags.Float64Var(&l.ColdMs, "cold-ms", 100, "milliseconds of such a start")
	flags.BoolVar(&l.HTTPAPI, "http-api", false, "an HTTP API with a domain in front")
	flags.BoolVar(&l.Fair, "fair", true, "message groups (fair queues)")
	flags.Float64Var(&l.LogBytes, "log", 0, "bytes that the function logs for an event")
	flags.Float64Var(&l.RemoteShare, "remote", 2.0/3, "share of events from other regions than the digester's")
	flags.Float64Var(&l.ClaimShare, "claims", 0, "share of events too large for the queue")
	flags.Float64Var(&l.Regions, "regions", 3, "regions with an edge")
	flags.Float64Var(&l.Alarms, "alarms", 17, "alarms: five a region, two of the host")
	flags.Float64Var(&l.Metrics, "metrics", 2, "metrics of the host's own")
	flags.Float64Var(&l.VolumeGB, "volume", 20, "GB of the data volume, before events")
	flags.Float64Var(&l.SnapshotGB, "snapshots", 10, "GB of snapshots")
	flags.Float64Var(&l.StoredBytes, "stored", 1500, "bytes of an event in the database, see infra/README.md")
	flags.Float64Var(&l.KeptDays, "days", 30, "days that events are kept")
	if err := flags.Parse(args); err != nil {
		return err
	}
	report(stdout, l)
	return nil
}

func report(w io.Writer, l Load) {
	b := Cost(l)
	fmt.Fprintf(w, "%.0f events a month, list prices of us-east-1, November 2026, no free tier\n\n", l.Events)
	for _, line := range []struct {
		name    string
		dollars float64
	}{
		{"Lambda", b.Lambda}, {"SQS", b.Queue}, {"HTTP API", b.Front}, {"logs", b.Logs},
		{"between regions", b.Transfer}, {"S3", b.Objects}, {"host and address", b.Host},
		{"disk and snapshots", b.Disk}, {"polling empty queues", b.Polling}, {"alarms and metrics", b.Watching},
	} {
		if line.dollars > 0 {
			fmt.Fprintf(w, "%-22s %10.2f\n", line.name, line.dollars)
		}
	}
	fmt.Fprintf(w, "%-22s %10.2f  $\n", "a month", b.Total())
	if l.Events > 0 {
		fmt.Fprintf(w, "%-22s %10.2f  $\n", "of it, a million events", b.ByEvents()/l.Events*1e6)
	}
}
