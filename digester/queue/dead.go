package queue

import "time"

// DeadLetter is a message that was delivered too often without being decided.
// Nothing deletes it but its queue's retention: it can be looked at and put back.
type DeadLetter struct {
	ID       string // names it to Redrive
	Body     []byte // as wire.Encode made it; empty if it cannot be had
	Receives int    // how often it was delivered
	SentAt   time.Time
	DeadAt   time.Time // zero where the queue does not say
}
