package scrub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sundew/schema/event"
)

// functions lists what the frames of an event are called, with their files.
func functions(e *event.Event) (names []string) {
	stacks := []*event.Stacktrace{e.Stacktrace}
	for i := range e.Exceptions {
		names = append(names, e.Exceptions[i].Type)
		stacks = append(stacks, e.Exceptions[i].Stacktrace)
	}
	for i := range e.Threads {
		stacks = append(stacks, e.Threads[i].Stacktrace)
	}
	for _, s := range stacks {
		if s == nil {
			continue
		}
		for _, f := range s.Frames {
			names = append(names, f.Function+" "+f.Filename+" "+f.Module)
		}
	}
	return names
}

// quoted returns a text as a JSON string, as scrub writes it.
func quoted(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
