package main

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sundew/schema/wire"
)

// fault is what goes wrong with one call.
type fault struct {
	applied bool  // the messages arrive all the same
	status  int   // the call is answered with it
	cut     bool  // the connection is cut instead of an answer
	entries []int // only these of a batch fail; all of a call that is none
}

// fakeSQS speaks as much of SQS's protocol as sending takes.
type fakeSQS struct {
	*httptest.Server
	mu      sync.Mutex
	fail    func() *fault // nil: nothing
	calls   int
	arrived []arrival
	batches []int // bytes of each batch
}

type arrival struct{ text, group string }

func newFakeSQS(t testing.TB) *fakeSQS {
	f := &fakeSQS{}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// setFail decides what goes wrong from now on.
func (f *fakeSQS) setFail(fail func() *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// called returns how many calls came.
func (f *fakeSQS) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

type sendEntry struct {
	ID    string `json:"Id"`
	Body  string `json:"MessageBody"`
	Group string `json:"MessageGroupId"`
}

type sent struct {
	ID  string `json:"Id,omitempty"`
	Key string `json:"MessageId"`
	MD5 string `json:"MD5OfMessageBody"`
}

func (f *fakeSQS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	var in struct {
		sendEntry
		Entries []sendEntry
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	batch := r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessageBatch"
	if !batch {
		in.Entries = []sendEntry{in.sendEntry}
	}
	size := 0
	for _, e := range in.Entries {
		size += len(e.Body)
	}
	f.batches = append(f.batches, size)
	if size > 1<<20 || len(in.Entries) > 10 {
		answerError(w, http.StatusBadRequest, "AWS.SimpleQueueService.BatchRequestTooLong")
		return
	}
	var wrong fault
	if f.fail != nil {
		if problem := f.fail(); problem != nil {
			wrong = *problem
		}
	}
	if !batch && len(wrong.entries) > 0 {
		wrong.status = http.StatusInternalServerError
	}
	bad := map[int]bool{}
	for _, i := range wrong.entries {
		bad[i] = true
	}
	var successful []sent
	var failed []map[string]any
	whole := wrong.status != 0 || wrong.cut
	for i, e := range in.Entries {
		if !whole && !bad[i] || wrong.applied {
			f.arrived = append(f.arrived, arrival{e.Body, e.Group})
		}
		if bad[i] {
			failed = append(failed, map[string]any{"Id": e.ID, "Code": "InternalError", "SenderFault": false})
			continue
		}
		sum := md5.Sum([]byte(e.Body))
		successful = append(successful, sent{e.ID, fmt.Sprint("m", len(f.arrived)), hex.EncodeToString(sum[:])})
	}
	switch {
	case wrong.cut:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	case wrong.status != 0:
		answerError(w, wrong.status, "InternalError")
	case batch:
		writeAmazon(w, http.StatusOK, map[string]any{"Successful": successful, "Failed": failed})
	default:
		writeAmazon(w, http.StatusOK, successful[0])
	}
}

func answerError(w http.ResponseWriter, status int, code string) {
	writeAmazon(w, status, map[string]string{"__type": "com.amazonaws.sqs#" + code, "message": "no"})
}

func writeAmazon(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// messages returns what arrived, decoded; claims are left out.
func (f *fakeSQS) messages(t testing.TB) []*wire.Message {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []*wire.Message
	for _, a := range f.arrived {
		encoded, err := wire.FromText(a.text)
		if err != nil {
			t.Fatal(err)
		}
		if wire.IsClaim(encoded) {
			continue
		}
		m, err := wire.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(m.Project); a.group != want {
			t.Errorf("a message of project %s has the group %q", want, a.group)
		}
		all = append(all, m)
	}
	return all
}

// testAWS returns a configuration whose clients talk to the given servers and do not
// wait long before they try again.
func testAWS(queue, bucket string) aws.Config {
	cfg := awsConfig(func(name string) string {
		return map[string]string{
			"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
			"AWS_ENDPOINT_URL_SQS": queue, "AWS_ENDPOINT_URL_S3": bucket,
		}[name]
	})
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	}
	return cfg
}

func newTestSender(f *fakeSQS, bucket *claims) *sender {
	return &sender{client: sqs.NewFromConfig(testAWS(f.URL, "")), queue: f.URL + "/1/sundew", claims: bucket}
}
