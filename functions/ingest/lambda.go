package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/rs/zerolog"

	"sundew/functions/ingest/edge"
)

const (
	// margin is what is left of an invocation's time for the answer: whoever is
	// killed cannot answer.
	margin = 500 * time.Millisecond

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
	log := f.log
	if call, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With().Str("requestId", call.AwsRequestID).Logger()
	}
	ctx, cancel := withMargin(log.WithContext(ctx))
	defer cancel()
	f.keys.refresh(ctx)
	a := f.serve(ctx, payload)
	f.flush(ctx)
	f.keys.settle()
	return a.encode()
}

// withMargin returns a context that ends before the invocation does.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(margin, time.Until(deadline)/2)))
}

// serve answers an event.
func (f *function) serve(ctx context.Context, payload []byte) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			a = f.refuse(ctx, panicked(ctx, p))
		}
	}()
	r, err := newRequest(ctx, payload)
	if err != nil {
		return f.refuse(ctx, err)
	}
	a = newAnswer()
	f.edge.ServeHTTP(a, r)
	return a
}

// refuse answers an event that no handler could.
func (f *function) refuse(ctx context.Context, err error) *answer {
	a := newAnswer()
	r := &http.Request{Header: http.Header{}}
	f.edge.Refuse(a, r.WithContext(ctx), err)
	return a
}

// panicked logs where a panic came from. What was said is logged only when the
// runtime said it: anything else might quote a payload.
func panicked(ctx context.Context, p any) error {
	said := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		said = err.Error()
	}
	zerolog.Ctx(ctx).Error().Str("panic", said).Bytes("stack", debug.Stack()).Msg("panicked")
	return edge.ErrInternal
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
