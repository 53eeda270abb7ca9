package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"sundew/digester/queue/local"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	overDays  = 90
	fillBatch = 500
)

// load makes messages out of recorded events. Events are numbered through all runs
// on a database: the number makes the id, so that no run repeats one of another.
type load struct {
	project event.ProjectID
	bodies  [][]byte // JSON without its first brace, to be preceded by a fingerprint
	codec   *wire.Codec
	made    uint64 // number of the newest event
	issues  int
	zipf    *rand.Zipf

	at       time.Time // when the newest event was received
	interval time.Duration
	until    time.Time // when the last may be; what comes after it is of the same moment
}

// newLoad returns a load that goes on after the event numbered made.
func newLoad(project event.ProjectID, made uint64, issues int) (*load, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	l := &load{project: project, codec: wire.NewCodec(), made: made, issues: issues}
	for _, r := range requests {
		// Plain envelopes of one event are enough of a mix.
		lines := bytes.SplitN(r.Body, []byte("\n"), 4)
		if !strings.HasSuffix(r.Path, "/envelope/") || len(lines) < 3 || !bytes.HasPrefix(lines[1], []byte(`{"type":"event"`)) || len(lines[2]) > 50_000 {
			continue
		}
		if _, err := event.Scan(lines[2], 64); err == nil && !bytes.Contains(lines[2], []byte(`"fingerprint"`)) {
			l.bodies = append(l.bodies, lines[2][1:])
		}
	}
	if len(l.bodies) < 50 {
		return nil, fmt.Errorf("only %d recorded events are usable", len(l.bodies))
	}
	// Few issues have most of the events. A run that goes on draws other ones.
	l.zipf = rand.NewZipf(rand.New(rand.NewPCG(1, 2+made)), 1.2, 5, uint64(issues-1))
	return l, nil
}

// spread lays the next events evenly between two moments.
func (l *load) spread(from, until time.Time, events int) {
	l.at, l.until = from, until
	l.interval = max(0, until.Sub(from)/time.Duration(max(events, 1)))
}

// fill queues n events.
func (l *load) fill(ctx context.Context, q *local.Queue, n int) error {
	for n > 0 {
		batch := make([]*wire.Message, min(n, fillBatch))
		for i := range batch {
			batch[i] = l.next()
		}
		if err := q.Send(ctx, batch); err != nil {
			return err
		}
		n -= len(batch)
	}
	return nil
}

func (l *load) next() *wire.Message {
	l.made++
	if l.at = l.at.Add(l.interval); l.at.After(l.until) {
		l.at = l.until
	}
	issue := l.zipf.Uint64()
	if l.made%2 == 0 && l.made/2 < uint64(l.issues) { // each comes once, the largest first
		issue = l.made / 2
	}
	json := append(fmt.Appendf(nil, `{"fingerprint":["issue %d"],"tags":{"user.tier":"t%d","shard":"s%d","cart":"cart-%d"},`, issue, l.made%4, l.made%97, issue),
		l.bodies[l.made%uint64(len(l.bodies))]...)
	body, encoding := l.codec.Compress(json)
	return &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: l.project, EventID: idOf(l.made),
		Client: "big/1.0", RemoteIP: "192.0.2.1", Body: body, ReceivedAt: l.at}
}

// idOf returns the id of the n-th event: another one for each n, because the factor
// is odd, and spread like real ids.
func idOf(n uint64) (id event.ID) {
	binary.BigEndian.PutUint64(id[:], n*0x9e3779b97f4a7c15)
	return id
}
