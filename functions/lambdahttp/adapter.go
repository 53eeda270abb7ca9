// Package lambdahttp puts an http.Handler behind a Lambda Function URL or an HTTP
// API: an event of payload format 2.0 becomes a request, and what the handler writes
// becomes the answer.
//
// It exists so that the functions answer the same handlers that run in a process of
// their own. Rules: an answer is there before the deadline, and is never an
// invocation that failed, whatever the event, the handler or the size of what it
// wrote; nothing that came with a request is quoted in an error or in the log; the
// adapter keeps nothing between invocations.
package lambdahttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/rs/zerolog"
)

// What no handler could answer.
var (
	ErrEvent    = errors.New("not an event of payload format 2.0")
	ErrPanic    = errors.New("the handler panicked")
	ErrAborted  = errors.New("the answer broke off")
	ErrTooLarge = errors.New("the answer is larger than Lambda takes")
)

const (
	// Margin is what is left of an invocation's time for the answer: whoever is
	// killed cannot answer.
	Margin = 500 * time.Millisecond

	// maxAnswer is how large an encoded answer may be.
	maxAnswer = 6 << 20
)

// Adapter is a lambda.Handler that answers with an http.Handler. All fields must be
// given. It is safe for concurrent use if they are.
type Adapter struct {
	Handler http.Handler

	// Refuse answers what Handler could not; err wraps one of the errors above. It
	// must not panic, and its request has nothing but a context.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)

	// Log is what requests find in their context, with Lambda's id of the request.
	Log zerolog.Logger
}

// Invoke answers one request, with nothing before or after it. The error is nil.
func (a *Adapter) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := a.Begin(ctx)
	defer cancel()
	return a.Serve(ctx, payload)
}

// Begin returns the context of an invocation: with the log, and with an end before
// Lambda's.
func (a *Adapter) Begin(ctx context.Context) (context.Context, context.CancelFunc) {
	log := a.Log
	if call, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With().Str("requestId", call.AwsRequestID).Logger()
	}
	return withMargin(log.WithContext(ctx))
}

// withMargin returns a context that ends before the invocation does.
func withMargin(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(Margin, time.Until(deadline)/2)))
}

// Serve answers an event, with a context of Begin. The error is nil.
func (a *Adapter) Serve(ctx context.Context, payload []byte) ([]byte, error) {
	out, err := a.serve(ctx, payload).encode()
	if err == nil && len(out) > maxAnswer {
		return a.refuse(ctx, ErrTooLarge).encode()
	}
	return out, err
}

// serve has an event answered, whatever the handler does.
func (a *Adapter) serve(ctx context.Context, payload []byte) (out *answer) {
	defer func() {
		if p := recover(); p != nil {
			out = a.refuse(ctx, panicked(ctx, p))
		}
	}()
	r, err := newRequest(asServer(ctx), payload)
	if err != nil {
		return a.refuse(ctx, err)
	}
	out = newAnswer()
	a.Handler.ServeHTTP(out, r)
	if r.Method == http.MethodHead {
		out.body.Reset()
	}
	return out
}

// asServer marks a context as one of a server, as net/http does: a handler that
// passes another server's answer on says only under one that it broke off.
func asServer(ctx context.Context) context.Context {
	return context.WithValue(ctx, http.ServerContextKey, &http.Server{})
}

func (a *Adapter) refuse(ctx context.Context, err error) *answer {
	out := newAnswer()
	r := &http.Request{Header: http.Header{}}
	a.Refuse(out, r.WithContext(ctx), err)
	return out
}

// panicked logs where a panic came from. What was said is logged only when the
// runtime said it: anything else might quote a payload.
func panicked(ctx context.Context, p any) error {
	if p == http.ErrAbortHandler {
		return ErrAborted
	}
	said := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		said = err.Error()
	}
	zerolog.Ctx(ctx).Error().Str("panic", said).Bytes("stack", debug.Stack()).Msg("panicked")
	return ErrPanic
}
