package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"time"

	"sundew/digester/digest"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/functions/ingest/edge"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

// firstEvent is when the first event is received; one follows each millisecond.
// It is long after the recorded events' own times, so that all of them are taken
// to have happened when they were received, as those of a live system are.
var firstEvent = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// project is the one that all events belong to: the first of a new database.
const project event.ProjectID = 1

// preparedEvents returns n recorded events, each with an id of its own, as the
// digester hands them to the store.
func preparedEvents(ctx context.Context, n int) ([]store.Incoming, error) {
	recorded, err := recordedMessages()
	if err != nil {
		return nil, err
	}
	messages := make([][]byte, n)
	for i := range messages {
		m := recorded[i%len(recorded)]
		m.Project, m.Seq = project, uint64(i+1)
		m.ReceivedAt = firstEvent.Add(time.Duration(i) * time.Millisecond)
		m.SentAt = m.ReceivedAt
		binary.BigEndian.PutUint64(m.EventID[:], uint64(i+1)*0x9e3779b97f4a7c15) // spread like real ids
		messages[i] = m.Encode(nil)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	collected := &collector{want: n, done: cancel}
	d, err := digest.New(digest.Config{Queue: &given{messages: messages}, Store: collected})
	if err != nil {
		return nil, err
	}
	if err := d.Run(ctx); err != nil {
		return nil, err
	}
	if len(collected.events) != n {
		return nil, fmt.Errorf("%d of %d events were prepared", len(collected.events), n)
	}
	return collected.events, nil
}

// recordedMessages sends the recorded requests through the edge and returns the
// messages of events that it queues.
func recordedMessages() ([]wire.Message, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	var sent messageList
	intake, err := edge.New(edge.Config{Keys: anyKey{}, Sender: &sent})
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		req, err := http.NewRequest(r.Method, "http://127.0.0.1"+r.Path+"?"+r.Query, bytes.NewReader(r.Body))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		req.Header, req.RemoteAddr = r.Header, "192.0.2.1:1024"
		intake.ServeHTTP(nowhere{http.Header{}}, req)
	}
	if len(sent) < 100 {
		return nil, fmt.Errorf("only %d recorded events are usable", len(sent))
	}
	return sent, nil
}

// anyKey is edge.Keys that knows every key.
type anyKey struct{}

func (anyKey) Lookup(context.Context, event.ProjectID, string) edge.KeyStatus { return edge.KeyActive }

func (anyKey) Limited(event.ProjectID, string, time.Time) (keyring.Limit, bool) {
	return keyring.Limit{}, false
}

func (anyKey) Allows(event.ProjectID, string) bool { return true }

// messageList is edge.Sender that keeps messages of events.
type messageList []wire.Message

func (l *messageList) Send(_ context.Context, msgs []*wire.Message) error {
	for _, m := range msgs {
		if m.Kind != wire.KindEvent && m.Kind != wire.KindCSP {
			continue
		}
		kept := *m
		kept.Body = bytes.Clone(m.Body)
		*l = append(*l, kept)
	}
	return nil
}

// nowhere is a response that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }

// given is digest.Queue with messages that are there already.
type given struct{ messages [][]byte }

func (g *given) Receive(ctx context.Context, most int, _ time.Duration) ([]queue.Message, error) {
	if len(g.messages) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	next := g.messages[:min(most, len(g.messages))]
	g.messages = g.messages[len(next):]
	received := make([]queue.Message, len(next))
	for i, body := range next {
		received[i] = queue.Message{Body: body, Receives: 1}
	}
	return received, nil
}

func (g *given) Extend(context.Context, []string, time.Duration) error { return nil }
func (g *given) Delete(context.Context, []string) error                { return nil }

// collector is digest.Store that keeps what it is given and calls done when it
// has enough.
type collector struct {
	events []store.Incoming
	want   int
	done   func()
}

func (c *collector) DigestBatch(_ context.Context, ins []*store.Incoming) []store.Outcome {
	outcomes := make([]store.Outcome, len(ins))
	for i, in := range ins {
		if in.Drop != "" {
			outcomes[i].Err = fmt.Errorf("a recorded event would be dropped: %s", in.Detail)
			continue
		}
		if !in.IsCounts {
			c.add(in)
		}
		outcomes[i].Result = store.Stored
	}
	return outcomes
}

func (c *collector) add(in *store.Incoming) {
	if len(c.events) == c.want {
		return
	}
	if c.events = append(c.events, *in); len(c.events) == c.want {
		c.done()
	}
}

func (c *collector) Barrier(context.Context) error { return nil }
