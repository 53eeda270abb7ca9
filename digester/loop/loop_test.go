package loop_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/loop"
)

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := loop.Pause(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if err := loop.Pause(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("cut short after %v: %v", time.Since(began), err)
		}
	})
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		began, times := time.Now(), 0
		loop.Every(ctx, time.Second, func() { times++ })
		if took := time.Since(began); times != 3 || took != 3500*time.Millisecond {
			t.Errorf("done %d times in %v", times, took)
		}
	})
}
