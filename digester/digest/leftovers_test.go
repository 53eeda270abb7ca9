package digest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sundew/schema/wire"
)

// TestLastError: why a message was left is remembered, for a bounded number of
// messages.
func TestLastError(t *testing.T) {
	f := newFixture(t)
	d, err := New(Config{Queue: f.queue, Store: f.db})
	if err != nil {
		t.Fatal(err)
	}
	unknown := (&wire.Message{Kind: 77, Project: f.project}).Encode(nil)
	if err := f.queue.Send(t.Context(), []*wire.Message{{Kind: 77, Project: f.project}}); err != nil {
		t.Fatal(err)
	}
	messages, err := f.queue.Receive(t.Context(), 1, 0)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	if err := d.LastError(messages[0].Body); err != nil {
		t.Errorf("before any delivery: %v", err)
	}
	if err := d.finish(context.WithoutCancel(t.Context()), d.prepare(t.Context(), messages)); err != nil {
		t.Fatal(err)
	}
	if err := d.LastError(messages[0].Body); !errors.Is(err, wire.ErrVersion) {
		t.Errorf("a message of an unknown kind was left for %v", err)
	}
	if err := d.LastError(unknown); err != nil {
		t.Errorf("another message: %v", err)
	}
	for i := range maxLeftovers + 10 {
		d.left.note(fmt.Append(nil, i), errors.New("poison"))
	}
	if n := len(d.left.last); n > maxLeftovers {
		t.Errorf("%d are remembered", n)
	}
}
