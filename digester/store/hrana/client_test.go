package hrana_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store/hrana"
)

// network is a server's side of HTTP: it keeps the batons it is sent and answers
// with what comes next.
type network struct {
	batons  []string
	answers []answer
}

type answer struct {
	status int
	body   string
}

// fine is the answer to a batch of one statement.
const fine = `{"baton":"next","results":[
	{"type":"ok","response":{"type":"batch","result":{"step_results":[{"cols":[],"rows":[],"affected_row_count":1}],"step_errors":[null],"replication_index":"7"}}},
	{"type":"ok","response":{"type":"get_autocommit","is_autocommit":true}}]}`

// open is the same with a transaction left open.
const open = `{"baton":"open","results":[
	{"type":"ok","response":{"type":"batch","result":{"step_results":[{"cols":[],"rows":[],"affected_row_count":0}],"step_errors":[null],"replication_index":null}}},
	{"type":"ok","response":{"type":"get_autocommit","is_autocommit":false}}]}`

func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sent struct{ Baton string }
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &sent); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	n.batons = append(n.batons, sent.Baton)
	next := n.answers[0]
	n.answers = n.answers[1:]
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func stream(t *testing.T, n *network, now func() time.Time) *hrana.Stream {
	t.Helper()
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	c, err := hrana.New(hrana.Config{URL: server.URL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Stream()
}

// TestIdle: a stream that the server may have forgotten is not asked for, unless
// a transaction is open on it.
func TestIdle(t *testing.T) {
	clock := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	n := &network{answers: []answer{{200, fine}, {200, fine}, {200, open}, {200, fine}, {200, fine}}}
	s := stream(t, n, func() time.Time { return clock })
	for _, idle := range []time.Duration{time.Second, 8 * time.Second, 0, 8 * time.Second, 0} {
		if _, err := s.Run(t.Context(), hrana.Statement{SQL: "SELECT 1"}); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(idle)
	}
	if diff := cmp.Diff([]string{"", "next", "", "open", ""}, n.batons); diff != "" {
		t.Errorf("batons (-want +got):\n%s", diff)
	}
	if s.Position != 7 || s.Latest != 7 {
		t.Errorf("position %d, %d", s.Position, s.Latest)
	}
}

// TestForgotten: what did not run is sent once more on a new stream, once, and
// never in a transaction.
func TestForgotten(t *testing.T) {
	expired := answer{400, `{"message":"The stream has expired","code":"STREAM_EXPIRED"}`}
	statement := hrana.Statement{SQL: "SELECT 1"}
	n := &network{answers: []answer{{200, fine}, expired, {200, fine}, {400, "Received an invalid baton"}, expired, {200, open}, expired}}
	s := stream(t, n, time.Now)
	for i, want := range []hrana.Kind{hrana.KindNone, hrana.KindNone, hrana.KindExpired, hrana.KindNone, hrana.KindExpired, hrana.KindExpired} {
		if _, err := s.Run(t.Context(), statement); hrana.KindOf(err) != want {
			t.Errorf("request %d: kind %d of %v", i, hrana.KindOf(err), err)
		}
	}
	if diff := cmp.Diff([]string{"", "next", "", "next", "", "", "open"}, n.batons); diff != "" {
		t.Errorf("batons (-want +got):\n%s", diff)
	}
}

func TestKindOf(t *testing.T) {
	tests := []struct {
		answer answer
		want   hrana.Kind
	}{
		{answer{401, `{"error":"Unauthorized"}`}, hrana.KindRefused},
		{answer{403, ""}, hrana.KindRefused},
		{answer{500, "Connection with primary broken"}, hrana.KindUnknown},
		{answer{503, ""}, hrana.KindUnknown},
		{answer{200, "{}"}, hrana.KindUnknown},
		{answer{200, "no JSON"}, hrana.KindUnknown},
		{answer{200, fine[:100]}, hrana.KindUnknown},
		{answer{302, ""}, hrana.KindUnknown},
	}
	for _, test := range tests {
		_, err := stream(t, &network{answers: []answer{test.answer}}, nil).Run(t.Context(), hrana.Statement{SQL: "SELECT 1"})
		if got := hrana.KindOf(err); got != test.want {
			t.Errorf("%v: kind %d of %v, want %d", test.answer, got, err, test.want)
		}
	}
}

// TestValuesThatCannotBeSent: the request is not sent, and the stream as good as
// before.
func TestValuesThatCannotBeSent(t *testing.T) {
	n := &network{answers: []answer{{200, fine}}}
	s := stream(t, n, nil)
	for _, v := range []any{math.NaN(), math.Inf(1), struct{}{}} {
		if _, err := s.Run(t.Context(), hrana.Statement{SQL: "SELECT ?", Args: []any{v}}); err == nil {
			t.Errorf("%v was sent", v)
		}
	}
	if _, err := s.Run(t.Context(), hrana.Statement{SQL: "SELECT ?", Args: []any{true}}); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "file:x", "http://", "http://user:secret@localhost", "libsql://x"} {
		if _, err := hrana.New(hrana.Config{URL: url}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}

func TestClosedStream(t *testing.T) {
	n := &network{answers: []answer{{200, fine}, {200, `{}`}}}
	s := stream(t, n, nil)
	if _, err := s.Run(t.Context(), hrana.Statement{SQL: "SELECT 1"}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(t.Context()), s.Close(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := s.Run(t.Context(), hrana.Statement{SQL: "SELECT 1"}); err == nil {
		t.Error("a closed stream was used")
	}
}
