package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

const (
	// attempts is how often entries that SQS failed are tried in all.
	attempts = 3

	// retryAfter is the pause before the second attempt; the next is twice as long.
	retryAfter = 100 * time.Millisecond

	// parallel is how many batches are under way at once.
	parallel = 4
)

// Extend keeps deliveries invisible for d from now; visible at once if d is zero.
func (q *Queue) Extend(ctx context.Context, receipts []string, d time.Duration) error {
	_, err := q.each(ctx, receipts, func(ctx context.Context, handles []string) ([]types.BatchResultErrorEntry, error) {
		in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: aws.String(q.cfg.URL)}
		for i, h := range handles {
			in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(h), VisibilityTimeout: seconds(d),
			})
		}
		out, err := q.client.ChangeMessageVisibilityBatch(ctx, in)
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	})
	if err != nil {
		return fmt.Errorf("keeping messages of %s invisible: %w", q.cfg.Region, err)
	}
	return nil
}

// Delete removes messages for good, and then the objects of those that were
// claims. An object that stays is removed by its bucket's own rules.
func (q *Queue) Delete(ctx context.Context, receipts []string) error {
	deleted, err := q.each(ctx, receipts, func(ctx context.Context, handles []string) ([]types.BatchResultErrorEntry, error) {
		in := &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(q.cfg.URL)}
		for i, h := range handles {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String(h)})
		}
		out, err := q.client.DeleteMessageBatch(ctx, in)
		if err != nil {
			return nil, err
		}
		return out.Failed, nil
	})
	var group errgroup.Group
	group.SetLimit(maxWidth)
	for _, receipt := range deleted {
		if _, bucket, key := splitReceipt(receipt); bucket != "" {
			group.Go(func() error {
				if err := q.objects.delete(ctx, bucket, key); err != nil {
					q.cfg.Log.Warn().Err(err).Str("bucket", bucket).Str("key", key).Msg("the object of a digested message could not be deleted; the bucket's lifecycle removes it")
				}
				return nil
			})
		}
	}
	_ = group.Wait() // none fails
	if err != nil {
		return fmt.Errorf("deleting messages of %s: %w", q.cfg.Region, err)
	}
	return nil
}

// call does something with up to ten handles and returns the entries that failed;
// their ids are the handles' places.
type call func(ctx context.Context, handles []string) ([]types.BatchResultErrorEntry, error)

// each does something with all receipts, in batches, and returns those with which
// it was done. However many there are, it takes no longer than one call may: the
// digester waits for it, also when it is to stop.
func (q *Queue) each(ctx context.Context, receipts []string, do call) (done []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var group errgroup.Group
	group.SetLimit(parallel)
	var mu sync.Mutex // guards done and errs
	var errs []error
	for chunk := range slices.Chunk(receipts, perCall) {
		group.Go(func() error {
			ok, err := persist(ctx, chunk, do)
			mu.Lock()
			defer mu.Unlock()
			done = append(done, ok...)
			if err != nil {
				errs = append(errs, err)
			}
			return nil
		})
	}
	_ = group.Wait() // none fails
	return done, errors.Join(errs...)
}

// persist does something with one batch, and again with the entries of it that
// failed through no fault of theirs. The SDK repeats calls that fail as a whole.
func persist(ctx context.Context, receipts []string, do call) (done []string, err error) {
	var refused error
	for attempt := 1; ; attempt++ {
		handles := make([]string, len(receipts))
		for i, r := range receipts {
			handles[i], _, _ = splitReceipt(r)
		}
		failed, err := do(ctx, handles)
		if err != nil {
			return done, errors.Join(refused, err)
		}
		var again []string
		bad := make(map[int]bool, len(failed))
		for _, f := range failed {
			i, err := strconv.Atoi(aws.ToString(f.Id))
			if err != nil || i < 0 || i >= len(receipts) {
				return done, fmt.Errorf("%w: SQS answered for an entry %q that nobody sent", errEntry, aws.ToString(f.Id))
			}
			bad[i] = true
			if !f.SenderFault && attempt < attempts {
				again = append(again, receipts[i])
			} else if refused == nil {
				refused = fmt.Errorf("%w: %s: %s", errEntry, aws.ToString(f.Code), aws.ToString(f.Message))
			}
		}
		for i, r := range receipts {
			if !bad[i] {
				done = append(done, r)
			}
		}
		if receipts = again; len(receipts) == 0 {
			return done, refused
		}
		pause := time.NewTimer(retryAfter << (attempt - 1))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return done, errors.Join(refused, ctx.Err())
		}
	}
}
