package sqs

import (
	"strings"

	"sundew/digester/queue"
	"sundew/schema/wire"
)

// A receipt names a delivery to SQS and, if the message was a claim, the object
// to delete after it. No handle has a line break in it.

// withObject returns a message with the claim's object in its receipt.
func withObject(m queue.Message, c wire.Claim) queue.Message {
	m.Receipt += "\n" + c.Bucket + "\n" + c.Key
	return m
}

// splitReceipt returns the parts of a receipt. bucket is empty if there was no
// claim.
func splitReceipt(receipt string) (handle, bucket, key string) {
	handle, object, _ := strings.Cut(receipt, "\n")
	bucket, key, _ = strings.Cut(object, "\n")
	return handle, bucket, key
}
