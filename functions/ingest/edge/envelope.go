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
	claim := header.EventID // belongs to the first event, good or bad
	for {
		item, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			if item.Type == itemEvent {
				err = in.readEvent(reader, claim)
				claim = event.ID{}
			} else {
				err = in.readOther(reader, item)
			}
		}
		if err != nil {
			in.fault(err)
			return
		}
	}
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
	return in.authorize(r.Context(), key)
}

// readEvent takes in one event. An error means that nothing behind it can be read.
func (in *intake) readEvent(reader *envelope.Reader, claimed event.ID) error {
	payload, err := reader.AppendPayload(in.scratch.payload[:0], in.h.cfg.Limits.Event)
	in.scratch.payload = payload
	if errors.Is(err, envelope.ErrPayloadTooLarge) {
		if broken := reader.Skip(); broken != nil {
			return broken // one item, one fault: the one that explains more
		}
		in.fault(err)
		return nil
	}
	if err != nil {
		return err
	}
	head, err := event.Scan(payload, in.h.cfg.Limits.Depth)
	if err != nil {
		in.fault(fmt.Errorf("event: %w", err))
		return nil
	}
	in.enqueue(wire.KindEvent, chooseID(claimed, head.ID), payload)
	return nil
}

// readOther takes in an item that is not kept. An error means that nothing behind it
// can be read.
func (in *intake) readOther(reader *envelope.Reader, item envelope.Item) error {
	if item.Type == itemClientReport {
		return in.readClientReport(reader)
	}
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
	payload, err := reader.AppendPayload(in.scratch.payload[:0], in.h.cfg.Limits.ClientReport)
	in.scratch.payload = payload
	if errors.Is(err, envelope.ErrPayloadTooLarge) {
		in.count(categoryInternal, wire.OutcomeRefused, "too_large", 1)
		return reader.Skip()
	}
	if err != nil {
		return err
	}
	losses, err := parseClientReport(payload)
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
