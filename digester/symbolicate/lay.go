package symbolicate

import "sundew/schema/event"

// Lay applies an overlay as it is stored (Overlay.Encode) to an event and returns what
// its stacks were. None, or one that cannot be read, changes nothing.
func Lay(encoded []byte, ev *event.Event) Raw {
	if len(encoded) == 0 {
		return Raw{}
	}
	o, err := Decode(encoded)
	if err != nil {
		return Raw{}
	}
	return o.Apply(ev)
}
