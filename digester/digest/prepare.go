package digest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// Bounds of an event's own time. A client's clock that is off by more than
// maxDrift is corrected by the envelope's sent_at; what then still lies outside
// of [received − maxAge, received + maxAhead] is taken to have happened when it
// was received (as Sentry does: develop.sentry.dev, event payloads).
const (
	maxDrift = time.Minute
	maxAge   = 30 * 24 * time.Hour
	maxAhead = time.Minute
)

// Reasons for which messages are dropped.
const (
	dropBadBody = "bad_body" // the body does not decompress
	dropBadJSON = "bad_json" // the body is not a JSON object
	dropEmpty   = "empty"    // feedback that says nothing

	dropFiles = "attachments_off" // the project takes no attachments
)

// prepared is a message ready to be committed.
type prepared struct {
	in store.Incoming
}

// preparer does all that can be done before the transaction: decode, decompress,
// scrub, parse, normalise, find the source of minified frames, group. It is safe for concurrent use.
type preparer struct {
	codec   *wire.Codec
	rules   func(event.ProjectID) grouping.Rules
	scrub   func(event.ProjectID) *scrub.Scrubber
	usual   *scrub.Scrubber
	scripts Scripts // nil: there are none
	log     zerolog.Logger
}

// newPreparer returns a preparer as Rules, Scrubber and Scripts of a configuration say.
func newPreparer(cfg Config) *preparer {
	rules := cfg.Rules
	if rules == nil {
		rules = func(event.ProjectID) grouping.Rules { return grouping.Rules{} }
	}
	return &preparer{codec: wire.NewCodec(), rules: rules, scrub: cfg.Scrubber, usual: scrub.Default(), scripts: cfg.Scripts, log: cfg.Log}
}

// scrubber returns what takes secrets out of a project's events.
func (p *preparer) scrubber(project event.ProjectID) *scrub.Scrubber {
	if p.scrub != nil {
		if s := p.scrub(project); s != nil {
			return s
		}
	}
	return p.usual
}

// clean takes secrets out of a message's payload, and out of what will be stored of it.
func (p *preparer) clean(ready *prepared, s *scrub.Scrubber, plain []byte) []byte {
	clean := s.Event(plain)
	if len(plain) > 0 && &clean[0] != &plain[0] {
		ready.in.Body, ready.in.Encoding = p.codec.Compress(clean)
	}
	return clean
}

// Prepare makes of an encoded message, which came by no queue, what DB.Digest commits.
// Rules, Scrubber and Scripts are those of cfg; all else of it is not needed.
func Prepare(ctx context.Context, body []byte, cfg Config) (*store.Incoming, error) {
	ready, err := newPreparer(cfg).prepareSafely(ctx, body)
	if err != nil {
		return nil, err
	}
	return &ready.in, nil
}

// prepareSafely is prepare with a panic turned into an error, so that a poison
// message takes nobody with it.
func (p *preparer) prepareSafely(ctx context.Context, body []byte) (ready *prepared, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic while preparing: %v\n%s", r, debug.Stack())
		}
	}()
	return p.prepare(ctx, body)
}

// prepare returns an error only for what another version of this program may be
// able to read; a hopeless message is prepared to be dropped.
func (p *preparer) prepare(ctx context.Context, body []byte) (*prepared, error) {
	m, err := wire.Decode(body)
	if err != nil {
		return nil, err
	}
	ready := &prepared{in: store.Incoming{
		Instance: m.Instance, Seq: m.Seq, Region: m.Region, Project: m.Project, EventID: m.EventID, ReceivedAt: m.ReceivedAt,
		Key: m.Key, Category: categoryOf(m.Kind), Kind: m.Kind, Encoding: m.Encoding, Body: m.Body,
	}}
	plain, err := p.codec.Decompress(m.Body, m.Encoding)
	if errors.Is(err, wire.ErrVersion) {
		return nil, err
	}
	if err != nil {
		return ready.drop(dropBadBody, err), nil
	}
	scrubber := p.scrubber(m.Project)
	m.RemoteIP = scrubber.Address(m.RemoteIP)
	switch m.Kind {
	case wire.KindCounts, wire.KindAttachment:
	default:
		plain = p.clean(ready, scrubber, plain)
	}
	var ev *event.Event
	switch m.Kind {
	case wire.KindEvent:
		ev, err = event.Skim(plain)
	case wire.KindCSP:
		ev, err = event.ParseSecurity(plain, m.Environment, m.Release)
		if err == nil && ev.Request.UserAgent == "" {
			ev.Request.UserAgent = m.Client // reports of the old kind have the browser in the HTTP header only
		}
	case wire.KindCounts:
		ready.in.IsCounts = true
		ready.in.Counts, err = wire.DecodeCounts(plain)
		return ready, err
	case wire.KindAttachment:
		return p.prepareAttachment(ready, scrubber, plain)
	case wire.KindFeedback, wire.KindUserReport:
		return prepareFeedback(ready, m, plain), nil
	default:
		return nil, fmt.Errorf("%w: kind %d", wire.ErrVersion, m.Kind)
	}
	if err != nil {
		return ready.drop(dropBadJSON, err), nil
	}
	p.symbolicate(ctx, &ready.in, ev)
	return ready, ready.fill(m, ev, p.rules(m.Project))
}

// categoryOf returns what a message is counted under in the books.
func categoryOf(kind wire.Kind) string {
	switch kind {
	case wire.KindCSP:
		return store.CategorySecurity
	case wire.KindAttachment:
		return store.CategoryAttachment
	case wire.KindFeedback, wire.KindUserReport:
		return store.CategoryFeedback
	}
	return store.CategoryError
}

func (r *prepared) drop(reason string, err error) *prepared {
	r.in.Drop, r.in.Detail = reason, err.Error()
	return r
}

// fill sets what the transaction needs to know of the event.
func (r *prepared) fill(m *wire.Message, ev *event.Event, rules grouping.Rules) error {
	in := &r.in
	address := m.RemoteIP
	if ev.User.IP != event.AutoIP {
		address = "" // nobody asked for it, so it is not kept
	}
	ev.ResolveIP(address)
	group := grouping.GroupBy(ev, rules)
	in.OccurredAt = occurredAt(ev.Timestamp, m.SentAt, m.ReceivedAt)
	in.Level = ev.Level
	if in.Level == event.LevelUnset {
		in.Level = event.LevelError
	}
	in.Platform, in.Title, in.Culprit = ev.Platform, group.Title, group.Culprit
	in.Release, in.Environment, in.User = ev.Release, ev.Environment, ev.User.Identifier()
	in.Tags = ev.SearchTags()
	in.Group, in.GroupRules = group.Key, group.Version
	meta, err := json.Marshal(store.EventMeta{
		Client: m.Client, RemoteIP: address, Region: m.Region, SentAt: m.SentAt,
		Environment: m.Environment, Release: m.Release, Rule: group.Match,
	})
	if err != nil {
		return fmt.Errorf("the message's meta data: %w", err)
	}
	in.Meta = meta
	return nil
}

// occurredAt returns when an event happened, as far as the client's clock can be
// believed.
func occurredAt(claimed, sent, received time.Time) time.Time {
	if claimed.IsZero() {
		return received
	}
	if drift := received.Sub(sent); !sent.IsZero() && drift.Abs() > maxDrift {
		claimed = claimed.Add(drift)
	}
	if claimed.Before(received.Add(-maxAge)) || claimed.After(received.Add(maxAhead)) {
		return received
	}
	return claimed
}
