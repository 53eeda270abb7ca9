package edge

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// TestOutageLog refuses many requests while the queue fails: the log has a line a
// second, the counts have every request.
func TestOutageLog(t *testing.T) {
	var log bytes.Buffer
	b := newRig(t, func(cfg *Config) { cfg.Log = zerolog.New(&log) })
	b.queue.fail = func() (bool, error) { return false, errQueueDown }
	type line struct {
		Level, Reason  string
		UnloggedBefore int64 `json:"unlogged_before"`
	}
	refuse := func(n int) (lines []line) {
		t.Helper()
		log.Reset()
		for range n {
			if w := b.post("/api/9/store/", "{}"); w.Code != http.StatusServiceUnavailable {
				t.Fatalf("status %d", w.Code)
			}
		}
		for dec := json.NewDecoder(&log); dec.More(); {
			var l line
			if err := dec.Decode(&l); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, l)
		}
		return lines
	}
	const reason = "queue_unavailable"
	for i, step := range []struct {
		wait time.Duration
		n    int
		want []line
	}{
		{0, 100, []line{{"error", reason, 0}}},
		{999 * time.Millisecond, 7, nil},
		{time.Millisecond, 5, []line{{"error", reason, 106}}},
		{time.Hour, 1, []line{{"error", reason, 4}}},
		{time.Hour, 1, []line{{"error", reason, 0}}},
		{-time.Hour, 1, []line{{"error", reason, 0}}}, // a clock that was set back keeps nothing silent
	} {
		b.now = b.now.Add(step.wait)
		if diff := cmp.Diff(step.want, refuse(step.n)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	// What clients did wrong is logged as ever, whatever the queue does.
	log.Reset()
	for range 3 {
		b.post("/api/9/security/", `{"x":1}`)
	}
	if lines := bytes.Count(log.Bytes(), []byte("bad_json")); lines != 3 {
		t.Errorf("%d lines of 3 about reports that cannot be read", lines)
	}
	b.queue.fail = nil
	total := int64(0)
	for name, n := range b.flushed() {
		if name == "error/refused/"+reason {
			total += n
		}
	}
	if total != 115 {
		t.Errorf("%d refusals counted of 115", total)
	}
}
