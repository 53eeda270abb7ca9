package sqstest

import (
	"errors"
	"regexp"
	"slices"
	"time"
)

// batchIn is the input of an action on up to ten entries.
type batchIn[E any] struct {
	QueueUrl string
	Entries  []E
}

type batchOut struct {
	Successful []any    `json:",omitempty"`
	Failed     []failed `json:",omitempty"`
}

type failed struct {
	Id, Code, Message string
	SenderFault       bool
}

type entryOut struct{ Id string }

var entryIDOK = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// batch does something with each entry; the ids are checked before anything is
// done.
func batch[E any](s *Server, action string, in *batchIn[E], id func(*E) string, do func(*store, *E) (any, error)) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Entries) == 0:
		return nil, errEmptyBatch
	case len(in.Entries) > maxEntries:
		return nil, errTooMany
	}
	seen := map[string]bool{}
	for i := range in.Entries {
		switch id := id(&in.Entries[i]); {
		case !entryIDOK.MatchString(id):
			return nil, errEntryID
		case seen[id]:
			return nil, errNotDistinct.with("Id " + id + " repeated.")
		default:
			seen[id] = true
		}
	}
	out := &batchOut{}
	for i := range in.Entries {
		e := &in.Entries[i]
		if s.entryFailsLocked(action) {
			out.Failed = append(out.Failed, failed{id(e), "InternalError", "sqstest: told to fail", false})
			continue
		}
		done, err := do(q, e)
		var api apiError
		if errors.As(err, &api) {
			out.Failed = append(out.Failed, failed{id(e), api.query, api.message, true})
			continue
		}
		out.Successful = append(out.Successful, done)
	}
	return out, nil
}

type receiptIn struct {
	Id                string // in a batch
	QueueUrl          string // else
	ReceiptHandle     string
	VisibilityTimeout *int // of a change only
}

// delete removes a message. A receipt older than the last delivery does nothing,
// as it may on a standard queue.
func (s *Server) delete(q *store, receipt string) error {
	m, ok := q.receipts[receipt]
	if !ok {
		return errReceipt
	}
	if m.receipt == receipt {
		q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
	}
	return nil
}

func (s *Server) deleteMessage(_ string, in *receiptIn) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.delete(q, in.ReceiptHandle)
}

func (s *Server) deleteMessageBatch(_ string, in *batchIn[receiptIn]) (any, error) {
	return batch(s, "DeleteMessageBatch", in, func(e *receiptIn) string { return e.Id },
		func(q *store, e *receiptIn) (any, error) { return &entryOut{e.Id}, s.delete(q, e.ReceiptHandle) })
}

// change sets when a message in flight becomes visible.
func (s *Server) change(q *store, in *receiptIn) error {
	m, ok := q.receipts[in.ReceiptHandle]
	if !ok {
		return errReceipt
	}
	if in.VisibilityTimeout == nil {
		return errMissing("VisibilityTimeout")
	}
	hold, err := number("VisibilityTimeout", in.VisibilityTimeout, 0, int(maxHold.Seconds()), 0)
	if err != nil {
		return err
	}
	now := s.now()
	switch {
	case !slices.Contains(q.messages, m):
		return errBad("ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case m.receipt != in.ReceiptHandle || !m.visibleAt.After(now):
		return errNotInFlight
	case now.Add(hold).Sub(m.heldFrom) > maxHold:
		return errBad("VisibilityTimeout", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	m.visibleAt = now.Add(hold)
	if hold <= time.Second {
		s.wakeLocked()
	}
	return nil
}

func (s *Server) changeVisibility(_ string, in *receiptIn) (any, error) {
	q, err := s.at(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.change(q, in)
}

func (s *Server) changeVisibilityBatch(_ string, in *batchIn[receiptIn]) (any, error) {
	return batch(s, "ChangeMessageVisibilityBatch", in, func(e *receiptIn) string { return e.Id },
		func(q *store, e *receiptIn) (any, error) { return &entryOut{e.Id}, s.change(q, e) })
}
