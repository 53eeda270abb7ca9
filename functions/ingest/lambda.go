package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/functions/ingest/edge"
	"sundew/functions/lambdahttp"
)

const (
	// flushEvery is how often counts are sent, flushTimeout how long that may take
	// at the end of an invocation, and terminateTimeout at the end of the process,
	// which comes half a second after it is announced.
	flushEvery       = 10 * time.Second
	flushTimeout     = time.Second
	terminateTimeout = 300 * time.Millisecond
)

// function is a lambda.Handler that answers HTTP requests with an edge.Handler. It is
// safe for concurrent use: some environments invoke it several times at once.
type function struct {
	edge *edge.Handler
	keys *keys
	log  zerolog.Logger
	now  func() time.Time

	flushing  sync.Mutex
	flushedAt time.Time // guarded by flushing
}

// Invoke answers one request. It never returns an error for what a client or the
// queue did: that would be an invocation that failed, and an answer without form.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	adapter := lambdahttp.Adapter{Handler: f.edge, Refuse: f.refuse, Log: f.log}
	ctx, cancel := adapter.Begin(ctx)
	defer cancel()
	f.keys.refresh(ctx)
	answer, err := adapter.Serve(ctx, payload)
	f.flush(ctx)
	f.keys.settle()
	return answer, err
}

// refuse answers in the protocol's form what never got to the handler, or came out
// of it in pieces.
func (f *function) refuse(w http.ResponseWriter, r *http.Request, err error) {
	kind := edge.ErrInternal
	if errors.Is(err, lambdahttp.ErrEvent) {
		kind = edge.ErrRequest
	}
	f.edge.Refuse(w, r, fmt.Errorf("%w: %w", kind, err))
}

// flush sends what was counted, if that was not done lately. Nothing runs between
// invocations, so this is time that one client in ten seconds waits for.
func (f *function) flush(ctx context.Context) {
	if !f.flushing.TryLock() {
		return
	}
	defer f.flushing.Unlock()
	now := f.now()
	if now.Sub(f.flushedAt) < flushEvery || ctx.Err() != nil {
		return
	}
	f.flushedAt = now
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := f.edge.FlushCounts(ctx); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("counts could not be sent; they are kept")
	}
}

// terminate sends what was counted before the process ends. Lambda announces that
// only to functions with an extension, which lambda.WithEnableSIGTERM registers.
func (f *function) terminate() {
	ctx, cancel := context.WithTimeout(context.Background(), terminateTimeout)
	defer cancel()
	if err := f.edge.FlushCounts(ctx); err != nil {
		f.log.Warn().Err(err).Msg("the last counts could not be sent")
	}
}
