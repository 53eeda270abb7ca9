package digest

import (
	"encoding/json"
	"testing"
	"time"

	"sundew/digester/grouping"
	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// A project's rule decides an event's group, and is kept with the event.
func TestPrepareByRules(t *testing.T) {
	const text = "message:\"*timeout*\" -> timeouts"
	rules, problems := grouping.ParseRules(text)
	if problems != nil {
		t.Fatal(problems)
	}
	p := newPreparer(Config{Rules: func(project event.ProjectID) grouping.Rules {
		if project == 1 {
			return rules
		}
		return grouping.Rules{}
	}})
	prepare := func(project event.ProjectID, payload string) (store.Incoming, string) {
		t.Helper()
		body, encoding := p.codec.Compress([]byte(payload))
		m := &wire.Message{Kind: wire.KindEvent, Encoding: encoding, Project: project, EventID: event.ID{1}, ReceivedAt: time.Now(), Body: body}
		ready, err := p.prepare(t.Context(), m.Encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		var meta store.EventMeta
		if err := json.Unmarshal(ready.in.Meta, &meta); err != nil {
			t.Fatal(err)
		}
		return ready.in, meta.Rule
	}
	a, rule := prepare(1, `{"message":"a timeout here"}`)
	b, _ := prepare(1, `{"message":"and another timeout there","level":"info"}`)
	if a.Group != b.Group || rule != text {
		t.Errorf("two events that a rule puts together: %x by %q and %x", a.Group, rule, b.Group)
	}
	other, rule := prepare(2, `{"message":"a timeout here"}`)
	if other.Group == a.Group || rule != "" {
		t.Errorf("an event of a project without rules: by %q", rule)
	}
}
