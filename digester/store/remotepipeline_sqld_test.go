//go:build sqld

package store

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// slowNetwork keeps the answers to requests that begin a transaction until answer
// lets each pass.
type slowNetwork struct {
	on     atomic.Bool
	asked  chan []byte // what was sent
	answer chan struct{}
	over   chan struct{} // closed: everything passes
}

func (n *slowNetwork) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	res, err := http.DefaultTransport.RoundTrip(req)
	if n.on.Load() && bytes.Contains(body, []byte("BEGIN IMMEDIATE")) {
		select {
		case n.asked <- body:
			<-n.answer
		case <-n.over:
		}
	}
	return res, err
}

// pass takes the next request and lets its answer pass.
func (n *slowNetwork) pass(t *testing.T) []byte {
	t.Helper()
	select {
	case body := <-n.asked:
		n.answer <- struct{}{}
		return body
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was sent")
		return nil
	}
}

// TestPipelineLibSQL: while the server is busy with a request, the next one is
// planned; and whoever waits to write comes next all the same.
func TestPipelineLibSQL(t *testing.T) {
	network := &slowNetwork{asked: make(chan []byte), answer: make(chan struct{}), over: make(chan struct{})}
	var planned atomic.Int64 // a plan looks at the clock
	server := RemoteConfig{URL: sqldtest.Start(t, sqld.Config{}).URL(), Namespace: sqld.Namespace, Relaxed: true, Transport: network}
	db, err := OpenRemote(t.Context(), server, Config{Now: func() time.Time { planned.Add(1); return time.Now() }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	defer func() { close(network.over); close(network.answer) }()
	create := func(tx *Tx) error {
		_, err := tx.CreateProject("Shop")
		return err
	}
	if err := db.Write(t.Context(), "test", create); err != nil {
		t.Fatal(err)
	}
	ins := make([]*Incoming, 0, 200)
	for seq := range uint64(cap(ins)) {
		ins = append(ins, &Incoming{
			Instance: wire.InstanceID{1}, Seq: seq + 1, Project: 1, EventID: event.ID{1, byte(seq)}, ReceivedAt: time.Now(), OccurredAt: time.Now(),
			Category: "error", Title: "Error", GroupRules: 1, Kind: wire.KindEvent, Encoding: wire.EncodingIdentity, Meta: []byte("{}"), Body: []byte("{}"),
		})
	}
	network.on.Store(true)
	planned.Store(0)
	digested := make(chan []Outcome)
	go func() { digested <- db.DigestBatch(t.Context(), ins) }()

	first := <-network.asked
	if n := bytes.Count(first, []byte("BEGIN IMMEDIATE")); n != firstGroup {
		t.Errorf("%d transactions in the first request", n)
	}
	until(t, "the second request is planned", func() bool { return planned.Load() == 3*firstGroup })
	written := make(chan error)
	go func() { written <- db.Write(t.Context(), "test", create) }()
	until(t, "somebody waits to write", func() bool { return db.waiting.Load() == 1 })
	network.answer <- struct{}{}
	if n := bytes.Count(network.pass(t), []byte("BEGIN IMMEDIATE")); n != 2*firstGroup {
		t.Errorf("%d transactions in the second request", n)
	}
	if begun := network.pass(t); bytes.Count(begun, []byte(`"sql"`)) != 1 {
		t.Errorf("the third request is not the one who waited: %.300s", begun)
	}
	network.on.Store(false)
	if err := <-written; err != nil {
		t.Error(err)
	}
	if i := slices.IndexFunc(<-digested, func(o Outcome) bool { return o.Err != nil || o.Result != Stored }); i >= 0 {
		t.Errorf("message %d is not stored", i)
	}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	every, limit := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer every.Stop()
	for !is() {
		select {
		case <-every.C:
		case <-limit:
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}
