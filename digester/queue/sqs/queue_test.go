package sqs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/queue"
	"sundew/digester/queue/sqs"
	"sundew/schema/wire"
)

const north, south = "eu-north-1", "ap-south-1"

// A full queue is received with more and more calls at once, an empty one with
// one that waits.
func TestReceiveWidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		q := c.open(north)
		c.edge(north).sendEvents(1, 100)
		calls := func() int { return c.regions[north].Calls("ReceiveMessage") }
		for _, want := range []struct {
			limit, messages, calls int
			took                   time.Duration
		}{
			{5, 5, 1, 0},
			{35, 35, 2 + 2, 0},            // 2 × 10, then 10 + 5
			{256, 60, 8, 0},               // the last two bring nothing
			{256, 0, 1, 20 * time.Second}, // one again
		} {
			before, began := calls(), time.Now()
			got, err := q.Receive(t.Context(), want.limit, 20*time.Second)
			if err != nil || len(got) != want.messages || calls()-before != want.calls || time.Since(began) != want.took {
				t.Errorf("up to %d: %d messages by %d calls within %v, %v; want %+v", want.limit, len(got), calls()-before, time.Since(began), err, want)
			}
		}
	})
}

// A message that comes while a receive waits is there at once, with all that the
// queue says of it.
func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		q, e := c.open(north), c.edge(north)
		began := time.Now()
		encoded := e.message(7).Encode(nil)
		go func() {
			after(5 * time.Second)
			e.send(encoded)
		}()
		for receives := 1; receives <= 3; receives++ {
			got, err := q.Receive(t.Context(), 10, time.Minute)
			if err != nil || len(got) != 1 {
				t.Fatalf("received %d messages, %v", len(got), err)
			}
			want := began.Add(5*time.Second + time.Duration(receives-1)*time.Minute)
			if m := got[0]; string(m.Body) != string(encoded) || m.Receives != receives || !m.SentAt.Equal(began.Add(5*time.Second)) || !time.Now().Equal(want) {
				t.Errorf("delivery %d: %+v at %v", receives, m, time.Now())
			}
			after(50 * time.Second) // it is not visible for ten more
		}
	})
}

// Text that is no message is handed on as it is, so that it can become a dead
// letter; no text reads as a message.
func TestNoBase64(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		if err := c.regions[north].Send("sundew", "", "{}"); err != nil {
			t.Fatal(err)
		}
		got, err := c.open(north).Receive(t.Context(), 10, 0)
		if err != nil || len(got) != 1 || string(got[0].Body) != "{}" {
			t.Fatalf("received %v, %v", got, err)
		}
		if _, err := wire.Decode(got[0].Body); !errors.Is(err, wire.ErrVersion) {
			t.Errorf("decoding: %v", err)
		}
	})
}

// Of a batch only the entries that failed are tried again, and not for ever.
func TestFailedEntries(t *testing.T) {
	for _, action := range []string{"DeleteMessageBatch", "ChangeMessageVisibilityBatch"} {
		// None, some of one attempt, of two, and all of three.
		for _, failing := range []int{0, 4, 14, 30} {
			t.Run(fmt.Sprintf("%s, %d failures", action, failing), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { failedEntries(t, action, failing) })
			})
		}
	}
}

func failedEntries(t *testing.T, action string, failing int) {
	c := newCloud(t, north)
	q, server := c.open(north), c.regions[north]
	c.edge(north).sendEvents(1, 10)
	receipts := receiptsOf(t, q)
	server.FailEntries(action, failing)
	err := do(t.Context(), q, action, receipts)
	done := 10 - max(0, failing-20)
	if (err != nil) != (done < 10) {
		t.Errorf("%d entries failed: %v", failing, err)
	}
	if calls, want := server.Calls(action), min(3, 1+(failing+9)/10); calls != want {
		t.Errorf("%d calls, want %d", calls, want)
	}
	if action == "DeleteMessageBatch" {
		if left := len(server.Bodies("sundew")); left != 10-done {
			t.Errorf("%d messages are left, want %d", left, 10-done)
		}
	}
}

func do(ctx context.Context, q *sqs.Queue, action string, receipts []string) error {
	if action == "DeleteMessageBatch" {
		return q.Delete(ctx, receipts)
	}
	return q.Extend(ctx, receipts, 5*time.Minute)
}

func receiptsOf(t *testing.T, q *sqs.Queue) (receipts []string) {
	t.Helper()
	got, err := q.Receive(t.Context(), 256, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range got {
		receipts = append(receipts, m.Receipt)
	}
	return receipts
}

// What no retry helps is reported at once, and keeps nobody else.
func TestRefusedEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		q := c.open(north)
		c.edge(north).sendEvents(1, 25)
		began := time.Now()
		err := q.Delete(t.Context(), append([]string{"nonsense"}, receiptsOf(t, q)...))
		if err == nil || time.Since(began) != 0 || c.regions[north].Calls("DeleteMessageBatch") != 3 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if left := len(c.regions[north].Bodies("sundew")); left != 0 {
			t.Errorf("%d messages are left", left)
		}
	})
}

// A message is put off for as long as it is asked, and shown at once for zero.
func TestExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		q := c.open(north)
		c.edge(north).sendEvents(1, 1)
		for _, d := range []time.Duration{10 * time.Minute, 0, 90 * time.Second} {
			receipts := receiptsOf(t, q)
			if err := q.Extend(t.Context(), receipts, d); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			var got []queue.Message
			for len(got) == 0 {
				var err error
				if got, err = q.Receive(t.Context(), 1, time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			if waited := time.Since(began); waited != d {
				t.Errorf("it came back after %v, want %v", waited, d)
			}
			if err := q.Extend(t.Context(), []string{got[0].Receipt}, 0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		q := c.open(north)
		c.edge(north).sendEvents(1, 12)
		if err := c.regions[north].Send("dead", "", "x"); err != nil {
			t.Fatal(err)
		}
		sent := time.Now()
		after(time.Minute)
		if _, err := q.Receive(t.Context(), 5, 0); err != nil {
			t.Fatal(err)
		}
		got, err := q.Stats(t.Context())
		if want := (sqs.Stats{Waiting: 7, InFlight: 5, Dead: 1, Oldest: sent}); err != nil || !got.Oldest.Equal(sent) || got.Waiting != want.Waiting || got.InFlight != want.InFlight || got.Dead != want.Dead {
			t.Errorf("stats %+v, %v; want %+v", got, err, want)
		}
	})
}

func TestOpen(t *testing.T) {
	for _, cfg := range []sqs.Config{{}, {Region: north}, {Region: north, URL: "not an address"}, {URL: "https://sqs.eu-north-1.amazonaws.com/1/q"}} {
		if _, err := sqs.Open(t.Context(), cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}
