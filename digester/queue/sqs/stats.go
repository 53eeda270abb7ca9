package sqs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Stats is what SQS says of the queue. It counts by sampling: the numbers are
// about right, and exact once nothing has moved for a minute.
type Stats struct {
	Waiting  int64     // to be received
	InFlight int64     // received and not deleted
	Dead     int64     // dead letters
	Oldest   time.Time // when the oldest message of the last receive was sent; zero: nothing waits. SQS tells the age of what was not received to CloudWatch only
}

// Stats asks for the state of the queue and of its dead letters.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var s Stats
	var err error
	if s.Waiting, s.InFlight, err = q.count(ctx, q.cfg.URL); err != nil {
		return Stats{}, fmt.Errorf("counting the messages of %s: %w", q.cfg.Region, err)
	}
	if s.Waiting+s.InFlight > 0 {
		q.mu.Lock()
		s.Oldest = q.oldest
		q.mu.Unlock()
	}
	dead, _, err := q.deadLetterQueue(ctx)
	if err != nil || dead == "" {
		return s, err
	}
	waiting, looked, err := q.count(ctx, dead)
	if err != nil {
		return Stats{}, fmt.Errorf("counting the dead letters of %s: %w", q.cfg.Region, err)
	}
	s.Dead = waiting + looked
	return s, nil
}

// count returns how many messages a queue has. Those sent with a delay wait too.
func (q *Queue) count(ctx context.Context, url string) (waiting, inFlight int64, err error) {
	const (
		visible = types.QueueAttributeNameApproximateNumberOfMessages
		hidden  = types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
		delayed = types.QueueAttributeNameApproximateNumberOfMessagesDelayed
	)
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{visible, hidden, delayed},
	})
	if err != nil {
		return 0, 0, err
	}
	number := func(name types.QueueAttributeName) int64 {
		n, _ := strconv.ParseInt(out.Attributes[string(name)], 10, 64) // what is not told counts as none
		return n
	}
	return number(visible) + number(delayed), number(hidden), nil
}
