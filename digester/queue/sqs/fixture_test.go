package sqs_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rs/zerolog"

	"sundew/digester/digest"
	"sundew/digester/ledger"
	"sundew/digester/queue/sqs"
	"sundew/digester/queue/sqs/sqstest"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// s3Host is where objects lie.
const s3Host = "s3.test"

func TestMain(m *testing.M) {
	// The SDK must find no configuration but this.
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_S3": "http://" + s3Host,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// cloud is regions with SQS, and S3 for all of them, without a network.
type cloud struct {
	t       *testing.T
	regions map[string]*sqstest.Server
	objects *s3mem.Backend
	s3      http.Handler
	s3Down  atomic.Bool
}

// bucket is the one bucket.
const bucket = "claims-of-tests"

func newCloud(t *testing.T, regions ...string) *cloud {
	c := &cloud{t: t, regions: map[string]*sqstest.Server{}, objects: s3mem.New()}
	for _, region := range regions {
		server := sqstest.New(region, nil)
		c.regions[region] = server
		if err := server.Create("dead", map[string]string{"MessageRetentionPeriod": "1209600"}); err != nil {
			t.Fatal(err)
		}
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":8}`, server.ARN("dead"))
		if err := server.Create("sundew", map[string]string{"MessageRetentionPeriod": "1209600", "RedrivePolicy": policy}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.objects.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	c.s3 = gofakes3.New(c.objects, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	return c
}

// RoundTrip brings a request to where it belongs.
func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != s3Host {
		return sqstest.Direct(c.regions[strings.TrimSuffix(r.URL.Host, ".test")]).RoundTrip(r)
	}
	if c.s3Down.Load() {
		return sqstest.Direct(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).RoundTrip(r)
	}
	return sqstest.Direct(c.s3).RoundTrip(r)
}

// open opens the queue of a region.
func (c *cloud) open(region string) *sqs.Queue {
	c.t.Helper()
	q, err := sqs.Open(c.t.Context(), sqs.Config{
		Region: region, URL: "http://" + region + ".test/123456789012/sundew", Transport: c, Log: logOf(c.t),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return q
}

func logOf(t *testing.T) zerolog.Logger {
	return zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel)
}

// edge is what sends in a region.
type edge struct {
	c        *cloud
	region   string
	instance wire.InstanceID
	seq      uint64
	codec    *wire.Codec
}

func (c *cloud) edge(region string) *edge {
	return &edge{c: c, region: region, instance: wire.InstanceID{region[0], region[len(region)-1]}, codec: wire.NewCodec()}
}

// message makes the next message of a project.
func (e *edge) message(project event.ProjectID) *wire.Message {
	e.seq++
	m := &wire.Message{
		Kind: wire.KindEvent, Project: project, Instance: e.instance, Seq: e.seq, Region: e.region,
		EventID: event.ID{e.instance[0], e.instance[1], byte(e.seq >> 8), byte(e.seq)}, ReceivedAt: time.Now(),
	}
	m.Body, m.Encoding = e.codec.Compress([]byte(`{"message":"it broke"}`))
	return m
}

// send queues encoded messages.
func (e *edge) send(encoded ...[]byte) {
	e.c.t.Helper()
	for _, b := range encoded {
		if err := e.c.regions[e.region].Send("sundew", "1", wire.Text(b)); err != nil {
			e.c.t.Fatal(err)
		}
	}
}

// sendEvents queues n events of a project.
func (e *edge) sendEvents(project event.ProjectID, n int) {
	e.c.t.Helper()
	for range n {
		e.send(e.message(project).Encode(nil))
	}
}

// claim stores a message as an object and queues its claim. tamper may change
// what is stored, and store nothing by returning nil.
func (e *edge) claim(key string, m *wire.Message, tamper func([]byte) []byte) {
	e.c.t.Helper()
	encoded := m.Encode(nil)
	e.send(wire.ClaimOf(bucket, key, encoded).Encode(nil))
	if tamper != nil {
		encoded = tamper(encoded)
	}
	if encoded == nil {
		return
	}
	_, err := e.c.objects.PutObject(bucket, key, map[string]string{}, strings.NewReader(string(encoded)), int64(len(encoded)), nil)
	if err != nil {
		e.c.t.Fatal(err)
	}
}

func (c *cloud) hasObject(key string) bool {
	_, err := c.objects.HeadObject(bucket, key)
	return err == nil
}

// product is a database and what digests into it.
type product struct {
	t       *testing.T
	db      *store.DB
	replica *store.Replica
	project event.ProjectID
}

// withProduct runs a test in a bubble of synctest, with a cloud. The database is
// opened outside of it: libSQL keeps goroutines for as long as the process lives.
func withProduct(t *testing.T, test func(t *testing.T, c *cloud, p *product)) {
	t.Helper()
	p := &product{}
	p.db, p.replica = storetest.Open(t, nil)
	p.project = storetest.MustCreateProject(t, p.db, "Shop", "").ID
	synctest.Test(t, func(t *testing.T) {
		p.t = t
		test(t, newCloud(t, north, south), p)
	})
}

// digest starts a digester as the program does, and returns it with what stops it.
func (p *product) digest(q digest.Queue) (d *digest.Digester, stop func()) {
	p.t.Helper()
	d, err := digest.New(digest.Config{Queue: q, Store: p.db, Wait: 20 * time.Second})
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return d, func() {
		p.t.Helper()
		cancel()
		if err := <-ended; err != nil {
			p.t.Error(err)
		}
	}
}

// want checks that so many events are stored, each once, and that the books
// balance with nothing missing.
func (p *product) want(stored int64) {
	p.t.Helper()
	var decided store.Books
	storetest.MustRead(p.t, p.replica, func(rx *store.Rx) (err error) {
		decided, err = rx.Books(ledger.Since(time.Now()))
		return err
	})
	b := ledger.Reconcile(decided, ledger.Queue{}, time.Now())
	if b.StoredEvents != stored || b.Digested != stored || b.Accepted != stored || b.Duplicate != 0 || b.Mismatch != 0 || len(b.Gaps) != 0 {
		p.t.Errorf("want %d events, the books say %+v with %d events and gaps %v", stored, b.Balance, b.StoredEvents, b.Gaps)
	}
	storetest.MustCheck(p.t, p.replica)
}

// after lets time pass; in a bubble of synctest it passes at once.
func after(d time.Duration) { <-time.After(d) }
