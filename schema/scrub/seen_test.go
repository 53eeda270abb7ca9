package scrub_test

import (
	"bytes"
	"errors"
	"testing"

	"sundew/schema/event"
	"sundew/schema/event/eventtest"
	"sundew/schema/scrub"
)

// requireSeen holds what was seen in passing against event.Scan, which looks by itself.
func requireSeen(t *testing.T, s *scrub.Scrubber, payload []byte) bool {
	t.Helper()
	out, seen := s.EventSeen(payload)
	if !bytes.Equal(out, s.Event(payload)) {
		t.Errorf("%q: EventSeen returns something else than Event", payload)
	}
	if !seen.Strict {
		return false
	}
	head, err := event.Scan(payload, seen.Depth)
	if err != nil {
		t.Fatalf("%q was seen as %+v: %v", payload, seen, err)
	}
	if _, err := event.Scan(payload, seen.Depth-1); seen.Depth > 1 && !errors.Is(err, event.ErrDepth) {
		t.Errorf("%q nests less deep than %d", payload, seen.Depth)
	}
	if id, _ := event.ParseID(seen.ID); id != head.ID {
		t.Errorf("%q: the id is %v, seen was %q", payload, head.ID, seen.ID)
	}
	if len(seen.Type) < 100 && head.Type != seen.Type {
		t.Errorf("%q: the type is %q, seen was %q", payload, head.Type, seen.Type)
	}
	return true
}

func TestSeen(t *testing.T) {
	s := scrub.Default()
	strict, all := 0, eventtest.Captured(t)
	for _, p := range all {
		if requireSeen(t, s, p.JSON) {
			strict++
		}
	}
	if strict < len(all)*9/10 {
		t.Errorf("only %d of %d recorded events were seen as strict", strict, len(all))
	}
	for payload, want := range map[string]bool{
		`{}`: true, `{"a":[{"b":1}],"event_id":1,"event_id":"x"}`: true, ` {"n":[0,-1.5e+3]} `: true, "\xef\xbb\xbf{}": true,
		`[]`: false, `1`: false, `{"a":NaN}`: false, `{"a":01}`: false, `{"a":1.}`: false, `{"a":"\x"}`: false, "{\"a\":\"\x01\"}": false,
		"{\x00}": false, `{"a":"\u12"}`: false, `{} x`: false, `{"a":-}`: false, `{"a":tru}`: false, `{"a":1,}`: false, "{\"a\x01\":1}": false,
		`{"message":"\q token=1"}`: false, `{"extra":{"password":"\q"}}`: false, `{"exception":{"frames":[{"context_line":"\q"}]}}`: false,
		`{"exception":{"frames":[{"context_line":"\u12"}]}}`: false,
	} {
		if _, seen := s.EventSeen([]byte(payload)); seen.Strict != want {
			t.Errorf("%s: seen as %+v", payload, seen)
		}
		requireSeen(t, s, []byte(payload))
	}
}
