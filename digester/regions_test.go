package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rs/zerolog"

	"sundew/digester/queue/sqs/sqstest"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/wire"
)

var noLog = zerolog.Nop()

func TestRegionConfig(t *testing.T) {
	const north, south = "eu-north-1=https://sqs.eu-north-1.amazonaws.com/123456789012/sundew", "ap-south-1=http://127.0.0.1:9324/1/q"
	for _, c := range []struct {
		queues, buckets string
		want            []RegionConfig
		problem         string
	}{
		{"", "", nil, ""},
		{north, "", []RegionConfig{{Name: "eu-north-1", Queue: north[11:]}}, ""},
		{north + ", " + south, "ap-south-1=keys.example", []RegionConfig{{Name: "eu-north-1", Queue: north[11:]}, {"ap-south-1", south[11:], "keys.example"}}, ""},
		{north + "," + north, "", nil, "there twice"},
		{"north=https://x/1/q", "", nil, "no region"},
		{"https://sqs.eu-north-1.amazonaws.com/1/q", "", nil, "REGION=VALUE"},
		{"eu-north-1=", "", nil, "REGION=VALUE"},
		{north + ",", "", nil, "REGION=VALUE"},
		{"eu-north-1=sundew", "", nil, "the address of a queue"},
		{"eu-north-1=https://example.com/sundew", "", nil, "the address of a queue"},
		{north, "ap-south-1=keys", nil, "no queue for region ap-south-1"},
		{north, "eu-north-1=K", nil, "no name of a bucket"},
		{"", "eu-north-1=keys", nil, "no queue"},
	} {
		cfg, err := configFromEnv(func(name string) string {
			return map[string]string{"SUNDEW_QUEUES": c.queues, "SUNDEW_BUCKETS": c.buckets}[name]
		})
		switch {
		case c.problem == "" && err != nil, c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
			t.Errorf("%q and %q: %v, want %q", c.queues, c.buckets, err, c.problem)
		case c.problem == "":
			if diff := cmp.Diff(c.want, cfg.Regions); diff != "" {
				t.Errorf("%q and %q (-want +got):\n%s", c.queues, c.buckets, diff)
			}
		}
	}
}

// abroad is two regions on loopback, with S3.
type abroad struct {
	t       *testing.T
	servers map[string]*sqstest.Server
	objects *s3mem.Backend
	env     map[string]string
	seq     map[string]uint64
}

const keyBucket = "keys-of-tests"

func newAbroad(t *testing.T, dir string) *abroad {
	a := &abroad{t: t, servers: map[string]*sqstest.Server{}, objects: s3mem.New(), seq: map[string]uint64{}}
	if err := a.objects.CreateBucket(keyBucket); err != nil {
		t.Fatal(err)
	}
	s3 := httptest.NewServer(gofakes3.New(a.objects, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(s3.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL_S3": s3.URL,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	var queues, buckets []string
	for _, region := range []string{"eu-north-1", "ap-south-1"} {
		server := sqstest.New(region, nil)
		a.servers[region] = server
		listener := httptest.NewServer(server)
		t.Cleanup(listener.Close)
		policy := fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":8}`, server.ARN("dead"))
		for queue, attributes := range map[string]map[string]string{"dead": nil, "sundew": {}} {
			if err := server.Create(queue, attributes); err != nil {
				t.Fatal(err)
			}
		}
		if err := server.SetAttributes("sundew", map[string]string{"RedrivePolicy": policy}); err != nil {
			t.Fatal(err)
		}
		queues = append(queues, region+"="+listener.URL+"/123456789012/sundew")
		buckets = append(buckets, region+"="+keyBucket)
	}
	a.env = map[string]string{
		"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0",
		"SUNDEW_QUEUES": strings.Join(queues, ","), "SUNDEW_BUCKETS": strings.Join(buckets, ","),
	}
	return a
}

// send queues n events in a region.
func (a *abroad) send(region string, n int) {
	a.t.Helper()
	codec := wire.NewCodec()
	for range n {
		a.seq[region]++
		m := &wire.Message{
			Kind: wire.KindEvent, Project: 1, Region: region, Instance: wire.InstanceID{region[0]}, Seq: a.seq[region],
			EventID: event.ID{region[0], byte(a.seq[region])}, ReceivedAt: time.Now(),
		}
		m.Body, m.Encoding = codec.Compress([]byte(`{"message":"it broke abroad"}`))
		if err := a.servers[region].Send("sundew", "1", wire.Text(m.Encode(nil))); err != nil {
			a.t.Fatal(err)
		}
	}
}

// keys returns what is published.
func (a *abroad) keys() []keyring.Key {
	object, err := a.objects.GetObject(keyBucket, keysObject, nil)
	if err != nil {
		return nil
	}
	defer object.Contents.Close()
	body, err := io.ReadAll(object.Contents)
	if err != nil {
		a.t.Fatal(err)
	}
	snapshot, err := keyring.Decode(body)
	if err != nil {
		a.t.Fatal(err)
	}
	return snapshot.Keys
}

// Everything from two regions and from the process's own intake ends in one
// database, while one of the regions is away for a time; the books balance.
func TestRegions(t *testing.T) {
	dir := t.TempDir()
	a := newAbroad(t, dir)
	north, south := a.servers["eu-north-1"], a.servers["ap-south-1"]
	south.SetUnreachable(true)
	r := startServiceWith(t, a.env)
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	a.send("eu-north-1", 20)
	a.send("ap-south-1", 5)
	r.post("/api/1/store/?sentry_key="+key, `{"message":"it broke at home"}`, 200)
	waitFor(t, "the region that answers is digested", func() bool { return r.books().Digested == 21 && len(north.Bodies("sundew")) == 0 })
	var ready readiness
	waitFor(t, "the trouble is told", func() bool {
		status, body := r.get("/health/ready")
		if err := json.Unmarshal([]byte(body), &ready); err != nil {
			t.Fatal(err)
		}
		return status == 200 && ready.Regions[1].Digester != "ok" && ready.Regions[1].Stats != "ok" && ready.Regions[0].Stats == "ok" && ready.Regions[0].Keys == "ok"
	})
	if ready.Regions[0].Digester != "ok" || ready.Regions[0].Region != "eu-north-1" || ready.Regions[0].DeadLetters != 0 {
		t.Errorf("ready %+v", ready)
	}
	south.SetUnreachable(false)
	waitFor(t, "the other region is digested", func() bool { return r.books().Digested == 26 && len(south.Bodies("sundew")) == 0 })
	for _, want := range []string{`sundew_queue_up{queue="eu-north-1"} 1`, `sundew_queue_messages{queue="ap-south-1",state="dead"} 0`, `sundew_keys_age_seconds{queue="eu-north-1"}`} {
		if _, body := r.get("/metrics"); !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if keys := a.keys(); len(keys) != 1 || keys[0] != (keyring.Key{Project: 1, Public: key, Enabled: true}) {
		t.Errorf("published %+v", keys)
	}
	b := r.books()
	if err := balance(b); err != nil || b.Accepted != 26 || b.StoredEvents != 26 || b.Lost != 0 || len(b.Gaps) != 0 {
		t.Errorf("books %+v, gaps %v, %v", b.Balance, b.Gaps, err)
	}
	r.stop()
	mustCheck(t, envOf(dir))
}
