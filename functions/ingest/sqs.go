package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sundew/schema/wire"
)

const (
	// maxText bounds what one SendMessage or SendMessageBatch carries. SQS allows
	// 1 MiB; the rest is for what it may count besides the bodies.
	maxText = 1<<20 - 4<<10

	// maxEntries is how many messages SQS takes at once.
	maxEntries = 10

	// maxTries is how often an entry is sent that SQS refuses alone. Calls that fail
	// as a whole are the client's to repeat.
	maxTries = 5

	// firstPause comes before the second try; each later pause is twice as long.
	firstPause = 50 * time.Millisecond
)

// errRefused means that SQS did not take a message, however often it was sent.
var errRefused = errors.New("the queue refused a message")

// sender is edge.Sender over SQS. What is too large for SQS goes to the bucket.
type sender struct {
	client    *sqs.Client
	queue     string // its URL
	claims    *claims
	numberers numberers
}

// entry is one message on its way.
type entry struct {
	numberer *numberer
	group    string // the project: fair queues keep one's flood from delaying another's events
	text     string
}

// Send returns nil when SQS has acknowledged every message. After an error those
// that it did not acknowledge may have arrived all the same: their numbers are never
// used again, see numberers.
func (s *sender) Send(ctx context.Context, msgs []*wire.Message) error {
	var entries []entry
	var errs []error
	for _, m := range msgs {
		e, err := s.prepare(ctx, m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		entries = append(entries, e)
	}
	for len(entries) > 0 {
		n := fitting(entries)
		if err := s.sendBatch(ctx, entries[:n]); err != nil {
			errs = append(errs, err)
		}
		entries = entries[n:]
	}
	return errors.Join(errs...)
}

// prepare numbers and encodes a message, and stores it in the bucket if it is too
// large for the queue.
func (s *sender) prepare(ctx context.Context, m *wire.Message) (entry, error) {
	e := entry{numberer: s.numberers.take(), group: strconv.FormatInt(int64(m.Project), 10)}
	e.numberer.number(m)
	encoded := m.Encode(make([]byte, 0, m.EncodedLen()))
	if wire.TextLen(len(encoded)) > maxText {
		claim, err := s.claims.put(ctx, encoded)
		if err != nil {
			return entry{}, fmt.Errorf("storing a large message: %w", err)
		}
		encoded = claim.Encode(nil)
	}
	e.text = wire.Text(encoded)
	return e, nil
}

// fitting returns how many of the first entries go into one call, at least one.
func fitting(entries []entry) int {
	size := 0
	for n, e := range entries {
		size += len(e.text)
		if n == maxEntries || n > 0 && size > maxText {
			return n
		}
	}
	return len(entries)
}

// sendBatch sends entries that fit into one call, and those that SQS refuses alone
// again.
func (s *sender) sendBatch(ctx context.Context, entries []entry) error {
	pause := firstPause
	for try := 1; ; try++ {
		refused, err := s.call(ctx, entries)
		if err != nil {
			return fmt.Errorf("sending to the queue: %w", err)
		}
		if len(refused) == 0 {
			return nil
		}
		if try == maxTries {
			return fmt.Errorf("%w: %d of them, %d times", errRefused, len(refused), try)
		}
		entries = refused
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause *= 2
	}
}

// call sends entries once, gives back the numberers of those that were acknowledged
// and returns the others. An error means that nothing is known of any.
func (s *sender) call(ctx context.Context, entries []entry) (refused []entry, err error) {
	if len(entries) == 1 {
		e := entries[0]
		_, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{
			QueueUrl: &s.queue, MessageBody: &e.text, MessageGroupId: &e.group,
		})
		if err != nil {
			return nil, err
		}
		s.numberers.giveBack(e.numberer)
		return nil, nil
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &s.queue, Entries: make([]types.SendMessageBatchRequestEntry, len(entries))}
	for i, e := range entries {
		in.Entries[i] = types.SendMessageBatchRequestEntry{
			Id: aws.String(strconv.Itoa(i)), MessageBody: &e.text, MessageGroupId: &e.group,
		}
	}
	out, err := s.client.SendMessageBatch(ctx, in)
	if err != nil {
		return nil, err
	}
	acknowledged := make(map[string]bool, len(out.Successful))
	for _, result := range out.Successful {
		acknowledged[aws.ToString(result.Id)] = true
	}
	for i, e := range entries {
		if acknowledged[strconv.Itoa(i)] {
			s.numberers.giveBack(e.numberer)
		} else {
			refused = append(refused, e)
		}
	}
	return refused, nil
}
