package edge

import (
	"fmt"
	"net/http"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// readStore takes in the one event of a request of an old client.
func (in *intake) readStore(r *http.Request) {
	limits := in.h.cfg.Limits
	body := in.scratch.body
	if err := body.open(r, limits.Body, limits.Decoded); err != nil {
		in.fault(err)
		return
	}
	if err := body.unwrapBase64(); err != nil {
		in.fault(err)
		return
	}
	payload, err := in.readBody(limits.Event)
	if err != nil {
		in.fault(err)
		return
	}
	payload, head, err := in.inspect(payload)
	if err != nil {
		in.fault(fmt.Errorf("event: %w", err))
		return
	}
	id := chooseID(event.ID{}, head.ID)
	if head.Type == typeTransaction {
		if in.overQuota(categoryTransaction, 1) {
			return
		}
		in.echo = id
		in.count(categoryTransaction, wire.OutcomeUnstored, reasonUnsupported, 1)
		return
	}
	in.enqueue(wire.KindEvent, id, payload)
}
