package digest

import (
	"context"
	"runtime/debug"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// symbolicate makes frames of the source of an event's minified frames, so that the
// source makes its title and its group, and has what maps say of them stored beside the
// body. Maps come from outside, as events do: where one makes this panic, the event is
// digested as it was sent.
func (p *preparer) symbolicate(ctx context.Context, in *store.Incoming, ev *event.Event) {
	if p.scripts == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.log.Error().Any("panic", r).Bytes("stack", debug.Stack()).Hex("event_id", in.EventID[:]).Msg("source maps cannot be laid over an event")
		}
	}()
	refs := symbolicate.Refs(ev)
	if len(refs) == 0 {
		return
	}
	scripts, err := p.scripts.Find(ctx, in.Project, refs)
	if err != nil {
		in.SymbolsDue = true
		return
	}
	overlay := symbolicate.Symbolicate(ev, scripts)
	if overlay.IsZero() {
		return
	}
	overlay.Apply(ev)
	in.Symbols, in.SymbolsEncoding = p.codec.Compress(overlay.Encode())
}
