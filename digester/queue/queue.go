// Package queue is what the digester expects of a queue.
//
// It exists because there are two real ones, with the same meaning: SQS, and
// queue/local for a single process. The words are SQS's: a received message is
// invisible for a while, comes back if it is not deleted, and is set aside as a
// dead letter after too many deliveries.
package queue

import "time"

// Message is one delivery.
type Message struct {
	Body     []byte // as wire.Encode made it
	Receipt  string // names this delivery to Extend and Delete
	Receives int    // how often the message was delivered, this time included
	SentAt   time.Time
}
