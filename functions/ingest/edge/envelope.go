package edge

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"sundew/functions/ingest/envelope"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// The types of items that are looked into. All others are passed over and counted.
const (
	itemEvent        = "event"
	itemClientReport = "client_report"
	itemAttachment   = "attachment"
	itemFeedback     = "feedback"
	itemUserReport   = "user_report"
)

// typeTransaction is what a payload calls itself that came as an event but is a trace.
const typeTransaction = "transaction"

// reasonUnsupported is why an item is answered with 200 and not kept.
const reasonUnsupported = "unsupported"

// readEnvelope takes in an envelope.
func (in *intake) readEnvelope(r *http.Request) {
	limits := in.h.cfg.Limits
	if err := in.scratch.body.open(r, limits.Body, limits.Decoded); err != nil {
		in.fault(err)
		return
	}
	reader := in.scratch.reader
	reader.Reset(in.scratch.body)
	header, err := reader.Header()
	if err != nil {
		in.fault(err)
		return
	}
	if in.project == 0 {
		if err := in.authorizeByDSN(r, header.DSN); err != nil {
			in.fault(err)
			return
		}
	}
	in.base.SentAt = header.SentAt
	in.echo = header.EventID
	in.subject = header.EventID
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = in.readItem(reader, item)
		}
		if err != nil {
			in.fault(err)
			return
		}
	}
}

// readItem takes in one item. An error means that nothing behind it can be read.
func (in *intake) readItem(reader *envelope.Reader, item envelope.Item) error {
	switch item.Type {
	case itemEvent:
		return in.readEvent(reader, wire.KindEvent)
	case itemFeedback:
		return in.readEvent(reader, wire.KindFeedback)
	case itemUserReport:
		return in.readUserReport(reader)
	case itemAttachment:
		return in.readAttachment(reader, item)
	case itemClientReport:
		return in.readClientReport(reader)
	}
	return in.readOther(reader, item)
}

// authorizeByDSN is for clients behind a tunnel, which have their key nowhere else.
func (in *intake) authorizeByDSN(r *http.Request, dsn string) error {
	if dsn == "" {
		return fmt.Errorf("%w: no sentry_key in query or headers, no dsn in the envelope header", errAuthMissing)
	}
	key, project, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	if project != in.named {
		return fmt.Errorf("%w: the dsn of the envelope header names another project than the path", errAuthMalformed)
	}
	return in.authorize(r, key)
}

// readEvent takes in one event, or feedback, which is one in its form. An error means
// that nothing behind it can be read.
func (in *intake) readEvent(reader *envelope.Reader, kind wire.Kind) error {
	var claimed event.ID // of the header: it belongs to the first, good or bad
	first := !in.begun
	if in.begun = true; first {
		claimed = in.subject
	}
	payload, head, refused, broken := in.readJSON(reader)
	if broken != nil {
		return broken
	}
	queued := false
	if refused != nil {
		in.faultOf(kind, refused)
	} else {
		id := chooseID(claimed, head.ID)
		queued = in.enqueue(kind, id, payload)
		if first {
			in.subject = id
		}
	}
	in.missed = in.missed || first && !queued
	return nil
}

// readUserReport takes in what a person wrote about an event, in its old form. An
// error means that nothing behind it can be read.
func (in *intake) readUserReport(reader *envelope.Reader) error {
	payload, head, refused, broken := in.readJSON(reader)
	if broken != nil {
		return broken
	}
	about := head.ID
	if about.IsZero() {
		about = in.subject
	}
	if refused == nil && about.IsZero() {
		refused = errNoSubject
	}
	if refused != nil {
		in.faultOf(wire.KindUserReport, refused)
		return nil
	}
	in.enqueue(wire.KindUserReport, about, payload)
	return nil
}

// readJSON reads an item's payload, without its secrets, and what is worth knowing of
// it. The first error is why it is refused; with the second nothing behind it can be
// read.
func (in *intake) readJSON(reader *envelope.Reader) (payload []byte, head event.Head, refused, broken error) {
	payload, refused, broken = in.readPayload(reader, in.h.cfg.Limits.Event)
	if refused != nil || broken != nil {
		return nil, head, refused, broken
	}
	if payload, head, refused = in.inspect(payload); refused != nil {
		refused = fmt.Errorf("event: %w", refused)
	}
	return payload, head, refused, nil
}

// readPayload reads an item's payload into the scratch memory. One that is too large
// is passed over and refused; with the second error nothing behind it can be read.
func (in *intake) readPayload(reader *envelope.Reader, limit int) (payload []byte, refused, broken error) {
	payload, err := reader.AppendPayload(in.scratch.payload[:0], limit)
	in.scratch.payload = payload
	if errors.Is(err, envelope.ErrPayloadTooLarge) {
		return nil, err, reader.Skip() // one item, one fault: broken explains more
	}
	return payload, nil, err
}

// readOther takes in an item that is not kept. An error means that nothing behind it
// can be read.
func (in *intake) readOther(reader *envelope.Reader, item envelope.Item) error {
	if err := reader.Skip(); err != nil {
		return err
	}
	if category := categoryOf(item.Type); !in.overQuota(category, item.ItemCount) {
		in.count(category, wire.OutcomeUnstored, reasonUnsupported, item.ItemCount)
	}
	return nil
}

// readClientReport adds a client's own books to ours. A bad report is counted, but
// no reason to refuse what came with it.
func (in *intake) readClientReport(reader *envelope.Reader) error {
	payload, refused, broken := in.readPayload(reader, in.h.cfg.Limits.ClientReport)
	if refused != nil {
		in.count(categoryInternal, wire.OutcomeRefused, "too_large", 1)
	}
	if refused != nil || broken != nil {
		return broken
	}
	losses, err := parseClientReport(in.scrub.Event(payload))
	if err != nil {
		in.count(categoryInternal, wire.OutcomeRefused, "bad_json", 1)
		return nil
	}
	for _, loss := range losses {
		key := in.countKey(knownCategory(loss.Category), wire.OutcomeClient, "")
		in.h.counts.addClient(key, loss.Reason, int64(min(loss.Quantity, maxQuantity)))
	}
	return nil
}
