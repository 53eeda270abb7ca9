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
	manyIssues = 2000
	overDays   = 90
	fillBatch  = 500
)

// load makes messages out of recorded events.
type load struct {
	project  event.ProjectID
	bodies   [][]byte // JSON without its first brace, to be preceded by a fingerprint
	codec    *wire.Codec
	issues   int
	made     uint64
	start    time.Time
	interval time.Duration
	zipf     *rand.Zipf
}

// newLoad returns a load whose events lie events/90 days apart, ending now.
func newLoad(project event.ProjectID, events int) (*load, error) {
	requests, err := corpus.Captured()
	if err != nil {
		return nil, err
	}
	l := &load{project: project, codec: wire.NewCodec(), issues: manyIssues, start: time.Now().AddDate(0, 0, -overDays), interval: overDays * 24 * time.Hour / time.Duration(events)}
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
	// Few issues have most of the events.
	l.zipf = rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.2, 5, manyIssues-1)
	return l, nil
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
	json := append(fmt.Appendf(nil, `{"fingerprint":["issue %d"],"tags":{"user.tier":"t%d","shard":"s%d"},`, l.zipf.Uint64(), l.made%4, l.made%97),
		l.bodies[l.made%uint64(len(l.bodies))]...)
	body, encoding := l.codec.Compress(json)
	m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: l.project, Client: "big/1.0", RemoteIP: "192.0.2.1", Body: body,
		ReceivedAt: l.start.Add(time.Duration(l.made) * l.interval)}
	binary.BigEndian.PutUint64(m.EventID[:], l.made*0x9e3779b97f4a7c15) // spread like real ids
	return m
}
