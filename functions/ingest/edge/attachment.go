package edge

import (
	"fmt"

	"sundew/functions/ingest/envelope"
	"sundew/schema/wire"
)

// reasonWithoutEvent is why an attachment is not queued whose event was left out: alone
// it is of no use.
const reasonWithoutEvent = "without_event"

// reasonNoEventID is why an attachment is not queued that names no event.
const reasonNoEventID = "no_event_id"

// reasonNoFiles is why an attachment is not queued whose project takes none.
const reasonNoFiles = "attachments_off"

// readAttachment takes in a file that belongs to the envelope's event, or to an
// earlier one that the header names. An error means that nothing behind it can be
// read.
func (in *intake) readAttachment(reader *envelope.Reader, item envelope.Item) error {
	switch {
	case in.missed:
		outcome := wire.OutcomeRefused
		if in.limited > 0 || in.quotas.items > 0 {
			outcome = wire.OutcomeLimited
		}
		in.count(categoryAttachment, outcome, reasonWithoutEvent, 1)
		return reader.Skip()
	case in.subject.IsZero():
		// Well-formed, as SDKs' own tests have it, so it is no reason to refuse the request.
		in.count(categoryAttachment, wire.OutcomeRefused, reasonNoEventID, 1)
		return reader.Skip()
	case in.scrub.RefusesFiles():
		// The application did nothing wrong: its event is taken, and no error is answered.
		in.count(categoryAttachment, wire.OutcomeUnstored, reasonNoFiles, 1)
		return reader.Skip()
	case in.attachments == in.h.cfg.Limits.Attachments:
		in.faultOf(wire.KindAttachment, fmt.Errorf("%w: at most %d are accepted", errTooManyFiles, in.attachments))
		return reader.Skip()
	}
	in.attachments++
	payload, refused, broken := in.readPayload(reader, in.h.cfg.Limits.Attachment)
	if broken != nil {
		return broken
	}
	if refused != nil {
		in.faultOf(wire.KindAttachment, refused)
		return nil
	}
	in.enqueueAttachment(item, payload)
	return nil
}

// enqueueAttachment adds a file to what will be sent, unless the sender or the project
// is over its limit. The rate limit is one of events: what comes with one is paid for.
func (in *intake) enqueueAttachment(item envelope.Item, content []byte) {
	if in.overQuota(categoryAttachment, 1) || !in.paid && in.overRate(categoryAttachment) || !in.takeQuota(categoryAttachment) {
		return
	}
	content = in.scrub.File(content)
	a := wire.Attachment{
		Name:        in.scrub.String(clip(item.Filename, maxFilename)),
		ContentType: clip(item.ContentType, maxContentType),
		Type:        clip(item.AttachmentType, maxContentType),
	}
	// Pictures and archives are compressed already.
	if a.Content, a.Encoding = in.h.cfg.Codec.Compress(content); len(a.Content) >= len(content) {
		a.Content, a.Encoding = content, wire.EncodingIdentity
	}
	m := in.base
	m.Kind, m.EventID = wire.KindAttachment, in.subject
	m.Body, m.Encoding = a.Encode(nil), wire.EncodingIdentity
	in.messages = append(in.messages, &m)
}
