package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sundew/schema/wire"
)

// claims stores what is too large for the queue in the region's bucket.
type claims struct {
	client *s3.Client
	bucket string
	now    func() time.Time
}

// put stores an encoded message and returns what to send in its place. S3 checks the
// object against the claim's own checksum before it answers.
func (c *claims) put(ctx context.Context, encoded []byte) (wire.Claim, error) {
	claim := wire.ClaimOf(c.bucket, claimKey(c.now()), encoded)
	_, err := c.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:         &claim.Bucket,
		Key:            &claim.Key,
		Body:           bytes.NewReader(encoded),
		ContentLength:  aws.Int64(int64(len(encoded))),
		ContentType:    aws.String("application/octet-stream"),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(claim.SHA256[:])),
	})
	return claim, err
}

// claimKey names an object by day, so that people find their way and a lifecycle rule
// needs one prefix only.
func claimKey(now time.Time) string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return fmt.Sprintf("claims/%s/%s", now.UTC().Format("2006/01/02"), hex.EncodeToString(id[:]))
}
