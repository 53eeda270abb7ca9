package main

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"sundew/digester/digest"
	"sundew/digester/queue"
	"sundew/digester/store"
	"sundew/digester/store/hrana"
	"sundew/infra/sqld"
	"sundew/schema/event/eventtest"
	"sundew/schema/wire"
)

// digester is the product's own way, with all that it does: decode, parse, group,
// look up, plan, commit, barrier. Its events are as many as the recorded ones, and
// of the same requests.
func digester(strong bool) func(context.Context, string, [][]hrana.Statement) error {
	return func(ctx context.Context, address string, events [][]hrana.Statement) error {
		messages, err := recordedMessages(len(events))
		if err != nil {
			return err
		}
		db, err := store.OpenRemote(ctx, store.RemoteConfig{URL: "http://" + address, Namespace: sqld.Namespace, Relaxed: !strong}, store.Config{})
		if err != nil {
			return err
		}
		ctx, done := context.WithCancel(ctx)
		defer done()
		d, err := digest.New(digest.Config{Queue: &memory{messages: messages, left: len(messages), done: done}, Store: db})
		if err != nil {
			return err
		}
		return errors.Join(d.Run(ctx), db.Close(context.WithoutCancel(ctx)))
	}
}

// recordedMessages returns n messages of the recorded events below 50 KB, each with
// an id of its own.
func recordedMessages(n int) ([]queue.Message, error) {
	payloads, err := eventtest.Load()
	if err != nil {
		return nil, err
	}
	codec := wire.NewCodec()
	var messages []queue.Message
	for i := 0; len(messages) < n; i++ {
		p := payloads[i%len(payloads)]
		if p.Security || len(p.JSON) > 50_000 {
			continue
		}
		body, encoding := codec.Compress(p.JSON)
		m := &wire.Message{
			Kind: wire.KindEvent, Encoding: encoding, Instance: wire.InstanceID{1}, Seq: uint64(len(messages) + 1), Project: 1,
			ReceivedAt: time.Now(), Client: "bench/1.0", RemoteIP: "192.0.2.1", Body: body,
		}
		binary.BigEndian.PutUint64(m.EventID[:], uint64(i+1)*0x9e3779b97f4a7c15) // spread like real ids
		messages = append(messages, queue.Message{Body: m.Encode(nil), Receives: 1})
	}
	return messages, nil
}

// memory is a queue of messages that are there already. It calls done when all are
// deleted.
type memory struct {
	messages []queue.Message // for the goroutine that receives
	left     int             // not deleted yet; for the one that deletes
	done     func()
}

func (q *memory) Receive(ctx context.Context, most int, _ time.Duration) ([]queue.Message, error) {
	if len(q.messages) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	next := q.messages[:min(most, len(q.messages))]
	q.messages = q.messages[len(next):]
	return next, nil
}

func (q *memory) Extend(context.Context, []string, time.Duration) error { return nil }

func (q *memory) Delete(_ context.Context, receipts []string) error {
	if q.left -= len(receipts); q.left == 0 {
		q.done()
	}
	return nil
}
