package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

const testBucket = "sundew-test"

// testS3 is an S3 in memory with one bucket. Before is called with each request and
// may answer it itself.
type testS3 struct {
	client *s3.Client
	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) (answered bool) // guarded by mu
}

func newTestS3(t testing.TB) *testS3 {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(testBucket); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(backend).Server()
	f := &testS3{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		before := f.before
		f.mu.Unlock()
		if before == nil || !before(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	f.client = newS3(testAWS("", server.URL))
	return f
}

// setBefore decides who answers from now on.
func (f *testS3) setBefore(before func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

// put stores an object, get reads one.
func (f *testS3) put(t testing.TB, key string, content []byte) {
	t.Helper()
	_, err := f.client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(testBucket), Key: &key, Body: bytes.NewReader(content)})
	if err != nil {
		t.Fatal(err)
	}
}

func (f *testS3) get(t testing.TB, key string) []byte {
	t.Helper()
	out, err := f.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(testBucket), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestClaims checks what becomes of a message that is too large for the queue, on
// both sides of the limit.
func TestClaims(t *testing.T) {
	bucket := newTestS3(t)
	var checksum atomic.Value
	bucket.setBefore(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			checksum.Store(r.Header.Get("X-Amz-Checksum-Sha256"))
		}
		return false
	})
	f := newFakeSQS(t)
	now := time.Date(2026, 11, 21, 23, 30, 0, 0, time.FixedZone("", -3600))
	s := newTestSender(f, &claims{client: bucket.client, bucket: testBucket, now: func() time.Time { return now }})
	m := wire.Message{Kind: wire.KindEvent, Project: 7, EventID: event.ID{1}}
	fits := maxText/4*3 - m.EncodedLen()
	for _, size := range []int{fits, fits + 1} {
		m := m
		m.Body = bytes.Repeat([]byte("x"), size)
		if err := s.Send(t.Context(), []*wire.Message{&m}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.messages(t); len(f.arrived) != 2 || len(got) != 1 || got[0].Seq != 1 {
		t.Fatalf("%d arrived, of them %d whole", len(f.arrived), len(got))
	}
	encoded, err := wire.FromText(f.arrived[1].text)
	if err != nil {
		t.Fatal(err)
	}
	claim, err := wire.DecodeClaim(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if claim.Bucket != testBucket || !regexp.MustCompile(`^claims/2026/11/22/[0-9a-f]{32}$`).MatchString(claim.Key) {
		t.Errorf("claim %s in %s", claim.Key, claim.Bucket)
	}
	if want := base64.StdEncoding.EncodeToString(claim.SHA256[:]); checksum.Load() != want {
		t.Errorf("sent with checksum %v, want %q", checksum.Load(), want)
	}
	object := bucket.get(t, claim.Key)
	if err := claim.Verify(object); err != nil {
		t.Error(err)
	}
	if stored, err := wire.Decode(object); err != nil || stored.Seq != 2 || stored.Instance != f.messages(t)[0].Instance {
		t.Errorf("the object is %+v, %v", stored, err)
	}
}

// TestClaimFails checks that a message that cannot be stored fails its Send, takes no
// other with it, and leaves no gap.
func TestClaimFails(t *testing.T) {
	for _, applied := range []bool{false, true} {
		bucket := newTestS3(t)
		f := newFakeSQS(t)
		s := newTestSender(f, &claims{client: bucket.client, bucket: testBucket, now: time.Now})
		var next byte
		msgs := testMessages(&next, 7, 7)
		msgs[0].Body = bytes.Repeat([]byte("x"), 1<<20)
		bucket.setBefore(func(w http.ResponseWriter, r *http.Request) bool {
			if applied {
				return false
			}
			w.WriteHeader(http.StatusInternalServerError)
			return true
		})
		if applied { // stored, but then the queue fails
			f.setFail(func() *fault { return &fault{status: 500} })
		}
		if err := s.Send(t.Context(), msgs); err == nil {
			t.Error("no error")
		}
		bucket.setBefore(nil)
		f.setFail(nil)
		for range 3 {
			if err := s.Send(t.Context(), testMessages(&next, 7, 7)); err != nil {
				t.Fatal(err)
			}
		}
		checkBooks(t, f.messages(t))
	}
}

// TestSnapshotObject checks that the keys of the bucket are fetched only when they
// changed.
func TestSnapshotObject(t *testing.T) {
	bucket := newTestS3(t)
	o := &snapshotObject{client: bucket.client, bucket: testBucket}
	if _, err := o.read(t.Context()); err == nil {
		t.Error("a bucket without keys is read without an error")
	}
	publish := func(s *keyring.Snapshot) {
		t.Helper()
		encoded, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		bucket.put(t, "keys/v1.json", encoded)
	}
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	first := &keyring.Snapshot{At: at, QuotasAt: at,
		Keys: []keyring.Key{{Project: 1, Public: strings.Repeat("a", 32), Enabled: true}}}
	publish(first)
	var conditions atomic.Int32 // requests that had one
	var etag atomic.Value
	etag.Store("none yet")
	bucket.setBefore(func(w http.ResponseWriter, r *http.Request) bool {
		condition := r.Header.Get("If-None-Match")
		if condition != "" {
			conditions.Add(1)
		}
		if condition == etag.Load() {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
		return false
	})
	for i := range int32(2) {
		got, err := o.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, got); diff != "" || conditions.Load() != i {
			t.Errorf("read %d: %d conditions (-want +got):\n%s", i, conditions.Load(), diff)
		}
		etag.Store(o.etag)
	}
	etag.Store("another")
	second := *first
	second.At = first.At.Add(time.Minute)
	second.Keys = nil
	publish(&second)
	if got, err := o.read(t.Context()); err != nil || !got.At.Equal(second.At) {
		t.Errorf("after a change: %+v, %v", got, err)
	}
	bucket.put(t, "keys/v1.json", []byte("{}"))
	if _, err := o.read(t.Context()); !errors.Is(err, keyring.ErrFormat) {
		t.Errorf("rubbish: %v", err)
	}
}
