package sqs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sundew/schema/wire"
)

// errGone means that an object does not exist.
var errGone = errors.New("the object is gone")

// objects are S3 in one region.
type objects struct{ client *s3.Client }

// fetch returns the message that a claim stands for. Its error is errGone or
// wire.ErrCorrupt if it will never be had; any other may pass.
func (o *objects) fetch(ctx context.Context, c wire.Claim) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := o.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key})
	var noKey *types.NoSuchKey
	if errors.As(err, &noKey) {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(io.LimitReader(out.Body, int64(min(c.Size, 1<<40))+1))
	if err != nil {
		return nil, err
	}
	return body, c.Verify(body)
}

func (o *objects) delete(ctx context.Context, bucket, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := o.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	return err
}

// Bucket is a bucket that the digester writes to.
type Bucket struct {
	name    string
	objects *objects
}

// OpenBucket returns a bucket of a region; like Open it reaches out for nothing.
// transport carries the requests, nil means the network.
func OpenBucket(ctx context.Context, region, name string, transport http.RoundTripper) (*Bucket, error) {
	shared, err := load(ctx, region, transport)
	if err != nil {
		return nil, err
	}
	return &Bucket{name: name, objects: newObjects(shared)}, nil
}

// Put writes an object, as a whole or not at all.
func (b *Bucket) Put(ctx context.Context, key, contentType string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := b.objects.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(body), ContentType: aws.String(contentType),
		ContentLength: aws.Int64(int64(len(body))), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return fmt.Errorf("writing %s to bucket %s: %w", key, b.name, err)
	}
	return nil
}
