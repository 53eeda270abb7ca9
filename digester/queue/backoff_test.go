package queue

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	for receives, want := range []time.Duration{30, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600} {
		if got := Backoff(30*time.Second, receives); got != want*time.Second {
			t.Errorf("after %d deliveries: %v, want %v", receives, got, want*time.Second)
		}
	}
	if got := Backoff(time.Second, 1<<40); got != time.Hour {
		t.Errorf("after very many: %v", got)
	}
}
