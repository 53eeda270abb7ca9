package sqstest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"sundew/digester/queue/sqs/sqstest"
)

// region is where the queues of these tests are.
const region = "eu-north-1"

func TestMain(m *testing.M) {
	// The SDK must find no configuration of whoever runs the tests.
	for name, value := range map[string]string{"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	server := httptest.NewServer(sqstest.New(region, nil))
	t.Cleanup(server.Close)
	conformance(t, server.URL, nil)
}

// suite is an implementation of SQS under test.
type suite struct {
	*sqs.Client
	prefix string
}

// conformance checks what the product relies on, in the words of AWS's reference,
// against an implementation. skips says why a check is left out, by its name.
func conformance(t *testing.T, endpoint string, skips map[string]string) {
	s := &suite{
		Client: sqs.New(sqs.Options{
			Region: region, BaseEndpoint: aws.String(endpoint), Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Timeout: time.Minute},
			Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		}),
		prefix: "q" + strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	for _, c := range []struct {
		name  string
		check func(*testing.T, *suite, string)
	}{
		{"send and receive", checkSend},
		{"group on a standard queue", checkGroup},
		{"visibility", checkVisibility},
		{"long poll", checkLongPoll},
		{"change visibility", checkChange},
		{"change when not in flight", checkNotInFlight},
		{"delete", checkDelete},
		{"batches", checkBatches},
		{"batch errors", checkBatchErrors},
		{"sizes", checkSizes},
		{"contents", checkContents},
		{"batch contents", checkBatchContents},
		{"empty body", checkEmptyBody},
		{"parameters", checkParameters},
		{"long group", checkLongGroup},
		{"no such queue", checkNoQueue},
		{"attributes", checkAttributes},
		{"unknown attribute", checkUnknownAttribute},
		{"redrive", checkRedrive},
		{"move task", checkMoveTask},
		{"purge", checkPurge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if why := skips[c.name]; why != "" {
				t.Skip(why)
			}
			c.check(t, s, s.create(t, strings.ReplaceAll(c.name, " ", "-"), nil))
		})
	}
}

func (s *suite) create(t *testing.T, name string, attributes map[string]string) string {
	t.Helper()
	out, err := s.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(s.prefix + "-" + name), Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl
}

func (s *suite) send(t *testing.T, url, body string) string {
	t.Helper()
	out, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	if err != nil {
		t.Fatal(err)
	}
	return *out.MessageId
}

// receive returns up to ten messages with all their attributes.
func (s *suite) receive(t *testing.T, url string, wait, visibility int32) []types.Message {
	t.Helper()
	out, err := s.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait, VisibilityTimeout: visibility,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

// one receives exactly one message.
func (s *suite) one(t *testing.T, url string, visibility int32) types.Message {
	t.Helper()
	got := s.receive(t, url, 3, visibility)
	if len(got) != 1 {
		t.Fatalf("received %d messages, want 1", len(got))
	}
	return got[0]
}

func (s *suite) counts(t *testing.T, url string) (visible, hidden string) {
	t.Helper()
	out, err := s.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"], out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

// wantCode checks that an answer is an error of one of some codes.
func wantCode(t *testing.T, what string, err error, codes ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("%s: %v, want %v", what, err, codes)
		return
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return
		}
	}
	t.Errorf("%s: code %s (%s), want %v", what, api.ErrorCode(), api.ErrorMessage(), codes)
}

func checkSend(t *testing.T, s *suite, url string) {
	began := time.Now()
	const body = "<a>&\"é\t\r\n€😀"
	id := s.send(t, url, body)
	m := s.one(t, url, 30)
	if *m.MessageId != id || *m.Body != body {
		t.Errorf("received %q of %s", *m.Body, *m.MessageId)
	}
	if n := m.Attributes["ApproximateReceiveCount"]; n != "1" {
		t.Errorf("received %q times", n)
	}
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if sent := time.UnixMilli(ms); err != nil || sent.Before(began.Add(-2*time.Second)) || sent.After(time.Now().Add(2*time.Second)) {
		t.Errorf("sent at %v, %v", sent, err)
	}
	// Attributes that nobody asked for do not come.
	s.send(t, url, "second")
	out, err := s.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 2})
	if err != nil || len(out.Messages) != 1 || len(out.Messages[0].Attributes) != 0 {
		t.Errorf("received %+v, %v", out, err)
	}
}

func checkGroup(t *testing.T, s *suite, url string) {
	for range 2 { // a group orders and locks nothing here
		if _, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageGroupId: aws.String("42")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		out, err := s.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 1, WaitTimeSeconds: 2,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameMessageGroupId},
		})
		if err != nil || len(out.Messages) != 1 || out.Messages[0].Attributes["MessageGroupId"] != "42" {
			t.Fatalf("received %+v, %v", out, err)
		}
	}
}

func checkVisibility(t *testing.T, s *suite, url string) {
	id := s.send(t, url, "x")
	first := s.one(t, url, 1)
	if got := s.receive(t, url, 0, 30); len(got) != 0 {
		t.Error("a message in flight was delivered")
	}
	again := s.one(t, url, 30) // the poll lasts longer than the message is hidden
	if *again.MessageId != id || again.Attributes["ApproximateReceiveCount"] != "2" || *again.ReceiptHandle == *first.ReceiptHandle {
		t.Errorf("the second delivery: %+v", again)
	}
	visible, hidden := s.counts(t, url)
	if visible != "0" || hidden != "1" {
		t.Errorf("%s waiting, %s in flight", visible, hidden)
	}
}

func checkLongPoll(t *testing.T, s *suite, url string) {
	began := time.Now()
	if got := s.receive(t, url, 1, 30); len(got) != 0 || time.Since(began) < 900*time.Millisecond {
		t.Errorf("%d messages after %v", len(got), time.Since(began))
	}
	sent := make(chan time.Time, 1)
	go func() {
		<-time.After(300 * time.Millisecond)
		sent <- time.Now()
		_, _ = s.SendMessage(context.WithoutCancel(t.Context()), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	}()
	s.oneWithin(t, url)
	if waited := time.Since(<-sent); waited > 3*time.Second {
		t.Errorf("a message waited %v for a poll that was there", waited)
	}
}

func (s *suite) oneWithin(t *testing.T, url string) {
	t.Helper()
	if got := s.receive(t, url, 15, 30); len(got) != 1 {
		t.Errorf("received %d messages", len(got))
	}
}

func checkChange(t *testing.T, s *suite, url string) {
	s.send(t, url, "x")
	m := s.one(t, url, 30)
	change := func(handle *string, seconds int32) error {
		_, err := s.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	if err := change(m.ReceiptHandle, 0); err != nil {
		t.Fatal(err)
	}
	m = s.one(t, url, 30)
	wantCode(t, "too long", change(m.ReceiptHandle, 43201), "InvalidParameterValue")
	wantCode(t, "no receipt", change(aws.String("nonsense"), 5), "ReceiptHandleIsInvalid")
}

func checkNotInFlight(t *testing.T, s *suite, url string) {
	s.send(t, url, "x")
	in := &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: s.one(t, url, 30).ReceiptHandle}
	if _, err := s.ChangeMessageVisibility(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	_, err := s.ChangeMessageVisibility(t.Context(), in)
	wantCode(t, "a message that is visible", err, "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight")
}

func checkDelete(t *testing.T, s *suite, url string) {
	s.send(t, url, "x")
	m := s.one(t, url, 1)
	remove := func(handle *string) error {
		_, err := s.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: handle})
		return err
	}
	for range 2 { // the second time there is nothing to do
		if err := remove(m.ReceiptHandle); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.receive(t, url, 2, 30); len(got) != 0 {
		t.Error("a deleted message came back")
	}
	wantCode(t, "no receipt", remove(aws.String("nonsense")), "ReceiptHandleIsInvalid")
}

func checkBatches(t *testing.T, s *suite, url string) {
	in := &sqs.SendMessageBatchInput{QueueUrl: &url}
	for i := range 9 {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(fmt.Sprint("body ", i))})
	}
	sent, err := s.SendMessageBatch(t.Context(), in)
	if err != nil || len(sent.Successful) != 9 || len(sent.Failed) != 0 {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	var got []types.Message
	for len(got) < 9 {
		more := s.receive(t, url, 2, 30)
		if len(more) == 0 {
			t.Fatalf("received %d", len(got))
		}
		got = append(got, more...)
	}
	hide := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url}
	remove := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
	for i, m := range got {
		handle := m.ReceiptHandle
		if i == 0 {
			handle = aws.String("nonsense")
		}
		id := aws.String(strconv.Itoa(i))
		hide.Entries = append(hide.Entries, types.ChangeMessageVisibilityBatchRequestEntry{Id: id, ReceiptHandle: handle, VisibilityTimeout: 60})
		remove.Entries = append(remove.Entries, types.DeleteMessageBatchRequestEntry{Id: id, ReceiptHandle: handle})
	}
	hidden, err := s.ChangeMessageVisibilityBatch(t.Context(), hide)
	if err != nil || len(hidden.Successful) != 8 || len(hidden.Failed) != 1 || *hidden.Failed[0].Id != "0" {
		t.Errorf("hidden %+v, %v", hidden, err)
	}
	removed, err := s.DeleteMessageBatch(t.Context(), remove)
	if err != nil || len(removed.Successful) != 8 || len(removed.Failed) != 1 || *removed.Failed[0].Id != "0" {
		t.Errorf("removed %+v, %v", removed, err)
	}
	if visible, hidden := s.counts(t, url); visible != "0" || hidden != "1" {
		t.Errorf("%s waiting, %s in flight", visible, hidden)
	}
}

func checkBatchErrors(t *testing.T, s *suite, url string) {
	send := func(ids ...string) error {
		in := &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{}}
		for _, id := range ids {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String("x")})
		}
		_, err := s.SendMessageBatch(t.Context(), in)
		return err
	}
	var empty *types.EmptyBatchRequest
	var many *types.TooManyEntriesInBatchRequest
	var same *types.BatchEntryIdsNotDistinct
	var bad *types.InvalidBatchEntryId
	if err := send(); !errors.As(err, &empty) {
		t.Errorf("no entries: %v", err)
	}
	if err := send(strings.Split("abcdefghijk", "")...); !errors.As(err, &many) {
		t.Errorf("eleven entries: %v", err)
	}
	if err := send("a", "b", "a"); !errors.As(err, &same) {
		t.Errorf("an id twice: %v", err)
	}
	if err := send("a b"); !errors.As(err, &bad) {
		t.Errorf("an id with a space: %v", err)
	}
	if got := s.receive(t, url, 0, 30); len(got) != 0 {
		t.Errorf("%d messages of refused batches are there", len(got))
	}
}

func checkSizes(t *testing.T, s *suite, url string) {
	const most = 1 << 20
	s.send(t, url, strings.Repeat("x", most))
	if m := s.one(t, url, 30); len(*m.Body) != most {
		t.Errorf("received %d bytes", len(*m.Body))
	}
	_, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(strings.Repeat("x", most+1))})
	wantCode(t, "a byte too much", err, "InvalidParameterValue")
	half := aws.String(strings.Repeat("x", most/2))
	in := &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: half}, {Id: aws.String("b"), MessageBody: half}}}
	if out, err := s.SendMessageBatch(t.Context(), in); err != nil || len(out.Successful) != 2 {
		t.Errorf("a full batch: %+v, %v", out, err)
	}
	in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String("c"), MessageBody: aws.String("x")})
	_, err = s.SendMessageBatch(t.Context(), in)
	var long *types.BatchRequestTooLong
	if !errors.As(err, &long) {
		t.Errorf("a batch that is too long: %v", err)
	}
}

func checkContents(t *testing.T, s *suite, url string) {
	_, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a\x00b")})
	var contents *types.InvalidMessageContents
	if !errors.As(err, &contents) {
		t.Errorf("a zero byte: %v", err)
	}
}

func checkBatchContents(t *testing.T, s *suite, url string) {
	out, err := s.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("good"), MessageBody: aws.String("x")}, {Id: aws.String("bad"), MessageBody: aws.String("\x00")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 1 || len(out.Failed) != 1 || *out.Failed[0].Id != "bad" || !out.Failed[0].SenderFault {
		t.Errorf("sent %d, failed %+v", len(out.Successful), out.Failed)
	}
}

func checkEmptyBody(t *testing.T, s *suite, url string) {
	_, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("")})
	wantCode(t, "no body", err, "MissingParameter")
}

func checkParameters(t *testing.T, s *suite, url string) {
	for _, in := range []*sqs.ReceiveMessageInput{{MaxNumberOfMessages: 11}, {WaitTimeSeconds: 21}, {VisibilityTimeout: 43201}} {
		in.QueueUrl = &url
		_, err := s.ReceiveMessage(t.Context(), in)
		wantCode(t, fmt.Sprintf("%d, %d, %d", in.MaxNumberOfMessages, in.WaitTimeSeconds, in.VisibilityTimeout), err, "InvalidParameterValue")
	}
}

func checkLongGroup(t *testing.T, s *suite, url string) {
	_, err := s.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), MessageGroupId: aws.String(strings.Repeat("g", 129))})
	wantCode(t, "a long group", err, "InvalidParameterValue")
}

func checkNoQueue(t *testing.T, s *suite, url string) {
	var none *types.QueueDoesNotExist
	if _, err := s.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(url + "-not")}); !errors.As(err, &none) {
		t.Errorf("receiving: %v", err)
	}
	if _, err := s.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("no-such-queue")}); !errors.As(err, &none) {
		t.Errorf("asking for the address: %v", err)
	}
}

func checkAttributes(t *testing.T, s *suite, url string) {
	name := url[strings.LastIndex(url, "/")+1:]
	out, err := s.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil || *out.QueueUrl != url {
		t.Errorf("the address is %+v, %v", out, err)
	}
	if _, err := s.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"VisibilityTimeout": "1"}}); err != nil {
		t.Fatal(err)
	}
	s.send(t, url, "x")
	s.one(t, url, 0) // the SDK sends no zero: the queue's own time holds
	s.one(t, url, 30)
}

func checkUnknownAttribute(t *testing.T, s *suite, url string) {
	_, err := s.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Nonsense": "1"}})
	wantCode(t, "an unknown attribute", err, "InvalidAttributeName")
}

// dead makes a queue whose messages are dead after two deliveries, with one dead
// letter, and returns its address, the dead-letter queue's, and that one's ARN.
func (s *suite) dead(t *testing.T, dead string) (url, arn, id string) {
	t.Helper()
	out, err := s.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &dead, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	arn = out.Attributes["QueueArn"]
	url = s.create(t, dead[strings.LastIndex(dead, "/")+1:]+"-source", map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"2"}`, arn), "VisibilityTimeout": "1",
	})
	id = s.send(t, url, "poison")
	s.one(t, url, 1)
	s.one(t, url, 1)
	if got := s.receive(t, url, 3, 1); len(got) != 0 {
		t.Fatal("a message was delivered too often")
	}
	return url, arn, id
}

func checkRedrive(t *testing.T, s *suite, url string) {
	_, _, id := s.dead(t, url)
	if m := s.one(t, url, 30); *m.MessageId != id || *m.Body != "poison" {
		t.Errorf("the dead letter: %+v", m)
	}
}

func checkMoveTask(t *testing.T, s *suite, url string) {
	source, arn, _ := s.dead(t, url)
	if _, err := s.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	if m := s.one(t, source, 30); *m.Body != "poison" || m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("what came back: %+v", m)
	}
	list, err := s.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &arn})
	if err != nil || len(list.Results) != 1 || list.Results[0].ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("tasks %+v, %v", list, err)
	}
}

func checkPurge(t *testing.T, s *suite, url string) {
	s.send(t, url, "x")
	if _, err := s.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	if got := s.receive(t, url, 1, 30); len(got) != 0 {
		t.Error("a purged message is there")
	}
	_, err := s.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
	var busy *types.PurgeQueueInProgress
	if !errors.As(err, &busy) {
		t.Errorf("purging twice: %v", err)
	}
}
