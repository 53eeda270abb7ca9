package teller

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sundew/digester/alert"
	"sundew/digester/store"
)

// BenchmarkStorm says what alerts cost the digest: how much longer the same events take
// with rules, a channel and a teller at work than without a channel, as a ratio. Both
// take turns, batch by batch, so that whatever else the machine does meets both.
//
//   - new: each event makes an issue, of which the channel is told;
//   - more: events of issues that are there, of which rules count users and
//     environments.
func BenchmarkStorm(b *testing.B) {
	b.Run("new", func(b *testing.B) {
		compare(b, alert.Default(), func(i int) string { return fmt.Sprint("g", i) })
	})
	b.Run("more", func(b *testing.B) {
		often := alert.Rule{
			Events: alert.Rate{Count: 100, Period: 5 * time.Minute}, Users: alert.Rate{Count: 50, Period: time.Hour}, Interval: 30 * time.Minute,
			Filter: alert.Filter{Environments: []string{"qa"}},
		}
		compare(b, often, func(i int) string { return fmt.Sprint("g", i%20) })
	})
}

const batch = 50

func compare(b *testing.B, r alert.Rule, group func(i int) string) {
	quiet, loud := newTown(b), newTown(b)
	for _, w := range []*town{quiet, loud} {
		w.now = time.Now()
		w.only(r)
	}
	quiet.write(func(tx *store.Tx) error { return tx.SetChannelEnabled(quiet.project, quiet.channel, false) })
	ctx, stop := context.WithCancel(b.Context())
	var telling sync.WaitGroup
	telling.Go(func() { loud.teller.Run(ctx) })
	var ratios []float64
	n := 0
	for b.Loop() {
		without, with := quiet.timed(b, n, group), loud.timed(b, n, group)
		ratios = append(ratios, with.Seconds()/without.Seconds())
		n += batch
	}
	stop()
	telling.Wait()
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "median-ratio")
	b.ReportMetric(ratios[len(ratios)*95/100], "p95-ratio")
}

// timed digests a batch as the digester does, and returns how long that took.
func (w *town) timed(b *testing.B, n int, group func(i int) string) time.Duration {
	b.Helper()
	ins := make([]*store.Incoming, batch)
	for i := range ins {
		ins[i] = w.incoming(group(n+i), func(in *store.Incoming) { in.User = fmt.Sprint(n+i, "@example.com") })
	}
	began := time.Now()
	for _, o := range w.db.DigestBatch(b.Context(), ins) {
		if o.Err != nil {
			b.Fatal(o.Err)
		}
	}
	if err := w.db.Barrier(b.Context()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
