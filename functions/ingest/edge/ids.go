package edge

import (
	"crypto/rand"

	"sundew/schema/event"
)

// newID makes the id of an event that came without one: a random UUID.
func newID() event.ID {
	var id event.ID
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// chooseID returns the id of an event: claimed, which its envelope's header gave it,
// else the payload's, else a new one. Two events that come with the same id keep it:
// the digester knows a duplicate when it sees one.
func chooseID(claimed, payload event.ID) event.ID {
	switch {
	case !claimed.IsZero():
		return claimed
	case !payload.IsZero():
		return payload
	}
	return newID()
}
