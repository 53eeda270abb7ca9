// Command bench measures Sundew as a user meets it: one process with intake,
// queue, digester and database, fed over HTTP by a load generator on the same
// machine.
//
//	go run ./infra/bench [-events N] [-connections N]
//
// It builds the digester, starts it on an empty directory, and prints for the
// real event mix (the recorded events of schema/corpus, each with an id of its
// own), for those of it below 50 KB and for events of 50 KB: accepted/s, drained/s
// (first send to last event readable), p50 and p99 of the time from sending one
// event to its page being there while the load runs, peak memory, and bytes of
// database per event. It fails if a single event is missing or double at the end. Figures of different
// machines do not compare; the command prints the machine's size beside them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	events := flag.Int("events", 12000, "events of the mix and of the small ones; a quarter of it of the large ones")
	connections := flag.Int("connections", 32, "connections of the load generator")
	binary := flag.String("digester", "", "a digester built before; empty: build one")
	only := flag.String("only", "", `run only "mix", "small" or "50KB"`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *events, *connections, *binary, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// result is one row of the table.
type result struct {
	name        string
	events      int
	meanBytes   int
	accepted    float64 // a second
	drained     float64 // a second
	p50, p99    time.Duration
	probes      int
	peakRSS     int64
	perEvent    int64 // bytes of database
	cpuPerEvent time.Duration
}

func run(ctx context.Context, events, connections int, binary, only string) error {
	if binary == "" {
		dir, err := os.MkdirTemp("", "sundew-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if binary, err = build(ctx, dir); err != nil {
			return err
		}
	}
	mix, err := mixedEvents()
	if err != nil {
		return err
	}
	loads := []struct {
		name   string
		make   []template
		events int
	}{
		{"mix", mix, events},
		{"small", smaller(mix, 50_000), events},
		{"50KB", largeEvents(mix, 50_000), events / 4},
	}
	var results []result
	for _, l := range loads {
		if only != "" && only != l.name {
			continue
		}
		r, err := measure(ctx, binary, l.name, l.make, l.events, connections)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return errors.New(`-only takes "mix", "small" or "50KB"`)
	}
	printTable(results)
	return nil
}

func printTable(results []result) {
	fmt.Printf("%s/%s, %d cores, %s; load generator on the same cores\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "load\tevents\tmean JSON\taccepted/s\tdrained/s\tvisible p50\tp99\tprobes\tpeak RSS\tDB/event\tCPU/event\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%d B\t%.0f\t%.0f\t%v\t%v\t%d\t%d MB\t%d B\t%v\t\n", r.name, r.events, r.meanBytes, r.accepted, r.drained,
			r.p50.Round(time.Millisecond), r.p99.Round(time.Millisecond), r.probes, r.peakRSS>>20, r.perEvent, r.cpuPerEvent.Round(time.Microsecond))
	}
	w.Flush()
}

// measure runs one load against a new server.
func measure(ctx context.Context, binary, name string, templates []template, events, connections int) (result, error) {
	server, err := start(ctx, binary)
	if err != nil {
		return result{}, err
	}
	defer server.stop()
	requests, size := instantiate(templates, events, server)
	r := result{name: name, events: events, meanBytes: size / events}

	probing, stopProbing := context.WithCancel(ctx)
	defer stopProbing()
	probed := make(chan []time.Duration)
	go func() { probed <- probe(probing, server, templates[0]) }()

	began := time.Now()
	if err := send(ctx, server.addr, requests, connections); err != nil {
		return result{}, err
	}
	r.accepted = float64(events) / time.Since(began).Seconds()
	stopProbing()
	visible := <-probed
	end, err := server.drained(ctx, events+len(visible))
	if err != nil {
		return result{}, err
	}
	r.drained = float64(events) / end.Sub(began).Seconds()
	if r.probes = len(visible); r.probes > 0 {
		slices.Sort(visible)
		r.p50, r.p99 = visible[len(visible)/2], visible[len(visible)*99/100]
	}
	if r.peakRSS, r.cpuPerEvent, err = server.cost(); err != nil {
		return result{}, err
	}
	r.cpuPerEvent /= time.Duration(events)
	if r.perEvent, err = server.finish(ctx, events+len(visible)); err != nil {
		return result{}, err
	}
	return r, nil
}
