package lambdahttp

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readEvent returns one of the recorded kinds of events.
func readEvent(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// seen is what a handler sees of a request.
type seen struct {
	Method, URL, Host, RemoteAddr string
	Header                        map[string]string
	Body                          string
}

func look(t testing.TB, r *http.Request) seen {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	s := seen{r.Method, r.URL.String(), r.Host, r.RemoteAddr, map[string]string{}, string(body)}
	if r.ContentLength != int64(len(body)) {
		t.Errorf("ContentLength %d for %d bytes", r.ContentLength, len(body))
	}
	for _, name := range []string{"Content-Type", "Content-Encoding", "X-Sentry-Auth", "Cookie", "X-Multi", "User-Agent", "Host"} {
		if values := r.Header.Values(name); len(values) > 0 {
			s.Header[name] = strings.Join(values, "|")
		}
	}
	return s
}

func TestNewRequest(t *testing.T) {
	envelope := "{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\"}\n{\"type\":\"event\"}\n{\"message\":\"h\u00e9\"}\n"
	const functionURL = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"
	for name, want := range map[string]seen{
		"functionurl-base64": {"POST", "https://" + functionURL + "/api/42/envelope/", functionURL, "192.0.2.7:0",
			map[string]string{"Content-Type": "application/x-sentry-envelope", "User-Agent": "sentry.python/2.48.0",
				"X-Sentry-Auth": "Sentry sentry_version=7, sentry_client=sentry.python/2.48.0, sentry_key=0123456789abcdef0123456789abcdef"}, envelope},
		"functionurl-text": {"POST", "https://" + functionURL + "/api/42/envelope/?sentry_version=7&sentry_client=a+b&sentry_key=0123456789abcdef0123456789abcdef",
			functionURL, "[2001:db8::7]:0", map[string]string{"Content-Type": "text/plain;charset=UTF-8", "User-Agent": "Mozilla/5.0"}, envelope},
		"httpapi": {"POST", "https://errors.example.com/live/api/42/store/?sentry_key=0123456789abcdef0123456789abcdef&x=%2B&y=a+b", "errors.example.com", "198.51.100.7:0",
			map[string]string{"Content-Type": "application/json", "Cookie": "a=1; b=2", "X-Multi": "one,two"}, `{"message":"x/y"}`},
		"preflight": {"OPTIONS", "https://" + functionURL + "/api/42/envelope/", functionURL, "192.0.2.7:0", map[string]string{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newRequest(t.Context(), readEvent(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, look(t, r)); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNewRequestMalformed checks that nothing of an event that is none is quoted.
func TestNewRequestMalformed(t *testing.T) {
	for _, event := range []string{
		``, `secret`, `[]`, `"secret"`, `null`, `{}`, `{"rawPath":7}`, `{"version":"1.0","httpMethod":"POST","body":"secret"}`,
		`{"requestContext":{"http":{"method":"POST"}},"body":"secret`,
		`{"requestContext":{"http":{"method":"POST"}},"body":"secret!","isBase64Encoded":true}`,
		`{"requestContext":{"http":{"method":"POST"}},"body":{"secret":1}}`,
		`{"requestContext":{"http":{"method":"POST"}},"cookies":["a",7]}`,
		`{"requestContext":[],"body":"secret"}`,
	} {
		r, err := newRequest(t.Context(), []byte(event))
		if !errors.Is(err, ErrEvent) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", event, r, err)
		}
	}
	lenient := `{"headers":null,"cookies":null,"body":null,"rawPath":null,"isBase64Encoded":null,"new":[{}],"requestContext":{"http":{"method":"POST"},"new":1}}`
	if _, err := newRequest(t.Context(), []byte(lenient)); err != nil {
		t.Errorf("%s: %v", lenient, err)
	}
}

// FuzzNewRequest throws events at the adapter: each is a request or refused, and what
// was sent in base64 arrives as it is.
func FuzzNewRequest(f *testing.F) {
	for _, name := range []string{"functionurl-base64", "functionurl-text", "httpapi", "preflight"} {
		f.Add(readEvent(f, name), []byte("x\xff"))
	}
	f.Fuzz(func(t *testing.T, event, body []byte) {
		if r, err := newRequest(t.Context(), event); err == nil {
			look(t, r)
		} else if !errors.Is(err, ErrEvent) {
			t.Errorf("error %v", err)
		}
		encoded, err := json.Marshal(map[string]any{
			"requestContext":  map[string]any{"http": map[string]string{"method": "POST"}},
			"isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString(body),
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRequest(t.Context(), encoded)
		if err != nil {
			t.Fatal(err)
		}
		if got := look(t, r).Body; got != string(body) {
			t.Errorf("body %q, want %q", got, body)
		}
	})
}
