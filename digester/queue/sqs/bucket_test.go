package sqs_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"sundew/digester/queue/sqs"
)

// What is put into a bucket is there, and replaces what was; a bucket that is
// away is reported in bounded time.
func TestBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, north)
		b, err := sqs.OpenBucket(t.Context(), north, bucket, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"first", "second"} {
			if err := b.Put(t.Context(), "keys/v1.json", "application/json", []byte(body)); err != nil {
				t.Fatal(err)
			}
			object, err := c.objects.GetObject(bucket, "keys/v1.json", nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(object.Contents)
			if err != nil || string(got) != body || object.Metadata["Content-Type"] != "application/json" {
				t.Errorf("the bucket has %q as %v, %v; want %q", got, object.Metadata, err, body)
			}
		}
		c.s3Down.Store(true)
		began := time.Now()
		if err := b.Put(t.Context(), "keys/v1.json", "application/json", nil); err == nil || time.Since(began) > 30*time.Second {
			t.Errorf("a bucket that is away: %v after %v", err, time.Since(began))
		}
	})
}
