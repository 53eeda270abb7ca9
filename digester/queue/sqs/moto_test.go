//go:build aws

package sqs_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	client "github.com/aws/aws-sdk-go-v2/service/sqs"

	"sundew/digester/queue"
	"sundew/digester/queue/sqs"
	"sundew/digester/queue/sqs/sqstest"
	"sundew/schema/wire"
)

// moto is SQS and S3 that are not ours, over a network.
type moto struct {
	t        *testing.T
	endpoint string
	sqs      *client.Client
	s3       *s3.Client
	url      string
}

func newMoto(t *testing.T) *moto {
	m := &moto{t: t, endpoint: sqstest.Moto(t, "../../..")}
	t.Setenv("AWS_ENDPOINT_URL_S3", m.endpoint)
	keys := credentials.NewStaticCredentialsProvider("id", "secret", "")
	m.sqs = client.New(client.Options{Region: north, BaseEndpoint: &m.endpoint, Credentials: keys})
	m.s3 = s3.New(s3.Options{Region: north, BaseEndpoint: &m.endpoint, Credentials: keys, UsePathStyle: true})
	_, err := m.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: north}})
	if err != nil {
		t.Fatal(err)
	}
	m.create("dead", nil)
	m.url = m.create("sundew", map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:123456789012:dead","maxReceiveCount":"2"}`, north),
	})
	return m
}

func (m *moto) create(name string, attributes map[string]string) string {
	m.t.Helper()
	out, err := m.sqs.CreateQueue(m.t.Context(), &client.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		m.t.Fatal(err)
	}
	return *out.QueueUrl
}

func (m *moto) send(encoded []byte) {
	m.t.Helper()
	_, err := m.sqs.SendMessage(m.t.Context(), &client.SendMessageInput{QueueUrl: &m.url, MessageBody: aws.String(wire.Text(encoded)), MessageGroupId: aws.String("1")})
	if err != nil {
		m.t.Fatal(err)
	}
}

// has tells what an object is, nil if it is not.
func (m *moto) has(key string) []byte {
	out, err := m.s3.GetObject(m.t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key})
	if err != nil {
		return nil
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return body
}

// receive fetches until it has so many different messages. One may come twice, as in
// SQS: moto lets two receives at once have the same.
func (m *moto) receive(q *sqs.Queue, want int) (all []queue.Message) {
	m.t.Helper()
	different := map[string]bool{}
	for range 5 {
		got, err := q.Receive(m.t.Context(), 256, time.Second)
		if err != nil {
			m.t.Fatal(err)
		}
		all = append(all, got...)
		for _, message := range got {
			different[string(message.Body)] = true
		}
		if len(different) >= want {
			break
		}
	}
	if len(different) != want {
		m.t.Fatalf("received %d different messages, want %d", len(different), want)
	}
	return all
}

// The queue does with another SQS and S3 what it does with ours.
func TestQueueOnMoto(t *testing.T) {
	m := newMoto(t)
	q, err := sqs.Open(t.Context(), sqs.Config{Region: north, URL: m.url, Visibility: 2 * time.Second, Log: logOf(t)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := sqs.OpenBucket(t.Context(), north, bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte{1, 2, 3}, 1<<20)
	if err := b.Put(t.Context(), "claims/a", "application/octet-stream", large); err != nil {
		t.Fatal(err)
	}
	m.send(wire.ClaimOf(bucket, "claims/a", large).Encode(nil))
	m.send(wire.ClaimOf(bucket, "claims/none", large).Encode(nil))
	for n := range byte(30) {
		m.send([]byte{1, n})
	}
	var receipts []string
	poison := ""
	for _, got := range m.receive(q, 32) {
		switch {
		case wire.IsClaim(got.Body):
			poison = got.Receipt
			continue
		case len(got.Body) != 2 && !bytes.Equal(got.Body, large):
			t.Errorf("received %d bytes", len(got.Body))
		}
		receipts = append(receipts, got.Receipt)
	}
	if err := q.Extend(t.Context(), receipts, time.Minute); err != nil {
		t.Error(err)
	}
	if err := q.Delete(t.Context(), receipts); err != nil {
		t.Error(err)
	}
	if m.has("claims/a") != nil {
		t.Error("the object is still there")
	}
	if err := q.Extend(t.Context(), []string{poison}, 0); err != nil {
		t.Error(err)
	}
	if err := q.Extend(t.Context(), []string{m.receive(q, 1)[0].Receipt}, 0); err != nil {
		t.Error(err)
	}
	m.receive(q, 0) // it is a dead letter now
	if stats, err := q.Stats(t.Context()); err != nil || stats.Waiting+stats.InFlight != 0 || stats.Dead != 1 {
		t.Errorf("stats %+v, %v", stats, err)
	}
	dead, err := q.DeadLetters(t.Context(), 10)
	if err != nil || len(dead) != 1 || !wire.IsClaim(dead[0].Body) {
		t.Fatalf("dead letters %+v, %v", dead, err)
	}
	if n, err := q.Redrive(t.Context(), []string{dead[0].ID}); err != nil || n != 1 {
		t.Errorf("put %d back, %v", n, err)
	}
	m.receive(q, 1)
}

// What is put into a bucket is there, and replaces what was.
func TestBucketOnMoto(t *testing.T) {
	m := newMoto(t)
	b, err := sqs.OpenBucket(t.Context(), north, bucket, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"first", "second"} {
		if err := b.Put(t.Context(), "keys/v1.json", "application/json", []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := m.has("keys/v1.json"); string(got) != body {
			t.Errorf("the bucket has %q, want %q", got, body)
		}
	}
}
