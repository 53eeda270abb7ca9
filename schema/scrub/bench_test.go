package scrub_test

import (
	"testing"

	"sundew/schema/event/eventtest"
	"sundew/schema/scrub"
)

// BenchmarkEvent scrubs the recorded events, one after the other.
func BenchmarkEvent(b *testing.B) {
	var payloads []eventtest.Payload
	total := 0
	for _, p := range eventtest.Captured(b) {
		if len(p.JSON) < 1<<20 { // what the edge takes
			payloads = append(payloads, p)
			total += len(p.JSON)
		}
	}
	s := scrub.Default()
	b.SetBytes(int64(total / len(payloads)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Event(payloads[i%len(payloads)].JSON)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(total/len(payloads)), "ns/byte")
}
