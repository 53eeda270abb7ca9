package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sundew/schema/keyring"
)

const (
	// snapshotKey is where the digester publishes the snapshot of keys.
	snapshotKey = "keys/v1.json"

	// maxSnapshot bounds it in bytes: a hundred thousand keys.
	maxSnapshot = 16 << 20
)

// snapshotObject is the keySource that every region has: an object in its bucket.
type snapshotObject struct {
	client *s3.Client
	bucket string

	etag string            // of last
	last *keyring.Snapshot // nil before the first read
}

// read fetches the object unless it is the one that was read last.
func (o *snapshotObject) read(ctx context.Context) (*keyring.Snapshot, error) {
	in := &s3.GetObjectInput{Bucket: &o.bucket, Key: aws.String(snapshotKey)}
	if o.last != nil {
		in.IfNoneMatch = &o.etag
	}
	out, err := o.client.GetObject(ctx, in)
	if unchanged := (*awshttp.ResponseError)(nil); errors.As(err, &unchanged) && unchanged.HTTPStatusCode() == http.StatusNotModified {
		return o.last, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the keys of the bucket: %w", err)
	}
	defer out.Body.Close()
	encoded, err := io.ReadAll(io.LimitReader(out.Body, maxSnapshot+1))
	if err != nil {
		return nil, fmt.Errorf("reading the keys of the bucket: %w", err)
	}
	if len(encoded) > maxSnapshot {
		return nil, fmt.Errorf("%w: it has more than %d bytes", keyring.ErrFormat, maxSnapshot)
	}
	snapshot, err := keyring.Decode(encoded)
	if err != nil {
		return nil, err
	}
	o.etag, o.last = aws.ToString(out.ETag), snapshot
	return snapshot, nil
}
