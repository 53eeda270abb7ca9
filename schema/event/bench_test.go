package event_test

import (
	"testing"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
)

// usual returns the captured events but the few that are large on purpose.
func usual(b *testing.B) (payloads [][]byte, size int64) {
	for _, p := range eventtest.Captured(b) {
		if len(p.JSON) < 50_000 && !p.Security {
			payloads = append(payloads, p.JSON)
			size += int64(len(p.JSON))
		}
	}
	return payloads, size
}

func benchmark(b *testing.B, read func([]byte) error) {
	payloads, size := usual(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range payloads {
			if err := read(p); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(payloads)), "µs/event")
}

func BenchmarkScan(b *testing.B) {
	benchmark(b, func(p []byte) error { _, err := event.Scan(p, 100); return err })
}

func BenchmarkSkim(b *testing.B) {
	benchmark(b, func(p []byte) error { _, err := event.Skim(p); return err })
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(p []byte) error { _, err := event.Parse(p); return err })
}
