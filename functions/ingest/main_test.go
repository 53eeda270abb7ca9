package main

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"sundew/schema/keyring"
	"sundew/schema/wire"
)

func TestConfig(t *testing.T) {
	minimal := map[string]string{
		"AWS_REGION": "eu-central-1", "SUNDEW_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/sundew", "SUNDEW_BUCKET": "sundew",
	}
	want := Config{Queue: minimal["SUNDEW_QUEUE_URL"], Bucket: "sundew", Region: "eu-central-1", LogLevel: zerolog.InfoLevel}
	got, err := configFromEnv(func(name string) string { return minimal[name] })
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("minimal: %v (-want +got):\n%s", err, diff)
	}
	full := map[string]string{
		"AWS_REGION": "eu-central-1", "SUNDEW_QUEUE_URL": "http://127.0.0.1:9324/sundew", "SUNDEW_BUCKET": " sundew ",
		"SUNDEW_KEYS_URL": "libsql://keys.example.com", "SUNDEW_KEYS_TOKEN": "t", "SUNDEW_KEY_RATE": "2.5",
		"SUNDEW_MAX_EVENT_BYTES": "2048", "SUNDEW_REGION_NAME": "frankfurt", "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
	}
	want = Config{Queue: full["SUNDEW_QUEUE_URL"], Bucket: "sundew", KeysURL: "libsql://keys.example.com", KeysToken: "t",
		KeyRate: 2.5, MaxEvent: 2048, Region: "frankfurt", LogLevel: zerolog.DebugLevel}
	got, err = configFromEnv(func(name string) string { return full[name] })
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("full: %v (-want +got):\n%s", err, diff)
	}
}

// TestConfigWrong checks that everything that is wrong is reported at once, and no
// value quoted.
func TestConfigWrong(t *testing.T) {
	wrong := map[string]string{
		"SUNDEW_QUEUE_URL": "sundew-secret", "SUNDEW_BUCKET": "a/secret", "SUNDEW_KEYS_URL": "libsql://keys.example.com?authToken=secret",
		"SUNDEW_KEY_RATE": "-1", "SUNDEW_MAX_EVENT_BYTES": "999999999", "AWS_LAMBDA_LOG_LEVEL": "loud",
	}
	_, err := configFromEnv(func(name string) string { return wrong[name] })
	if err == nil {
		t.Fatal("no error")
	}
	for name := range wrong {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not reported:\n%v", name, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("a value is quoted:\n%v", err)
	}
	if _, err := configFromEnv(func(string) string { return "" }); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("nothing set: %v", err)
	}
}

// TestWiring runs the function against a queue, a bucket and a replica.
func TestWiring(t *testing.T) {
	queue, bucket := newFakeSQS(t), newTestS3(t)
	snapshot := keyring.Snapshot{At: time.Now(), Keys: []keyring.Key{{Project: 42, Public: goodKey, Enabled: true}}}
	encoded, err := snapshot.Encode()
	if err != nil {
		t.Fatal(err)
	}
	bucket.put(t, snapshotKey, encoded)
	var log bytes.Buffer
	aws := testAWS(queue.URL, *bucket.client.Options().BaseEndpoint)
	f, err := newFunction(t.Context(), Config{Queue: queue.URL + "/1/sundew", Bucket: testBucket, Region: "frankfurt"}, aws, &log)
	if err != nil {
		t.Fatal(err)
	}
	if got := invoke(t, f, t.Context(), readEvent(t, "functionurl-base64")); got.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", got.StatusCode, got.Body)
	}
	other := bytes.ReplaceAll(readEvent(t, "functionurl-base64"), []byte(goodKey), []byte(newKey))
	if got := invoke(t, f, t.Context(), other); got.StatusCode != http.StatusForbidden {
		t.Errorf("with another key: status %d: %s", got.StatusCode, got.Body)
	}
	f.terminate()
	got := queue.messages(t)
	if len(got) != 2 || got[0].Kind != wire.KindEvent || got[0].Region != "frankfurt" || got[0].RemoteIP != "192.0.2.7" || got[1].Kind != wire.KindCounts {
		t.Errorf("queued %+v", got)
	}
	if _, err := newFunction(t.Context(), Config{KeysURL: "ftp://keys.example.com"}, aws, io.Discard); err == nil {
		t.Error("a replica behind FTP")
	}
	withReplica := Config{Queue: queue.URL, Bucket: testBucket, KeysURL: newReplica(t), KeysToken: "token"}
	if f, err = newFunction(t.Context(), withReplica, aws, &log); err != nil {
		t.Fatal(err)
	}
	if got := f.keys.ring.Lookup(2, "b"); got != keyring.Active {
		t.Errorf("a key of the replica is %v", got)
	}
}
