package digest

import (
	"context"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// symbolicate makes frames of the source of an event's minified frames, so that the
// source makes its title and its group, and has what maps say of them stored beside the
// body.
func (p *preparer) symbolicate(ctx context.Context, in *store.Incoming, ev *event.Event) {
	if p.scripts == nil {
		return
	}
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
