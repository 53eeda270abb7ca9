package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sundew/digester/queue"
	"sundew/schema/wire"
)

const (
	// lookFor is how long dead letters are invisible to others while they are
	// looked through. They are given back before that.
	lookFor = 30 * time.Second

	// mostDead bounds how many dead letters one call looks through.
	mostDead = 1000
)

// errNoDead means that a queue has nowhere to put dead letters.
var errNoDead = errors.New("sqs: the queue has no dead-letter queue")

// deadLetterQueue returns the address and the ARN of the queue that the queue's
// redrive policy names, empty if there is none.
func (q *Queue) deadLetterQueue(ctx context.Context) (address, arn string, err error) {
	q.mu.Lock()
	address, arn = q.deadURL, q.deadARN
	q.mu.Unlock()
	if address != "" {
		return address, arn, nil
	}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(q.cfg.URL), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy},
	})
	if err != nil {
		return "", "", fmt.Errorf("asking %s for its dead-letter queue: %w", q.cfg.Region, err)
	}
	var policy struct {
		DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	}
	text := out.Attributes[string(types.QueueAttributeNameRedrivePolicy)]
	if text == "" {
		return "", "", nil
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return "", "", fmt.Errorf("the redrive policy of %s: %w", q.cfg.Region, err)
	}
	address, err = urlOf(policy.DeadLetterTargetArn, q.cfg.URL)
	if err != nil {
		return "", "", err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadURL, q.deadARN = address, policy.DeadLetterTargetArn
	return address, policy.DeadLetterTargetArn, nil
}

// urlOf returns the address of a queue by its ARN and the address of another one
// in the same region.
func urlOf(arn, sibling string) (string, error) {
	parts := strings.Split(arn, ":") // arn:aws:sqs:REGION:ACCOUNT:NAME
	u, err := url.Parse(sibling)
	if err != nil || len(parts) != 6 || parts[4] == "" || parts[5] == "" {
		return "", fmt.Errorf("sqs: no queue can be told from %q", arn)
	}
	u.Path = path.Join("/", path.Dir(path.Dir(u.Path)), parts[4], parts[5])
	return u.String(), nil
}

// DeadLetters returns up to limit dead letters; SQS gives them in no order, and
// with many of them not always the same. A claim is replaced by its message if
// that can be had. Looking counts as a delivery, which does no harm there.
func (q *Queue) DeadLetters(ctx context.Context, limit int) ([]queue.DeadLetter, error) {
	address, _, err := q.deadLetterQueue(ctx)
	if err != nil || address == "" {
		return nil, err
	}
	var all []queue.DeadLetter
	err = q.look(ctx, address, func(m types.Message) (bool, error) {
		d := queue.DeadLetter{ID: aws.ToString(m.MessageId), Body: bodyOf(aws.ToString(m.Body)), Receives: receives(m), SentAt: sentAt(m)}
		if claim, err := wire.DecodeClaim(d.Body); err == nil {
			if body, err := q.objects.fetch(ctx, claim); err == nil {
				d.Body = body
			}
		}
		all = append(all, d)
		return len(all) < limit, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the dead letters of %s: %w", q.cfg.Region, err)
	}
	return all, nil
}

// Redrive puts dead letters back into the queue, as new messages, and returns how
// many there were; ids of none are skipped. What is sent back and then cannot be
// deleted stays a dead letter too: redriving it again does no harm, the digester
// recognises it.
func (q *Queue) Redrive(ctx context.Context, ids []string) (int, error) {
	address, _, err := q.deadLetterQueue(ctx)
	if err != nil || address == "" {
		return 0, err
	}
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	moved := 0
	err = q.look(ctx, address, func(m types.Message) (bool, error) {
		id := aws.ToString(m.MessageId)
		if wanted[id] {
			if err := q.sendBack(ctx, address, m); err != nil {
				return false, err
			}
			delete(wanted, id)
			moved++
		}
		return len(wanted) > 0, nil
	})
	if err != nil {
		return moved, fmt.Errorf("putting dead letters of %s back: %w", q.cfg.Region, err)
	}
	return moved, nil
}

// RedriveAll lets SQS move all dead letters back, which goes on after it returns.
func (q *Queue) RedriveAll(ctx context.Context) error {
	_, arn, err := q.deadLetterQueue(ctx)
	if err != nil {
		return err
	}
	if arn == "" {
		return errNoDead
	}
	if _, err := q.client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn)}); err != nil {
		return fmt.Errorf("putting the dead letters of %s back: %w", q.cfg.Region, err)
	}
	return nil
}

// sendBack makes a message of a dead letter again. It is sent before it is
// deleted: twice is harmless, never is not.
func (q *Queue) sendBack(ctx context.Context, address string, m types.Message) error {
	in := &sqs.SendMessageInput{QueueUrl: aws.String(q.cfg.URL), MessageBody: m.Body}
	if group, ok := m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)]; ok {
		in.MessageGroupId = aws.String(group)
	}
	if _, err := q.client.SendMessage(ctx, in); err != nil {
		return err
	}
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(address), ReceiptHandle: m.ReceiptHandle})
	return err
}

// look visits dead letters, each once, until visit says that it has seen enough
// or there are no more; then it gives them all back.
func (q *Queue) look(ctx context.Context, address string, visit func(types.Message) (more bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	var handles []string
	defer func() { q.giveBack(context.WithoutCancel(ctx), address, handles) }()
	seen := make(map[string]bool)
	for len(seen) < mostDead {
		out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(address), MaxNumberOfMessages: perCall, VisibilityTimeout: seconds(lookFor),
			WaitTimeSeconds:             1, // so that all of SQS's servers are asked
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return err
		}
		for _, m := range out.Messages {
			handles = append(handles, aws.ToString(m.ReceiptHandle))
		}
		for _, m := range out.Messages {
			id := aws.ToString(m.MessageId)
			if seen[id] {
				continue
			}
			seen[id] = true
			if more, err := visit(m); err != nil || !more {
				return err
			}
		}
		if len(out.Messages) == 0 {
			return nil
		}
	}
	return nil
}

// giveBack makes dead letters visible at once. Those that are redriven are not
// there any more, and those that cannot be given back come back by themselves.
func (q *Queue) giveBack(ctx context.Context, address string, handles []string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for chunk := range slices.Chunk(handles, perCall) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(address)}
		for i, h := range chunk {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(h),
			})
		}
		if _, err := q.client.ChangeMessageVisibilityBatch(ctx, in); err != nil {
			q.cfg.Log.Warn().Err(err).Msg("dead letters could not be given back; they can be seen again in half a minute")
			return
		}
	}
}
