package edge

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// scrubberOf gives every project the same settings.
func scrubberOf(t testing.TB, settings scrub.Settings) func(event.ProjectID) *scrub.Scrubber {
	t.Helper()
	s, err := scrub.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return func(event.ProjectID) *scrub.Scrubber { return s }
}

// TestScrubbed: nothing that a client sends gets into the queue with its secrets.
func TestScrubbed(t *testing.T) {
	const planted = "hunter2-planted"
	in := func(format string) string { return strings.ReplaceAll(format, "SECRET", planted) }
	for name, send := range map[string]func(*rig){
		"event": func(b *rig) {
			b.post("/api/9/envelope/", envelopeOf(item(`"type":"event"`, in(`{"extra":{"password":"SECRET"},"message":"token=SECRET"}`))))
		},
		"store": func(b *rig) { b.post("/api/9/store/", in(`{"message":"x","request":{"data":"password=SECRET&a=1"}}`)) },
		"feedback": func(b *rig) {
			b.post("/api/9/envelope/", envelopeOf(item(`"type":"feedback"`, in(`{"contexts":{"feedback":{"message":"my password: SECRET"}}}`))))
		},
		"user report": func(b *rig) {
			b.post("/api/9/envelope/", envelopeOf(item(`"type":"user_report"`, in(`{"event_id":"`+testID+`","comments":"password=SECRET"}`))))
		},
		"browser's report": func(b *rig) {
			b.post("/api/9/security/?sentry_release=token%3D"+planted, in(`{"csp-report":{"document-uri":"https://u:SECRET@example.com/?token=SECRET"}}`))
		},
		"file": func(b *rig) {
			b.post("/api/9/envelope/", envelopeOf(item(`"type":"attachment","filename":"token=`+planted+`"`, in("DB_PASSWORD=SECRET\nok"))))
		},
		"client report": func(b *rig) {
			b.post("/api/9/envelope/", envelopeOf(item(`"type":"client_report"`, in(`{"discarded_events":[{"reason":"token=SECRET","category":"error","quantity":1}]}`))))
			if err := b.handler.FlushCounts(b.t.Context()); err != nil {
				b.t.Fatal(err)
			}
		},
		"client": func(b *rig) {
			b.post("/api/9/store/", `{"message":"x"}`, "X-Sentry-Auth", testAuth+in(", sentry_client=app/1 token=SECRET"))
		},
	} {
		b := newRig(t, nil)
		send(b)
		if len(b.queue.got) == 0 {
			t.Errorf("%s: nothing was queued", name)
		}
		for _, m := range b.queue.got {
			all := b.plain(m) + m.Client + m.Release + m.Environment
			if m.Kind == wire.KindAttachment {
				a, content := b.file(m)
				all += a.Name + content
			}
			if strings.Contains(strings.ReplaceAll(all, "_", "-"), planted) {
				t.Errorf("%s: the secret got into the queue: %q", name, all)
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	for policy, want := range map[scrub.AddressPolicy]string{
		scrub.StoreAddresses: "192.0.2.1", scrub.TruncateAddresses: "192.0.2.0", scrub.DropAddresses: "",
	} {
		b := newRig(t, func(c *Config) { c.Scrubber = scrubberOf(t, scrub.Settings{Addresses: policy}) })
		b.post("/api/9/store/", `{"user":{"ip_address":"{{auto}}"}}`)
		if got := b.queue.got[0].RemoteIP; got != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	b := newRig(t, func(c *Config) { c.Scrubber = scrubberOf(t, scrub.Settings{RefuseFiles: true}) })
	w := b.post("/api/9/envelope/", envelopeOf(item(`"type":"event"`, eventJSON(testID)), item(`"type":"attachment"`, "x")))
	if w.Code != 200 || len(b.queue.got) != 1 || b.queue.got[0].Kind != wire.KindEvent {
		t.Errorf("status %d, %d messages", w.Code, len(b.queue.got))
	}
	if diff := cmp.Diff(map[string]int64{"attachment/unstored/attachments_off": 1}, b.flushed()); diff != "" {
		t.Error(diff)
	}
}
