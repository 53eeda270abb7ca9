package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/rs/zerolog"

	"sundew/functions/ingest/edge"
	"sundew/functions/lambdahttp"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

var _ lambda.Handler = (*function)(nil)

// readEvent returns one of the adapter's kinds of events.
func readEvent(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile("../lambdahttp/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// senderFunc is an edge.Sender.
type senderFunc func(context.Context, []*wire.Message) error

func (f senderFunc) Send(ctx context.Context, msgs []*wire.Message) error { return f(ctx, msgs) }

// newTestFunction returns a function that knows the key of the events in testdata.
func newTestFunction(t testing.TB, limits edge.Limits, send senderFunc) (*function, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	source := &scriptedSource{snapshot: keyring.Snapshot{At: time.Now(),
		Keys: []keyring.Key{{Project: 42, Public: goodKey, Enabled: true}}}}
	f := &function{keys: &keys{source: source, now: time.Now}, log: zerolog.New(&log), now: time.Now, flushedAt: time.Now()}
	var err error
	if f.edge, err = edge.New(edge.Config{Keys: f.keys, Sender: send, Limits: limits}); err != nil {
		t.Fatal(err)
	}
	return f, &log
}

// invoke hands an event over as Lambda does.
func invoke(t testing.TB, f *function, ctx context.Context, event []byte) events.LambdaFunctionURLResponse {
	t.Helper()
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	out, err := f.Invoke(ctx, event)
	if err != nil {
		t.Fatalf("an error instead of an answer: %v", err)
	}
	var response events.LambdaFunctionURLResponse
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatalf("answer %s: %v", out, err)
	}
	if response.Headers["Access-Control-Allow-Origin"] != "*" {
		t.Errorf("an answer without CORS: %s", out)
	}
	if response.StatusCode >= 400 && !strings.HasPrefix(response.Body, `{"detail":"`) {
		t.Errorf("status %d has body %q", response.StatusCode, response.Body)
	}
	return response
}

func TestInvoke(t *testing.T) {
	ignore := func(context.Context, []*wire.Message) error { return nil }
	for _, tt := range []struct {
		name   string
		event  []byte
		limits edge.Limits
		send   senderFunc
		status int
		body   string
		log    string
	}{
		{"accepted", readEvent(t, "functionurl-base64"), edge.Limits{}, ignore, 200, `{"id":"9ec79c33ec9942ab8353589fcb2e04dc"}`, ""},
		{"accepted text", readEvent(t, "functionurl-text"), edge.Limits{}, ignore, 200, `{"id":"9ec79c33ec9942ab8353589fcb2e04dc"}`, ""},
		{"preflight", readEvent(t, "preflight"), edge.Limits{}, ignore, 200, "", ""},
		{"malformed", []byte(`{"version":"1.0"}`), edge.Limits{}, ignore, 400, "", "bad_request"},
		{"too large", readEvent(t, "functionurl-base64"), edge.Limits{Body: 10}, ignore, 413, "", "too_large"},
		{"not queued", readEvent(t, "httpapi"), edge.Limits{}, func(context.Context, []*wire.Message) error { return errSource }, 503, "", "queue_unavailable"},
		{"panic", readEvent(t, "httpapi"), edge.Limits{}, func(context.Context, []*wire.Message) error { panic("secret") }, 500, "", "internal"},
		{"runtime panic", readEvent(t, "httpapi"), edge.Limits{}, func(_ context.Context, m []*wire.Message) error { m[7].Seq++; return nil }, 500, "", "index out of range"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, log := newTestFunction(t, tt.limits, tt.send)
			got := invoke(t, f, t.Context(), tt.event)
			if got.StatusCode != tt.status || got.IsBase64Encoded || tt.body != "" && got.Body != tt.body {
				t.Errorf("status %d: %q", got.StatusCode, got.Body)
			}
			if tt.log == "" && log.Len() > 0 || !strings.Contains(log.String(), tt.log) {
				t.Errorf("logged %s", log)
			}
			if log.Len() > 0 && !strings.Contains(log.String(), `"requestId":"request-1"`) {
				t.Errorf("logged without the request's id: %s", log)
			}
			for _, secret := range []string{"secret", goodKey, "x/y"} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("%q is in the log: %s", secret, log)
				}
			}
		})
	}
}

// TestPanicStack checks that the log says where a panic came from, and that the next
// request is answered.
func TestPanicStack(t *testing.T) {
	bad := true
	f, log := newTestFunction(t, edge.Limits{}, func(context.Context, []*wire.Message) error {
		if bad {
			panic("secret")
		}
		return nil
	})
	invoke(t, f, t.Context(), readEvent(t, "httpapi"))
	if !strings.Contains(log.String(), "TestPanicStack") {
		t.Errorf("logged %s", log)
	}
	bad = false
	if got := invoke(t, f, t.Context(), readEvent(t, "httpapi")); got.StatusCode != 200 {
		t.Errorf("the next: %d", got.StatusCode)
	}
}

// TestDeadline checks that a queue that does not answer in time is answered for,
// before the invocation is killed.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := newTestFunction(t, edge.Limits{}, func(ctx context.Context, _ []*wire.Message) error {
			<-ctx.Done()
			return ctx.Err()
		})
		for _, timeout := range []time.Duration{3 * time.Second, 600 * time.Millisecond} {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			got := invoke(t, f, ctx, readEvent(t, "httpapi"))
			left := timeout - time.Since(began)
			cancel()
			if got.StatusCode != http.StatusServiceUnavailable || left != min(lambdahttp.Margin, timeout/2) {
				t.Errorf("status %d, %v before the deadline", got.StatusCode, left)
			}
		}
	})
}

// TestNothingOutlives checks that an invocation does not end before a read of the keys
// that it began, and that its request did not wait that long.
func TestNothingOutlives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sentAfter time.Duration
		began := time.Now()
		f, _ := newTestFunction(t, edge.Limits{}, func(context.Context, []*wire.Message) error {
			sentAfter = time.Since(began)
			return nil
		})
		f.keys.source.(*scriptedSource).takes = 600 * time.Millisecond
		invoke(t, f, t.Context(), readEvent(t, "httpapi"))
		if took := time.Since(began); took != 600*time.Millisecond || sentAfter != keysWait+keysWaitUnknown {
			t.Errorf("sent after %v, ended after %v", sentAfter, took)
		}
	})
}

// TestFlush checks when counts are sent: once in flushEvery and at the end, kept when
// the queue fails.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail error
		sent := 0
		f, _ := newTestFunction(t, edge.Limits{}, func(ctx context.Context, msgs []*wire.Message) error {
			if fail == nil && msgs[0].Kind == wire.KindCounts {
				sent++
			}
			return fail
		})
		refused := []byte(`{}`)
		invoke(t, f, t.Context(), refused)
		if sent != 0 {
			t.Error("flushed at once")
		}
		time.Sleep(flushEvery)
		fail = errSource
		invoke(t, f, t.Context(), refused)
		fail = nil
		invoke(t, f, t.Context(), refused)
		if sent != 0 {
			t.Error("flushed again at once after a failure")
		}
		time.Sleep(flushEvery)
		invoke(t, f, t.Context(), refused)
		invoke(t, f, t.Context(), refused)
		if sent != 1 {
			t.Errorf("flushed %d times, want once", sent)
		}
		f.terminate()
		if sent != 2 {
			t.Errorf("flushed %d times at the end, want twice", sent)
		}
	})
}

// TestInvokeTogether invokes one environment many times at once, as Lambda's managed
// instances do.
func TestInvokeTogether(t *testing.T) {
	f, _ := newTestFunction(t, edge.Limits{}, func(context.Context, []*wire.Message) error { return nil })
	f.log = zerolog.Nop()
	event := readEvent(t, "functionurl-base64")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				if out, err := f.Invoke(t.Context(), event); err != nil || !bytes.Contains(out, []byte(`"statusCode":200`)) {
					t.Errorf("%s, %v", out, err)
				}
			}
		})
	}
	group.Wait()
}

// BenchmarkInvoke is one event of 9 KB from Lambda's event to its answer.
func BenchmarkInvoke(b *testing.B) {
	f, _ := newTestFunction(b, edge.Limits{}, func(context.Context, []*wire.Message) error { return nil })
	envelope := `{}` + "\n" + `{"type":"event"}` + "\n" + `{"message":"` + strings.Repeat("hello ", 1500) + `"}`
	event, err := json.Marshal(events.LambdaFunctionURLRequest{
		RawPath: "/api/42/envelope/", RawQueryString: "sentry_key=" + goodKey,
		RequestContext: events.LambdaFunctionURLRequestContext{HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: "POST"}},
		Body:           base64.StdEncoding.EncodeToString([]byte(envelope)), IsBase64Encoded: true,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if out, err := f.Invoke(b.Context(), event); err != nil || !bytes.Contains(out, []byte(`"statusCode":200`)) {
			b.Fatalf("%s, %v", out, err)
		}
	}
}
