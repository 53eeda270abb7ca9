package lambdatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var moment = time.Date(2026, 11, 21, 9, 0, 0, 250e6, time.UTC)

// eventOf returns the event of a request as a program sees it.
func eventOf(t *testing.T, r *http.Request) map[string]any {
	t.Helper()
	payload, err := encodeEvent(r, "eu-central-1", moment)
	if err != nil {
		t.Fatal(err)
	}
	var e map[string]any
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEncodeEvent(t *testing.T) {
	r := httptest.NewRequest("POST", "/api/1/envelope//?a=1&b=x%2By&a=2&c=p+q", strings.NewReader(`{}`))
	r.RemoteAddr = "192.0.2.7:4711"
	r.Header.Add("Content-Type", "application/x-sentry-envelope")
	r.Header.Add("X-Sentry-Auth", "Sentry sentry_key=k")
	r.Header.Add("X-Twice", "1")
	r.Header.Add("X-Twice", "2")
	r.Header.Add("Cookie", "a=1; b=2")
	r.Header.Add("Cookie", "c=3")
	r.Header.Add("Connection", "keep-alive")
	r.Header.Add("User-Agent", "test/1.0")
	r.Header.Add("X-Forwarded-For", "10.0.0.1")
	got := eventOf(t, r)

	// What is made by chance is there, and is not compared.
	headers := got["headers"].(map[string]any)
	requestContext := got["requestContext"].(map[string]any)
	if trace, _ := headers["x-amzn-trace-id"].(string); !strings.HasPrefix(trace, "Root=1-") {
		t.Errorf("x-amzn-trace-id is %q", trace)
	}
	if id, _ := requestContext["requestId"].(string); len(id) != 36 {
		t.Errorf("requestId is %q", id)
	}
	delete(headers, "x-amzn-trace-id")
	delete(requestContext, "requestId")

	const domain = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws"
	want := map[string]any{
		"version": "2.0", "routeKey": "$default",
		"rawPath": "/api/1/envelope//", "rawQueryString": "a=1&b=x%2By&a=2&c=p+q",
		"queryStringParameters": map[string]any{"a": "1,2", "b": "x+y", "c": "p q"},
		"cookies":               []any{"a=1", "b=2", "c=3"},
		"headers": map[string]any{
			"content-type": "application/x-sentry-envelope", "x-sentry-auth": "Sentry sentry_key=k", "x-twice": "1,2",
			"user-agent": "test/1.0", "host": domain,
			"x-forwarded-for": "10.0.0.1, 192.0.2.7", "x-forwarded-proto": "https", "x-forwarded-port": "443",
		},
		"body": base64.StdEncoding.EncodeToString([]byte(`{}`)), "isBase64Encoded": true,
		"requestContext": map[string]any{
			"accountId": "anonymous", "apiId": "abcdefghijklmnopqrstuvwxyz012345", "domainName": domain,
			"domainPrefix": "abcdefghijklmnopqrstuvwxyz012345", "routeKey": "$default", "stage": "$default",
			"time": "21/Nov/2026:09:00:00 +0000", "timeEpoch": float64(moment.UnixMilli()),
			"http": map[string]any{
				"method": "POST", "path": "/api/1/envelope//", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "test/1.0",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestEncodeBody(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		body        string
		plain       bool
	}{
		{"text/plain", "x", true},
		{"text/plain;charset=UTF-8", "x", true},
		{"TEXT/HTML", "x", true},
		{"application/json", "{}", true},
		{"application/json; charset=utf-8", "{}", true},
		{"application/xml", "<x/>", true},
		{"application/javascript", "x", true},
		{"application/json;;=broken", "{}", true},
		{"", "x", false},
		{"application/x-sentry-envelope", "{}", false},
		{"application/x-www-form-urlencoded", "a=b", false},
		{"application/csp-report", "{}", false},
		{"application/vnd.api+json", "{}", false},
		{"application/jsonp", "{}", false},
		{"application/json", "\x1f\x8b\x08\x00", false},
		{"application/json", "", true},
		{"", "", true},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.contentType)
		if tt.contentType == "" {
			r.Header.Del("Content-Type")
		}
		e := eventOf(t, r)
		want := any(tt.body)
		switch {
		case tt.body == "":
			want = nil
		case !tt.plain:
			want = base64.StdEncoding.EncodeToString([]byte(tt.body))
		}
		if e["isBase64Encoded"] != !tt.plain || e["body"] != want {
			t.Errorf("%q, %q: isBase64Encoded %v, body %q", tt.contentType, tt.body, e["isBase64Encoded"], e["body"])
		}
	}
}

// Six megabytes are the event's: in base64 a body has three quarters of that.
func TestEncodeLimit(t *testing.T) {
	for _, tt := range []struct {
		contentType string
		size        int
		fits        bool
	}{
		{"text/plain", maxPayload - 4<<10, true},
		{"text/plain", maxPayload, false},
		{"", maxPayload/4*3 - 4<<10, true},
		{"", maxPayload / 4 * 3, false},
		{"", 2 * maxPayload, false},
	} {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(bytes.Repeat([]byte("x"), tt.size)))
		r.Header.Set("Content-Type", tt.contentType)
		if _, err := encodeEvent(r, "r", moment); errors.Is(err, errTooLarge) == tt.fits || !tt.fits && err == nil {
			t.Errorf("%q of %d bytes: %v", tt.contentType, tt.size, err)
		}
	}
}

func TestWriteResponse(t *testing.T) {
	for _, tt := range []struct {
		encoded string
		status  int
		header  http.Header
		body    string
	}{
		{`{"statusCode":403,"headers":{"Content-Type":"text/plain","x-sentry-error":"e"},"cookies":["a=1","b=2"],"body":"no"}`, 403,
			http.Header{"Content-Type": {"text/plain"}, "X-Sentry-Error": {"e"}, "Set-Cookie": {"a=1", "b=2"}}, "no"},
		{`{"statusCode":200,"body":"aGVsbG8=","isBase64Encoded":true}`, 200, http.Header{"Content-Type": {"application/json"}}, "hello"},
		{`{"id":"1"}`, 200, http.Header{"Content-Type": {"application/json"}}, `{"id":"1"}`},
		{`"hello"`, 200, http.Header{"Content-Type": {"application/json"}}, `"hello"`},
	} {
		w := httptest.NewRecorder()
		if err := writeResponse(w, []byte(tt.encoded)); err != nil {
			t.Errorf("%s: %v", tt.encoded, err)
		}
		if w.Code != tt.status || w.Body.String() != tt.body || !cmp.Equal(w.Header(), tt.header) {
			t.Errorf("%s: answered %d %v %q", tt.encoded, w.Code, w.Header(), w.Body)
		}
	}
	for _, bad := range []string{``, `{`, `{"statusCode":99}`, `{"statusCode":200,"body":"-","isBase64Encoded":true}`} {
		w := httptest.NewRecorder()
		if err := writeResponse(w, []byte(bad)); !errors.Is(err, ErrFunction) || w.Body.Len() > 0 {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
