package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sundew/functions/ingest/edge"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

// plainHandler returns the function's handler without the function, over the same
// queue.
func (b *bench) plainHandler() (http.Handler, error) {
	endpoint, queue := b.region.Endpoint(), b.region.QueueURL()
	s := &sender{queue: queue, client: sqs.New(sqs.Options{
		Region: b.region.Name, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("EXAMPLE", "example", ""),
	})}
	_, _ = rand.Read(s.instance[:]) // never fails
	return edge.New(edge.Config{Keys: keys{keyring.NewRing(b.snapshot())}, Sender: s, Region: b.region.Name})
}

// keys are keys that never change.
type keys struct{ ring *keyring.Ring }

// Lookup implements edge.Keys.
func (k keys) Lookup(_ context.Context, project event.ProjectID, key string) edge.KeyStatus {
	if k.ring.Lookup(project, key) == keyring.Active {
		return edge.KeyActive
	}
	return edge.KeyUnknown
}

// Limited implements edge.Keys.
func (k keys) Limited(project event.ProjectID, category string, now time.Time) (keyring.Limit, bool) {
	return k.ring.Limited(project, category, now)
}

// Allows implements edge.Keys.
func (k keys) Allows(project event.ProjectID, page string) bool { return k.ring.Allows(project, page) }

// sender sends what one request with one event needs, as the function does.
type sender struct {
	client   *sqs.Client
	queue    string
	instance wire.InstanceID
	last     atomic.Uint64
}

// Send implements edge.Sender.
func (s *sender) Send(ctx context.Context, msgs []*wire.Message) error {
	for _, m := range msgs {
		m.Instance, m.Seq = s.instance, s.last.Add(1)
		text := wire.Text(m.Encode(make([]byte, 0, m.EncodedLen())))
		group := strconv.FormatInt(int64(m.Project), 10)
		if _, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &s.queue, MessageBody: &text, MessageGroupId: &group}); err != nil {
			return err
		}
	}
	return nil
}
