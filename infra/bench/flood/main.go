// Command flood measures what a flood of one project's key does to another project.
//
//	go run ./infra/bench/flood [-limit N] [-for DURATION]
//
// It runs the program with a limit of N events in five minutes for one project, and
// sends a hundred times as many for that time, evenly, while events of another project
// are sent one after the other. It prints how long these took from being sent to their
// page being there, before the flood and during it, and fails if the median became more
// than twice as long or more than the limit was accepted. Load generator and program
// share the machine's cores.
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
	"sync"
	"sync/atomic"
	"time"
)

// times is how many times the limit is sent.
const times = 100

func main() {
	limit := flag.Int("limit", 3000, "events in five minutes that the flooded project may report")
	during := flag.Duration("for", 20*time.Second, "how long the flood lasts, and how long is measured before it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *limit, *during); err != nil {
		fmt.Fprintln(os.Stderr, "flood:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, limit int, during time.Duration) error {
	p, err := startProgram(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	other, err := p.createProject(ctx, "Other")
	if err != nil {
		return err
	}
	if err := p.limit(ctx, limit); err != nil {
		return err
	}
	calm, err := p.probe(ctx, other, during)
	if err != nil {
		return err
	}
	var flooded floodResult
	var flooding sync.WaitGroup
	flooding.Go(func() { flooded = p.flood(ctx, limit*times, 5*time.Minute, during) })
	busy, err := p.probe(ctx, other, during)
	flooding.Wait()
	if err := errors.Join(err, flooded.err); err != nil {
		return err
	}
	fmt.Printf("%s/%s, %d cores; %d events sent in %v, the limit is %d in 5 minutes\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), flooded.sent, during, limit)
	fmt.Printf("accepted %d, answered 429 %d\n", flooded.accepted, flooded.refused)
	ratio := float64(median(busy)) / float64(median(calm))
	fmt.Printf("another project's time to visible: before p50 %v p95 %v (%d), during p50 %v p95 %v (%d): %.2f times\n",
		median(calm), share(calm, 95), len(calm), median(busy), share(busy, 95), len(busy), ratio)
	if err := p.check(ctx); err != nil {
		return err
	}
	if flooded.accepted > int64(limit) {
		return fmt.Errorf("%d were accepted, the limit is %d", flooded.accepted, limit)
	}
	if ratio > 2 {
		return fmt.Errorf("the flood made others %.2f times slower, 2 times is what may be", ratio)
	}
	return nil
}

func median(took []time.Duration) time.Duration { return share(took, 50) }

func share(took []time.Duration, percent int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return sorted[len(sorted)*percent/100].Round(100 * time.Microsecond)
}

// floodResult is what became of a flood.
type floodResult struct {
	sent, accepted, refused int64
	err                     error
}

// flood sends events to the first project as if so many were spread over a time, for a
// part of it.
func (p *program) flood(ctx context.Context, events int, over, during time.Duration) floodResult {
	var next, accepted, refused atomic.Int64
	pause := over / time.Duration(events)
	began := time.Now()
	total := int64(during / pause)
	const connections = 16
	errs := make([]error, connections)
	var clients sync.WaitGroup
	for c := range connections {
		clients.Go(func() {
			for {
				i := next.Add(1)
				if i > total || ctx.Err() != nil {
					return
				}
				wait := time.NewTimer(time.Until(began.Add(time.Duration(i) * pause)))
				<-wait.C
				status, err := p.report(ctx, p.first, newID(), fmt.Sprintf("flood %d", i%50))
				switch {
				case err != nil:
					errs[c] = err
					return
				case status == 200:
					accepted.Add(1)
				case status == 429:
					refused.Add(1)
				default:
					errs[c] = fmt.Errorf("an event was answered %d", status)
					return
				}
			}
		})
	}
	clients.Wait()
	return floodResult{sent: accepted.Load() + refused.Load(), accepted: accepted.Load(), refused: refused.Load(), err: errors.Join(errs...)}
}
