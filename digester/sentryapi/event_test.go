package sentryapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Whatever another server answers as an event, it becomes JSON.
func FuzzEvent(f *testing.F) {
	for _, name := range []string{"sentry", "glitchtip"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+"_event.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got apiEvent
		if json.Unmarshal(text, &got) != nil {
			return
		}
		ev, err := got.event(Issue{ID: "7"})
		if err != nil || !json.Valid(ev.Payload) || len(ev.ID) != 32 {
			t.Errorf("%q became %q, %q, %v", text, ev.ID, ev.Payload, err)
		}
	})
}
