package lambdahttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

var _ lambda.Handler = (*Adapter)(nil)

// invoke hands an event over as Lambda does.
func invoke(t testing.TB, ctx context.Context, event []byte, handle http.Handler) (events.LambdaFunctionURLResponse, string) {
	t.Helper()
	var log bytes.Buffer
	a := &Adapter{Handler: handle, Log: zerolog.New(&log), Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
		zerolog.Ctx(r.Context()).Error().Err(err).Msg("refused")
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}}
	ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	out, err := a.Invoke(ctx, event)
	if err != nil {
		t.Fatalf("an error instead of an answer: %v", err)
	}
	var response events.LambdaFunctionURLResponse
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatalf("answer %s: %v", out, err)
	}
	return response, log.String()
}

// get returns the event of a request without a body.
func get(t testing.TB, method string, header map[string]string) []byte {
	t.Helper()
	event, err := json.Marshal(events.LambdaFunctionURLRequest{RawPath: "/", Headers: header,
		RequestContext: events.LambdaFunctionURLRequestContext{HTTP: events.LambdaFunctionURLRequestContextHTTPDescription{Method: method}}})
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// TestRefuse checks that everything that keeps a handler from answering is answered,
// without a word of what was sent.
func TestRefuse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		event  []byte
		handle http.HandlerFunc
		want   error
		log    string
	}{
		{"malformed", []byte(`{"version":"secret"}`), nil, ErrEvent, "requestContext"},
		{"panic", readEvent(t, "httpapi"), func(http.ResponseWriter, *http.Request) { panic("secret") }, ErrPanic, `"panic":"string"`},
		{"runtime panic", readEvent(t, "httpapi"), func(http.ResponseWriter, *http.Request) { (*Adapter)(nil).Log.Log() }, ErrPanic, "TestRefuse"},
		{"aborted", readEvent(t, "httpapi"), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrAborted, "broke off"},
		{"too large", readEvent(t, "httpapi"), func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, strings.Repeat("x", maxAnswer))
		}, ErrTooLarge, "larger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, log := invoke(t, t.Context(), tt.event, tt.handle)
			if got.StatusCode != http.StatusInternalServerError || !strings.Contains(got.Body, tt.want.Error()) {
				t.Errorf("status %d: %q", got.StatusCode, got.Body)
			}
			if !strings.Contains(log, tt.log) || !strings.Contains(log, `"requestId":"request-1"`) || strings.Contains(log+got.Body, "secret") {
				t.Errorf("answered %q, logged %s", got.Body, log)
			}
		})
	}
}

// TestDeadline checks that a handler's context ends before the invocation.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, timeout := range []time.Duration{3 * time.Second, 600 * time.Millisecond} {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			invoke(t, ctx, readEvent(t, "httpapi"), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
			cancel()
			if left := timeout - time.Since(began); left != min(Margin, timeout/2) {
				t.Errorf("%v before the deadline", left)
			}
		}
	})
}

// TestAnswer checks how a response is put into payload format 2.0.
func TestAnswer(t *testing.T) {
	got, _ := invoke(t, t.Context(), readEvent(t, "httpapi"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Add("Set-Cookie", "a=1; Path=/")
		h.Add("Set-Cookie", "b=2")
		h.Add("X-Multi", "one")
		h.Add("X-Multi", "two")
		w.WriteHeader(http.StatusEarlyHints) // cannot be sent
		io.WriteString(w, "x\xff")
		w.WriteHeader(http.StatusTeapot) // too late
	}))
	want := events.LambdaFunctionURLResponse{StatusCode: 200, Headers: map[string]string{"X-Multi": "one,two"},
		Cookies: []string{"a=1; Path=/", "b=2"}, Body: base64.StdEncoding.EncodeToString([]byte("x\xff")), IsBase64Encoded: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<p>h\u00e9</p>") })
	if got, _ = invoke(t, t.Context(), get(t, "GET", nil), page); got.Body != "<p>h\u00e9</p>" || got.IsBase64Encoded {
		t.Errorf("text: %+v", got)
	}
	if got, _ = invoke(t, t.Context(), get(t, "HEAD", nil), page); got.Body != "" || got.StatusCode != 200 {
		t.Errorf("HEAD: %+v", got)
	}
}

// TestBrokenForward checks that half of another server's answer is not passed off as
// the whole.
func TestBrokenForward(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer broken.Close()
	target, err := url.Parse(broken.URL)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := invoke(t, t.Context(), get(t, "GET", nil), httputil.NewSingleHostReverseProxy(target))
	if got.StatusCode != http.StatusInternalServerError || !strings.Contains(got.Body, ErrAborted.Error()) {
		t.Errorf("status %d: %q", got.StatusCode, got.Body)
	}
}

func TestCompress(t *testing.T) {
	long := strings.Repeat("<p>many words</p>\n", 1000)
	for _, tt := range []struct {
		name, accepts, kind, coding, body string
		want                              bool
	}{
		{"page", "br, gzip;q=0.8", "text/html; charset=utf-8", "", long, true},
		{"style", "GZIP", "text/css", "", long, true},
		{"short", "gzip", "text/html", "", "<p>few</p>", false},
		{"not accepted", "br", "text/html", "", long, false},
		{"refused", "gzip; q=0.00", "text/html", "", long, false},
		{"of another kind", "gzip", "image/png", "", long, false},
		{"compressed before", "gzip", "text/html", "br", long, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := invoke(t, t.Context(), get(t, "GET", map[string]string{"accept-encoding": tt.accepts}),
				Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", tt.kind)
					w.Header().Set("Content-Length", "1")
					if tt.coding != "" {
						w.Header().Set("Content-Encoding", tt.coding)
					}
					w.WriteHeader(http.StatusAccepted)
					io.WriteString(w, tt.body)
				})))
			if got.StatusCode != http.StatusAccepted || got.IsBase64Encoded != tt.want || (got.Headers["Content-Encoding"] == "gzip") != tt.want {
				t.Fatalf("%+v", got)
			}
			if !tt.want {
				if got.Body != tt.body || got.Headers["Content-Encoding"] != tt.coding {
					t.Errorf("%+v", got)
				}
				return
			}
			if body, err := unzip(got.Body); err != nil || body != tt.body || got.Headers["Content-Length"] == "1" || got.Headers["Vary"] != "Accept-Encoding" {
				t.Errorf("%v: %+v", err, got.Headers)
			}
		})
	}
}

// unzip returns what is in a body of base64 and gzip.
func unzip(encoded string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(r)
	return string(body), errors.Join(err, r.Close())
}
