package symbolicate_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

func ptr[T any](v T) *T { return &v }

func someOverlay() symbolicate.Overlay {
	line := symbolicate.Frame{
		Index: 1, Filename: "src/a.ts", AbsPath: "webpack:///./src/a.ts", Function: "load", Line: 3, Column: 1 << 20,
		Pre: []string{"", "two"}, Context: "three", Post: []string{"two"},
	}
	return symbolicate.Overlay{Stacks: []symbolicate.Stack{
		{Place: symbolicate.Place{Kind: symbolicate.OfException, Index: 0}, Frames: []symbolicate.Frame{line, {Index: 2, InApp: ptr(false)}}},
		{Place: symbolicate.Place{Kind: symbolicate.OfThread, Index: 3}, Frames: []symbolicate.Frame{{Index: 0, Filename: "ü", InApp: ptr(true), Line: 1, Column: 1}}},
	}}
}

func TestEncode(t *testing.T) {
	for _, o := range []symbolicate.Overlay{{}, someOverlay()} {
		got, err := symbolicate.Decode(o.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, got); diff != "" {
			t.Errorf("(-encoded +decoded):\n%s", diff)
		}
		if got.IsZero() != o.IsZero() {
			t.Errorf("decoded is zero: %t", got.IsZero())
		}
	}
	whole := someOverlay().Encode()
	for i := range whole {
		if _, err := symbolicate.Decode(whole[:i]); !errors.Is(err, symbolicate.ErrOverlay) {
			t.Errorf("of the first %d bytes: error %v", i, err)
		}
	}
	if _, err := symbolicate.Decode(append(whole, 0)); !errors.Is(err, symbolicate.ErrOverlay) {
		t.Errorf("of a byte more: error %v", err)
	}
}

// TestApplyTolerates lays an overlay over events that it was not made for.
func TestApplyTolerates(t *testing.T) {
	exception := symbolicate.Place{Kind: symbolicate.OfException}
	trace := &event.Stacktrace{Frames: []event.Frame{{Function: "a"}, {Function: "b", Module: "m"}}, Omitted: 7}
	ev := &event.Event{Exceptions: []event.Exception{{Stacktrace: trace}}}
	raw := someOverlay().Apply(ev)
	if diff := cmp.Diff([]event.Frame{{Function: "a"}, {Function: "b", Module: "m"}}, trace.Frames); diff != "" {
		t.Errorf("the old stack was written to:\n%s", diff)
	}
	if diff := cmp.Diff(trace.Frames, raw.Frames(exception)); diff != "" {
		t.Errorf("raw differs:\n%s", diff)
	}
	if got := ev.Exceptions[0].Stacktrace; got.Omitted != 7 || got.Frames[1].Function != "load" || got.Frames[1].Module != "" {
		t.Errorf("applied: %+v", got)
	}
	if raw.Frames(symbolicate.Place{Kind: symbolicate.OfEvent}) != nil {
		t.Error("raw frames of a stack that stayed")
	}
	for _, ev := range []*event.Event{{}, {Exceptions: make([]event.Exception, 1), Threads: make([]event.Thread, 4)}} {
		if raw := someOverlay().Apply(ev); !raw.IsZero() {
			t.Errorf("applied to %+v: %+v", ev, raw)
		}
	}
}

// Only frames that have an origin count, of scripts without a debug id.
func TestByAddress(t *testing.T) {
	bare := event.Frame{AbsPath: "https://example.com/a.js", Line: 1, Column: 1}
	known := event.Frame{AbsPath: "https://example.com/b.js", Line: 1, Column: 1}
	for i, tt := range []struct {
		frames []event.Frame
		want   bool
	}{
		{[]event.Frame{known, bare, known}, true},
		{[]event.Frame{bare, known, bare}, false},
		{[]event.Frame{bare}, false},
	} {
		ev := &event.Event{
			Platform: "javascript", Release: "1", Exceptions: []event.Exception{{Stacktrace: &event.Stacktrace{Frames: tt.frames}}},
			Images: []event.DebugImage{{Type: "sourcemap", CodeFile: known.AbsPath, DebugID: "a9aac7b1-ba30-5e98-80c2-4bac1f9bc5ae"}},
		}
		if got := someOverlay().ByAddress(ev); got != tt.want {
			t.Errorf("%d: %t", i, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(someOverlay().Encode())
	f.Add(symbolicate.Overlay{}.Encode())
	f.Add([]byte{1, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := symbolicate.Decode(data)
		if err != nil {
			return
		}
		ev := &event.Event{Exceptions: []event.Exception{{Stacktrace: &event.Stacktrace{Frames: make([]event.Frame, 3)}}}, Threads: make([]event.Thread, 4)}
		o.Apply(ev)
		again, err := symbolicate.Decode(o.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, again); diff != "" {
			t.Errorf("a second trip differs:\n%s", diff)
		}
	})
}
