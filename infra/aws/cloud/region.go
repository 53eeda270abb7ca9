package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"sundew/digester/queue/sqs/sqstest"
)

// Region is a queue and a bucket.
type Region struct {
	Name   string
	Bucket string          // its name
	Queue  *sqstest.Server // for what SQS itself may do wrong

	cloud   *Cloud
	objects *s3mem.Backend
	edge    *side
	home    *side
}

// side is how one party reaches a region.
type side struct{ queue, bucket *Gate }

func newRegion(c *Cloud, name string) (*Region, error) {
	r := &Region{
		Name: name, Bucket: "sundew-" + name, Queue: sqstest.New(name, nil),
		cloud: c, objects: s3mem.New(),
	}
	if err := r.objects.CreateBucket(r.Bucket); err != nil {
		return nil, err
	}
	s3 := gofakes3.New(r.objects, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	r.edge = &side{newGate(r.Queue), newGate(s3)}
	r.home = &side{newGate(r.Queue), newGate(s3)}
	return r, nil
}

// createQueues makes the queue and the one of its dead letters.
func (r *Region) createQueues() error {
	if err := r.ask("CreateQueue", map[string]any{"QueueName": deadName}, nil); err != nil {
		return err
	}
	policy := fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:%s:%s","maxReceiveCount":8}`, r.Name, account, deadName)
	return r.ask("CreateQueue", map[string]any{"QueueName": queueName, "Attributes": map[string]string{"RedrivePolicy": policy}}, nil)
}

// ask does an action of SQS.
func (r *Region) ask(action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, r.cloud.edgeURL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=EXAMPLE/20260101/"+r.Name+"/sqs/aws4_request")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s in %s: %s: %s", action, r.Name, answer.Status, said)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(said, out)
}

// QueueURL is the queue's address for the region's edge.
func (r *Region) QueueURL() string { return r.cloud.edgeURL + "/" + account + "/" + queueName }

// Endpoint is the address of SQS and S3 for the region's edge.
func (r *Region) Endpoint() string { return r.cloud.edgeURL }

// FunctionEnv is the environment of the region's ingest function.
func (r *Region) FunctionEnv() []string {
	return append(credentials(),
		"SUNDEW_QUEUE_URL="+r.QueueURL(),
		"SUNDEW_BUCKET="+r.Bucket,
		"AWS_ENDPOINT_URL_SQS="+r.cloud.edgeURL,
		"AWS_ENDPOINT_URL_S3="+r.cloud.edgeURL,
		"AWS_LAMBDA_LOG_LEVEL=WARN",
	)
}

// Waiting returns how many messages are in the queue, received or not.
func (r *Region) Waiting() (int, error) {
	var out struct {
		Attributes struct {
			Visible   int `json:"ApproximateNumberOfMessages,string"`
			Invisible int `json:"ApproximateNumberOfMessagesNotVisible,string"`
		}
	}
	err := r.ask("GetQueueAttributes", map[string]any{"QueueUrl": r.QueueURL(), "AttributeNames": []string{"All"}}, &out)
	return out.Attributes.Visible + out.Attributes.Invisible, err
}

// Objects returns the keys of the objects in the bucket that begin with a prefix.
func (r *Region) Objects(prefix string) ([]string, error) {
	list, err := r.objects.ListBucket(r.Bucket, &gofakes3.Prefix{HasPrefix: true, Prefix: prefix}, gofakes3.ListBucketPage{})
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	return keys, nil
}

// PutObject stores an object in the bucket, as the digester or a person would.
func (r *Region) PutObject(key string, body []byte) error {
	_, err := r.objects.PutObject(r.Bucket, key, map[string]string{}, bytes.NewReader(body), int64(len(body)), nil)
	return err
}

// CutOff takes the digester's network to the region away, or gives it back. The
// region's edge notices nothing.
func (r *Region) CutOff(cut bool) {
	r.home.queue.Cut(cut)
	r.home.bucket.Cut(cut)
}

// EdgeBucket is the edge's way to the bucket.
func (r *Region) EdgeBucket() *Gate { return r.edge.bucket }
