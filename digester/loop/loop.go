// Package loop waits, and does things again and again, until a context is done.
//
// It exists because everything that works in the background does both, and each time a
// timer has to be stopped.
package loop

import (
	"context"
	"time"
)

// Pause waits for d. It returns ctx's error if that is done before; who looks at ctx
// next need not look at it.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Every does something again and again until ctx is done, the first time after one
// pause.
func Every(ctx context.Context, pause time.Duration, do func()) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}
