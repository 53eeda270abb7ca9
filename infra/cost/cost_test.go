package main

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"
)

// usual is a million events of 8 KiB with the function's realistic time.
func usual() Load {
	return Load{Events: 1e6, WireBytes: 8192, MemoryMB: 256, Milliseconds: 12, Fair: true}
}

// TestMillion: the prices of a million events that were worked out by hand.
func TestMillion(t *testing.T) {
	queued40K := 40960.0 * 3 / 4 // 40 KiB of text in the queue
	for _, c := range []struct {
		name   string
		change func(*Load)
		want   float64
	}{
		{"128 MB 3 ms", func(l *Load) { l.MemoryMB, l.Milliseconds = 128, 3 }, 0.825},
		{"256 MB 3 ms", func(l *Load) { l.Milliseconds = 3 }, 0.830},
		{"512 MB 3 ms", func(l *Load) { l.MemoryMB, l.Milliseconds = 512, 3 }, 0.840},
		{"256 MB 12 ms", func(*Load) {}, 0.86},
		{"no fair queue", func(l *Load) { l.Fair = false }, 0.76},
		{"40 KB in the queue", func(l *Load) { l.WireBytes = queued40K }, 1.06},
		{"text logs", func(l *Load) { l.LogBytes = 320 }, 1.01},
		{"all remote, compressed", func(l *Load) { l.RemoteShare = 1 }, 1.07},
		{"all remote, 40 KB", func(l *Load) { l.RemoteShare, l.WireBytes = 1, queued40K }, 1.83},
		{"HTTP API", func(l *Load) { l.HTTPAPI = true }, 1.86},
		{"all in S3", func(l *Load) { l.ClaimShare = 1 }, 0.86 + 5.40},
		{"each a cold start of 100 ms", func(l *Load) { l.ColdShare, l.ColdMs = 1, 100 }, 0.86 + 0.333},
	} {
		l := usual()
		c.change(&l)
		if got := Cost(l).ByEvents(); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%s: $%.4f, want %.3f", c.name, got, c.want)
		}
	}
}

// TestMonth: whole bills with three regions and 30 days of 8 KB kept, worked out by
// hand and rounded: 1 %.
func TestMonth(t *testing.T) {
	for events, want := range map[float64]float64{1e5: 18.3, 1e6: 19.7, 1e7: 33, 1e8: 168} {
		l := usual()
		l.Events, l.Regions, l.VolumeGB, l.SnapshotGB, l.StoredBytes, l.KeptDays = events, 3, 20, 10, 8000, 30
		if got := Cost(l).Total(); math.Abs(got-want) > 0.01*want {
			t.Errorf("%.0f events: $%.2f, want %.1f", events, got, want)
		}
	}
	idle := Cost(Load{VolumeGB: 20, SnapshotGB: 10})
	if got := idle.Total(); math.Abs(got-18.0) > 0.05 || idle.ByEvents() != 0 {
		t.Errorf("without an event: $%.2f, want 18.0", got)
	}
	if got := Cost(Load{Alarms: 17, Metrics: 2}).Watching; math.Abs(got-2.30) > 0.001 {
		t.Errorf("17 alarms and 2 metrics: $%.2f, want 2.30", got)
	}
	if got := Cost(Load{Regions: 1}).Polling; math.Abs(got-0.053) > 0.001 {
		t.Errorf("a region's polling: $%.4f, want 0.053", got)
	}
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"-events", "2000000", "-http-api"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2000000 events", "HTTP API", "a month"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
	if err := run([]string{"-event", "1"}, io.Discard, io.Discard); err == nil {
		t.Error("an unknown flag is accepted")
	}
}
