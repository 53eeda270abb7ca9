package sqs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sundew/digester/queue"
	"sundew/schema/wire"
)

const (
	// perCall is how many messages or entries one call of SQS takes.
	perCall = 10

	// maxWidth is how many receives run at once, at most.
	maxWidth = 8

	// maxBytes ends a receive: so much is enough to work on. What one round of
	// receives brings may go beyond.
	maxBytes = 32 << 20

	// longestPoll is how long SQS lets a receive wait, at most.
	longestPoll = 20 * time.Second
)

// Receive returns up to limit messages, waiting up to wait, at most 20 seconds,
// for the first. While receives come back full, more of them run at once, up to
// eight; after one that is not full it is one again. A failure behind the first
// messages is not reported: they would be lost to the caller.
func (q *Queue) Receive(ctx context.Context, limit int, wait time.Duration) ([]queue.Message, error) {
	var all []queue.Message
	for bytes := 0; len(all) < limit && bytes < maxBytes; {
		width := q.currentWidth()
		if width > 1 || len(all) > 0 {
			wait = min(wait, 0) // others of the round may have what this one would wait for
		}
		got, full, err := q.round(ctx, width, limit-len(all), wait)
		if err != nil && len(all)+len(got) == 0 {
			q.setWidth(1)
			return nil, fmt.Errorf("receiving from %s: %w", q.cfg.Region, err)
		}
		for _, m := range got {
			bytes += len(m.Body)
		}
		all = append(all, got...)
		if !full || err != nil {
			q.setWidth(1)
			break
		}
		q.setWidth(min(2*width, maxWidth))
	}
	q.noteOldest(all)
	return q.redeem(ctx, all), nil
}

func (q *Queue) currentWidth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.width
}

func (q *Queue) setWidth(width int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.width = width
}

func (q *Queue) noteOldest(messages []queue.Message) {
	var oldest time.Time
	if len(messages) > 0 {
		oldest = slices.MinFunc(messages, func(a, b queue.Message) int { return a.SentAt.Compare(b.SentAt) }).SentAt
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.oldest = oldest
}

// round runs receives at once. full says that each brought as many as it may.
func (q *Queue) round(ctx context.Context, width, limit int, wait time.Duration) (all []queue.Message, full bool, err error) {
	width = min(width, (limit+perCall-1)/perCall)
	if width == 1 {
		all, err = q.receiveOnce(ctx, min(limit, perCall), wait)
		return all, len(all) == min(limit, perCall), err
	}
	var calls sync.WaitGroup
	var mu sync.Mutex // guards the results
	full = true
	for i := range width {
		calls.Go(func() {
			most := min(limit-i*perCall, perCall)
			got, failed := q.receiveOnce(ctx, most, wait)
			mu.Lock()
			defer mu.Unlock()
			all, full, err = append(all, got...), full && len(got) == most, cmp.Or(err, failed)
		})
	}
	calls.Wait()
	return all, full, err
}

// receiveOnce is one call of ReceiveMessage.
func (q *Queue) receiveOnce(ctx context.Context, most int, wait time.Duration) ([]queue.Message, error) {
	wait = min(wait, longestPoll)
	ctx, cancel := context.WithTimeout(ctx, wait+callTimeout)
	defer cancel()
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(q.cfg.URL),
		MaxNumberOfMessages:         int32(most),
		WaitTimeSeconds:             seconds(wait),
		VisibilityTimeout:           seconds(q.cfg.Visibility),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return nil, err
	}
	messages := make([]queue.Message, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = queue.Message{
			Body:     bodyOf(aws.ToString(m.Body)),
			Receipt:  aws.ToString(m.ReceiptHandle),
			Receives: receives(m),
			SentAt:   sentAt(m),
		}
	}
	return messages, nil
}

// bodyOf decodes a message's text. What is not base64 is handed on as it is: no
// text begins like a message, so the digester leaves it, and it becomes a dead
// letter that people can look at.
func bodyOf(text string) []byte {
	body, err := wire.FromText(text)
	if err != nil {
		return []byte(text)
	}
	return body
}

func receives(m types.Message) int {
	n, err := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		return 1
	}
	return n
}

func sentAt(m types.Message) time.Time {
	ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// seconds rounds up: SQS knows no shorter times.
func seconds(d time.Duration) int32 {
	return int32((max(d, 0) + time.Second - 1) / time.Second)
}
