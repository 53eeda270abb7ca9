// Command libsql measures how many events a second a libSQL server digests, by
// which way its statements come there.
//
//	infra/sqld/setup.sh
//	go run ./infra/bench/floor -keep DIR -rounds 1 -events 2000
//	go run ./infra/bench/libsql -trace DIR/trace.bin
//
// The statements are those that the store ran on a file, recorded by the floor's
// measurement: one transaction an event, without the look-ups, whose results are
// known. The digester alone does all that the product does, from the queue's
// message on, look-ups and barriers included. Each way does the same events on a server and a database of its own, in
// turn; what counts is the median of the rounds.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/schema"
)

// options are the command line.
type options struct {
	trace  string
	only   string
	events int
	rounds int
	rtt    time.Duration
	strong bool
}

func main() {
	var o options
	flag.StringVar(&o.trace, "trace", "", "file that floor -keep left")
	flag.StringVar(&o.only, "only", "", "only ways with this in their name")
	flag.IntVar(&o.events, "events", 1000, "events of a round")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of each way")
	flag.DurationVar(&o.rtt, "rtt", 0, "round-trip time between client and server")
	flag.BoolVar(&o.strong, "strong", false, "the server syncs every commit")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "libsql:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	events, err := recorded(o.trace, o.events)
	if err != nil {
		return err
	}
	statements := 0
	for _, e := range events {
		statements += len(e)
	}
	fmt.Printf("%d events of %.1f statements, round trip %v, strong %v\n", len(events), float64(statements)/float64(len(events)), o.rtt, o.strong)
	chosen := slices.DeleteFunc(ways(o.strong), func(w way) bool { return !strings.Contains(w.name, o.only) })
	costs := make([][]cost, len(chosen))
	for range o.rounds {
		for i, w := range chosen {
			c, err := w.measure(ctx, o, events)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			costs[i] = append(costs[i], c)
		}
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tevents/s\tserver CPU\tclient CPU\tevery round\t\n")
	for i, w := range chosen {
		slices.SortFunc(costs[i], func(a, b cost) int { return int(a.took - b.took) })
		middle := costs[i][len(costs[i])/2]
		n := float64(middle.events)
		fmt.Fprintf(t, "%s\t%.0f\t%.0f µs\t%.0f µs\t", w.name, middle.rate(), float64(middle.server.Microseconds())/n, float64(middle.client.Microseconds())/n)
		for _, c := range costs[i] {
			fmt.Fprintf(t, " %.0f", c.rate())
		}
		fmt.Fprintln(t, "\t")
	}
	return t.Flush()
}

// cost is what a round took.
type cost struct {
	events int
	took   time.Duration
	server time.Duration // of the processor
	client time.Duration
}

func (c cost) rate() float64 { return float64(c.events) / c.took.Seconds() }

// measure does the events once on a new server.
func (w way) measure(ctx context.Context, o options, events [][]hrana.Statement) (c cost, err error) {
	dir, err := os.MkdirTemp("", "sundew-libsql-")
	if err != nil {
		return cost{}, err
	}
	defer os.RemoveAll(dir)
	server, err := sqld.Start(ctx, sqld.Config{Dir: dir, Strong: o.strong})
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, server.Kill()) }()
	if err := makeProject(ctx, server.URL()); err != nil {
		return cost{}, err
	}
	network, err := sqld.NewProxy(server.HTTP, o.rtt)
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, network.Close()) }()
	address := server.HTTP
	if o.rtt > 0 {
		address = network.Addr
	}
	events = events[:min(len(events), w.most(o))]
	c.events = len(events)
	c.server, c.client = -processorOf(server.PID()), -processor()
	began := time.Now()
	if err := w.run(ctx, address, events); err != nil {
		return cost{}, err
	}
	c.took = time.Since(began)
	c.server += processorOf(server.PID())
	c.client += processor()
	return c, checkCount(ctx, server.URL(), len(events))
}

// most bounds the events of a way that waits for the network at each statement.
func (w way) most(o options) int {
	switch {
	case w.slow && o.rtt > 0:
		return min(o.events, 20)
	case w.slow:
		return min(o.events, 100)
	}
	return o.events
}

func open(url string) (*hrana.Client, *sql.DB, error) {
	client, err := hrana.New(hrana.Config{URL: url, Namespace: sqld.Namespace})
	if err != nil {
		return nil, nil, err
	}
	return client, sql.OpenDB(client.Connector()), nil
}

// makeProject migrates the database and makes the project of the recorded events.
func makeProject(ctx context.Context, url string) error {
	client, db, err := open(url)
	if err != nil {
		return err
	}
	defer client.Close()
	defer db.Close()
	if _, err := schema.Migrate(ctx, db); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `INSERT INTO projects (id, slug, name, created_at) VALUES (1, 'shop', 'Shop', 0)`)
	return err
}

// checkCount makes sure that a way did not leave anything out.
func checkCount(ctx context.Context, url string, want int) error {
	client, db, err := open(url)
	if err != nil {
		return err
	}
	defer client.Close()
	defer db.Close()
	var got int
	err = db.QueryRowContext(ctx, `SELECT min((SELECT count(*) FROM events), (SELECT event_count FROM projects))`).Scan(&got)
	if err == nil && got != want {
		err = fmt.Errorf("%d events are stored, want %d", got, want)
	}
	return err
}

// processor returns how much processor time this program has used.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// processorOf returns how much another program has used, in steps of the kernel's
// hundredth of a second.
func processorOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name
	var user, system int64
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
