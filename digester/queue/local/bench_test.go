//go:build unix

package local

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// benchSenders is how many requests are in flight at the edge.
const benchSenders = 64

// BenchmarkQueue measures a message's whole way: sent by one of many goroutines,
// received among a hundred, deleted.
//
// On two cores and a fast disk: 40 to 50 µs of processor time for 2 KB, 100 to
// 110 for 12 KB, some 20,000 and 9,500 messages a second. Of that (pprof, 2 KB)
// 39 % are system calls: writing the WAL 21, checkpoints 17 with their fsyncs;
// reading messages 19 %, inserting 12 %, everything else below 10. So what pays is
// fewer pages and fewer statements, not faster Go: hiding and deleting by ranges
// of ids, one statement for a hundred messages, took a fifth off; database/sql
// itself costs about 3 %.
func BenchmarkQueue(b *testing.B) {
	for _, size := range []int{2 << 10, 12 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			q, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "queue.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer q.Close(b.Context())
			body := randomBody(size)
			measure(b, func() {
				sendAll(b, func(int) error {
					return q.Send(b.Context(), []*wire.Message{{Kind: wire.KindEvent, Project: event.ProjectID(1), Body: body}})
				})
			}, func() int {
				got, err := q.Receive(b.Context(), 100, time.Second)
				if err != nil {
					b.Fatal(err)
				}
				receipts := make([]string, len(got))
				for i, m := range got {
					receipts[i] = m.Receipt
				}
				if err := q.Delete(b.Context(), receipts); err != nil {
					b.Fatal(err)
				}
				return len(got)
			})
		})
	}
}

func randomBody(size int) []byte {
	body := make([]byte, size)
	_, _ = rand.Read(body)
	return body
}

// sendAll calls send b.N times from many goroutines.
func sendAll(b *testing.B, send func(i int) error) {
	var senders sync.WaitGroup
	for s := range benchSenders {
		senders.Go(func() {
			for i := s; i < b.N; i += benchSenders {
				if err := send(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
}

// measure runs produce, then consume until b.N messages came through, and reports
// the processor time that each cost besides the wall time. One after the other,
// so that nobody is charged for polling an empty queue.
func measure(b *testing.B, produce func(), consume func() int) {
	before := processorTime(b)
	b.ResetTimer()
	produce()
	for n := 0; n < b.N; {
		n += consume()
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/msg")
}

// processorTime returns what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
