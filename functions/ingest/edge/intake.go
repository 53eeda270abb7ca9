package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/time/rate"

	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// intake is one request on its way into the queue: what is known of its sender, and
// what came of it so far.
type intake struct {
	h        *Handler
	endpoint endpoint
	scratch  *scratch

	named   event.ProjectID // the path's project: only a claim
	project event.ProjectID // the same, zero until a key vouches for it
	bucket  *rate.Limiter   // nil: no limit
	scrub   *scrub.Scrubber // the project's
	base    wire.Message    // what all messages of the request have in common

	// Of an envelope.
	subject     event.ID // what its attachments belong to: the header's id, else the first event's
	begun       bool     // its first event or feedback was met
	missed      bool     // and not queued
	attachments int      // how many were met

	messages []*wire.Message
	echo     event.ID // the client's own id, answered when no event was queued
	paid     bool     // the rate limit let something pass
	limited  int64    // items left out by the rate limit
	quotas   quotas   // what was left out because of quotas
	faults   []error  // what was refused, in the order found
}

// run takes in one request. All that comes of it is in the intake.
func (in *intake) run(r *http.Request, project string) {
	var err error
	if in.named, err = parseProject(project); err != nil {
		in.fault(err)
		return
	}
	sender, err := readCredentials(r)
	if err != nil {
		in.fault(err)
		return
	}
	if sender.client == "" {
		sender.client = r.UserAgent()
	}
	in.base = wire.Message{
		Kind: wire.KindEvent, ReceivedAt: in.h.cfg.Now(), Region: in.h.cfg.Region,
		Client: clip(sender.client, maxClient), RemoteIP: ClientAddress(r, in.h.cfg.ProxyHops),
	}
	switch {
	case sender.key != "":
		if err := in.authorize(r, sender.key); err != nil {
			in.fault(err)
			return
		}
	case in.endpoint != endpointEnvelope: // whose header may have a dsn
		in.fault(fmt.Errorf("%w: no sentry_key in query or headers", errAuthMissing))
		return
	}
	switch in.endpoint {
	case endpointEnvelope:
		in.readEnvelope(r)
	case endpointStore:
		in.readStore(r)
	case endpointSecurity:
		in.readSecurity(r)
	}
}

// authorize asks whether the key may report to the path's project, from where the
// request comes.
func (in *intake) authorize(r *http.Request, key string) error {
	status := in.h.cfg.Keys.Lookup(r.Context(), in.named, key)
	switch status {
	case KeyActive, KeyUndecided, KeyDisabled:
		in.project = in.named
		in.base.Project = in.named
		in.scrub = in.h.scrubber(in.project)
		in.base.RemoteIP = in.scrub.Address(in.base.RemoteIP)
		in.base.Client = in.scrub.String(in.base.Client)
	default:
		return errAuthUnknown
	}
	if status == KeyDisabled {
		return errAuthDisabled
	}
	if page := pageOf(r); page != "" && !in.h.cfg.Keys.Allows(in.project, page) {
		return errOrigin
	}
	switch status {
	case KeyUndecided:
		in.base.Key = key
	case KeyActive: // and no other: an unproven key must not cost memory
		in.bucket = in.h.floods.bucket(in.named, key)
	}
	return nil
}

// scrubber returns what takes secrets out of what a project reports.
func (h *Handler) scrubber(project event.ProjectID) *scrub.Scrubber {
	if h.cfg.Scrubber != nil {
		if s := h.cfg.Scrubber(project); s != nil {
			return s
		}
	}
	return h.scrub
}

// fault records that something was refused, and counts it.
func (in *intake) fault(err error) { in.faultIn(in.endpoint.category(), err) }

// faultOf is fault for something that would have been a message of that kind.
func (in *intake) faultOf(kind wire.Kind, err error) { in.faultIn(categoryOfKind(kind), err) }

func (in *intake) faultIn(category string, err error) {
	_, reason, _ := refusalOf(err)
	in.faults = append(in.faults, err)
	in.count(category, wire.OutcomeRefused, reason, 1)
}

func (in *intake) count(category string, outcome wire.Outcome, reason string, quantity int64) {
	in.h.counts.add(in.countKey(category, outcome, reason), quantity)
}

func (in *intake) countKey(category string, outcome wire.Outcome, reason string) countKey {
	return countKey{in.project, category, outcome, reason, hourOf(in.h.cfg.Now())}
}

// readBody reads a whole body of at most limit bytes into the scratch memory.
func (in *intake) readBody(limit int) ([]byte, error) {
	payload := in.scratch.payload[:0]
	defer func() { in.scratch.payload = payload }()
	for {
		if len(payload) == cap(payload) {
			payload = append(payload, 0)[:len(payload)]
		}
		n, err := in.scratch.body.Read(payload[len(payload):cap(payload)])
		payload = payload[:len(payload)+n]
		switch {
		case len(payload) > limit:
			return nil, fmt.Errorf("%w: at most %d bytes are accepted", errTooLarge, limit)
		case errors.Is(err, io.EOF):
			return payload, nil
		case err != nil:
			return nil, err
		}
	}
}

// inspect returns a payload without secrets, and what is worth knowing of it. The error is
// why it is refused. Nearly always one walk does both; what is not strictly JSON, or too
// deep, is looked at again by the parser's own rules.
func (in *intake) inspect(payload []byte) (clean []byte, head event.Head, err error) {
	clean, seen := in.scrub.EventSeen(payload)
	if !seen.Strict || seen.Depth > in.h.cfg.Limits.Depth {
		head, err = event.Scan(payload, in.h.cfg.Limits.Depth)
		return clean, head, err
	}
	head.ID, _ = event.ParseID(seen.ID)
	head.Type = seen.Type
	return clean, head, nil
}

// enqueue adds one payload that inspect returned to what will be sent, unless the sender or the
// project is over its limit: then it returns false.
func (in *intake) enqueue(kind wire.Kind, id event.ID, payload []byte) bool {
	if category := categoryOfKind(kind); in.overQuota(category, 1) || in.overRate(category) || !in.takeQuota(category) {
		return false
	}
	m := in.base
	m.Kind = kind
	m.EventID = id
	m.Body, m.Encoding = in.h.cfg.Codec.Compress(payload)
	in.messages = append(in.messages, &m)
	return true
}

// overRate reports whether the key may not report anything more now, and counts what
// is left out. Otherwise it has reported one item more.
func (in *intake) overRate(category string) bool {
	if in.bucket == nil || in.bucket.AllowN(in.base.ReceivedAt, 1) {
		in.paid = true
		return false
	}
	_, reason, _ := refusalOf(errLimited)
	in.count(category, wire.OutcomeLimited, reason, 1)
	in.limited++
	return true
}

// answer sends what is to be sent and writes the response.
func (in *intake) answer(w http.ResponseWriter, r *http.Request) {
	if err := in.send(r.Context()); err != nil {
		in.giveBack()
		for _, m := range in.messages {
			in.count(categoryOfKind(m.Kind), wire.OutcomeRefused, "queue_unavailable", 1)
		}
		in.h.refuse(w, r, in.endpoint, in.named, fmt.Errorf("%w: %w", errQueue, err))
		return
	}
	switch {
	case in.limited > 0 || in.quotas.items > 0:
		in.answerLimited(w, r)
	case len(in.messages) == 0 && len(in.faults) > 0:
		in.h.refuse(w, r, in.endpoint, in.named, in.faults...)
	case len(in.messages) > 0:
		writeJSON(w, http.StatusOK, idAnswer(in.messages[0].EventID))
	case !in.echo.IsZero():
		writeJSON(w, http.StatusOK, idAnswer(in.echo))
	default:
		writeJSON(w, http.StatusOK, []byte(`{}`))
	}
}

// send puts the messages into the queue. That the client has gone meanwhile is no
// reason not to: it will not send them again. A deadline is one: behind it this
// process cannot answer any more.
func (in *intake) send(ctx context.Context) error {
	if len(in.messages) == 0 {
		return nil
	}
	sending := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		sending, cancel = context.WithDeadline(sending, deadline)
		defer cancel()
	}
	sending, cancel := context.WithTimeout(sending, in.h.cfg.SendTimeout)
	defer cancel()
	return in.h.cfg.Sender.Send(sending, in.messages)
}

// idAnswer returns the body that names an event's id.
func idAnswer(id event.ID) []byte { return []byte(`{"id":"` + id.String() + `"}`) }
