package late

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
	"sundew/schema/wire"
)

const (
	// chunk is how many events are read, and written, in one transaction.
	chunk = 25

	// sampled is how many of an issue's newest events, and of each release's, tell
	// whether there is something to do.
	sampled          = 10
	sampledOfRelease = 2
)

// read is an event that was read again.
type read struct {
	store.Regrouped
	symbols []byte // what maps say of it, encoded; nil: nothing
	changed bool   // it is not what is stored
}

// newest returns the events of an issue that are looked at.
func (l *Reader) newest(ctx context.Context, issue int64) (events []store.Event, err error) {
	err = l.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		events, err = rx.NewestOf(issue, l.cfg.Events)
		return err
	})
	return events, err
}

// sample returns some of an issue's events: the newest ones, and the newest of each
// release, since maps are of releases; and the first ones behind an event, which were
// under way when that was the newest. after 0: there is none.
func sample(events []store.Event, after int64) []store.Event {
	var some []store.Event
	releases := make(map[string]int)
	behind := len(events)
	if after > 0 {
		behind = slices.IndexFunc(events, func(e store.Event) bool { return e.ID > after })
	}
	for i, e := range slices.Backward(events) {
		releases[e.Release]++
		if len(events)-i <= sampled || releases[e.Release] <= sampledOfRelease || i >= behind && i < behind+sampled {
			some = append(some, e)
		}
	}
	slices.Reverse(some)
	return some
}

// worth reports whether maps say of some events what is not stored, or that they belong
// elsewhere.
func (l *Reader) worth(ctx context.Context, issue int64, events []store.Event) (bool, error) {
	all, err := l.readAll(ctx, events)
	if err != nil {
		return false, err
	}
	var mapped []store.Regrouped
	for _, e := range all {
		if e.changed {
			return true, nil
		}
		mapped = append(mapped, e.Regrouped)
	}
	var strays bool
	err = l.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		strays, err = rx.BelongElsewhere(issue, mapped)
		return err
	})
	return strays, err
}

// issue looks at the newest events of an issue and at some that are due.
func (l *Reader) issue(ctx context.Context, issue int64, due []int64) error {
	began := time.Now()
	events, err := l.newest(ctx, issue)
	if err != nil {
		return err
	}
	var missing []int64
	for _, id := range due {
		if !slices.ContainsFunc(events, func(e store.Event) bool { return e.ID == id }) {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		if err := l.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
			older, err := rx.EventsOf(missing)
			events = append(events, older...)
			return err
		}); err != nil {
			return err
		}
		slices.SortFunc(events, func(a, b store.Event) int { return cmp.Compare(a.ID, b.ID) })
	}
	if err := l.bring(ctx, issue, events, due); err != nil {
		return err
	}
	return l.pause(ctx, 2*time.Since(began))
}

// bring stores what maps say of events of an issue, and brings them to the issues of
// the source. What is due is so no more, whatever maps say.
func (l *Reader) bring(ctx context.Context, issue int64, events []store.Event, due []int64) error {
	var all []store.Regrouped
	for part := range slices.Chunk(events, chunk) {
		read, err := l.readAll(ctx, part)
		if err != nil {
			return err
		}
		var symbols []store.EventSymbols
		for _, e := range read {
			all = append(all, e.Regrouped)
			if e.changed || len(e.symbols) == 0 && slices.Contains(due, e.Event) {
				s := store.EventSymbols{Event: e.Event, Title: e.Title}
				if len(e.symbols) > 0 {
					s.Body, s.Encoding = l.codec.Compress(e.symbols)
				}
				symbols = append(symbols, s)
			}
		}
		if len(symbols) == 0 {
			continue
		}
		if err := l.write(ctx, "store source frames", func(tx *store.Tx) error { return tx.StoreSymbols(symbols) }); err != nil {
			return err
		}
	}
	for more := true; more; {
		if err := l.write(ctx, "regroup events", func(tx *store.Tx) (err error) {
			more, err = tx.Regroup(issue, all)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// write runs a short transaction, and then leaves others more time than it took.
func (l *Reader) write(ctx context.Context, why string, fn func(tx *store.Tx) error) error {
	began := time.Now()
	if err := l.cfg.DB.Write(ctx, why, fn); err != nil {
		return err
	}
	return l.pause(ctx, 2*time.Since(began))
}

// readAll reads events again. Those that are gone, and those that cannot be read, are
// as they were.
func (l *Reader) readAll(ctx context.Context, events []store.Event) ([]read, error) {
	bodies := make([]store.EventBody, len(events))
	if err := l.cfg.Replica.Read(ctx, func(rx *store.Rx) error {
		for i, e := range events {
			var err error
			bodies[i], err = rx.EventBody(e.ID)
			if errors.Is(err, wire.ErrCorrupt) {
				l.tellDamaged(e.ID, err)
				continue
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, wire.ErrVersion) {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	all := make([]read, len(events))
	for i, e := range events {
		var err error
		if all[i], err = l.again(ctx, e, bodies[i]); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.EventID, err)
		}
	}
	return all, nil
}

// tellDamaged logs that an event is damaged, once in a pass: it keeps nothing else from
// being read again.
func (l *Reader) tellDamaged(event int64, err error) {
	if !l.damaged[event] {
		l.damaged[event] = true
		l.cfg.Log.Warn().Err(err).Int64("event", event).Msg("an event is damaged and is not read again")
	}
}

// again makes of a stored event what the digest would make of it now. What maps said
// once stays, should they be gone. An event that makes it panic stays as it is: it comes
// from outside, as maps do.
func (l *Reader) again(ctx context.Context, e store.Event, body store.EventBody) (r read, err error) {
	asItIs := read{Regrouped: store.Regrouped{Event: e.ID}}
	defer func() {
		if p := recover(); p != nil {
			l.cfg.Log.Error().Any("panic", p).Bytes("stack", debug.Stack()).Int64("event", e.ID).Msg("an event cannot be read again")
			r, err = asItIs, nil
		}
	}()
	r = asItIs
	if body.Kind != wire.KindEvent || len(body.JSON) == 0 {
		return r, nil
	}
	ev, err := event.Skim(body.JSON)
	if err != nil {
		return r, nil
	}
	if refs := symbolicate.Refs(ev); len(refs) > 0 {
		scripts, err := l.cfg.Scripts.Await(ctx, e.ProjectID, refs)
		if err != nil {
			return r, err
		}
		if overlay := symbolicate.Symbolicate(ev, scripts); !overlay.IsZero() {
			r.symbols = overlay.Encode()
			r.changed = !bytes.Equal(r.symbols, body.Symbols)
		}
	}
	if r.symbols == nil {
		r.symbols = body.Symbols
	}
	r.Mapped = !symbolicate.Lay(r.symbols, ev).IsZero()
	ev.ResolveIP(body.Meta.RemoteIP)
	group := grouping.GroupBy(ev, l.cfg.Rules(e.ProjectID))
	r.Key, r.Rules, r.Title, r.Culprit, r.Tags = group.Key, group.Version, group.Title, group.Culprit, ev.SearchTags()
	return r, nil
}
