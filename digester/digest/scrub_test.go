package digest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// TestPrepareScrubs: what an older edge, or one that knew no rules yet, let through is
// not stored.
func TestPrepareScrubs(t *testing.T) {
	scrubber, err := scrub.New(scrub.Settings{Names: []string{"patient"}, Addresses: scrub.TruncateAddresses})
	if err != nil {
		t.Fatal(err)
	}
	refusing, err := scrub.New(scrub.Settings{RefuseFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	p := newPreparer(Config{Scrubber: func(project event.ProjectID) *scrub.Scrubber {
		if project == 2 {
			return refusing
		}
		return scrubber
	}})
	prepare := func(m wire.Message, payload string) (store.Incoming, string) {
		t.Helper()
		m.Body, m.Encoding = p.codec.Compress([]byte(payload))
		if m.Kind == wire.KindAttachment {
			a := wire.Attachment{Name: "token=planted", Content: m.Body, Encoding: m.Encoding}
			m.Body, m.Encoding = a.Encode(nil), wire.EncodingIdentity
		}
		m.ReceivedAt, m.RemoteIP, m.EventID = time.Now(), "203.0.113.7", event.ID{1}
		ready, err := p.prepare(t.Context(), m.Encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := p.codec.Decompress(ready.in.Body, ready.in.Encoding)
		if err != nil {
			t.Fatal(err)
		}
		return ready.in, string(plain)
	}
	in, body := prepare(wire.Message{Kind: wire.KindEvent, Project: 1},
		`{"message":"token=planted","extra":{"patientId":"planted"},"user":{"ip_address":"{{auto}}"}}`)
	if strings.Contains(body+in.Title, "planted") || in.User != "ip:203.0.113.0" {
		t.Errorf("%s, title %q, user %q", body, in.Title, in.User)
	}
	var meta store.EventMeta
	if err := json.Unmarshal(in.Meta, &meta); err != nil || meta.RemoteIP != "203.0.113.0" {
		t.Errorf("meta %s: %v", in.Meta, err)
	}
	// An address that nobody asked for is not kept.
	if in, _ := prepare(wire.Message{Kind: wire.KindEvent, Project: 3}, `{"message":"x"}`); strings.Contains(string(in.Meta), "203.0") {
		t.Errorf("meta %s", in.Meta)
	}
	if in, body := prepare(wire.Message{Kind: wire.KindAttachment, Project: 1}, "DB_PASSWORD=planted\n"); strings.Contains(body+in.Attachment.Name, "planted") || in.Attachment.Size != int64(len(body)) {
		t.Errorf("file %q, %q of %d bytes", in.Attachment.Name, body, in.Attachment.Size)
	}
	if in, _ := prepare(wire.Message{Kind: wire.KindAttachment, Project: 2}, "x"); in.Drop != dropFiles {
		t.Errorf("a file that nobody wants: %q", in.Drop)
	}
	if in, _ := prepare(wire.Message{Kind: wire.KindFeedback, Project: 1}, `{"contexts":{"feedback":{"message":"my password: planted1"}}}`); strings.Contains(in.Feedback.Message, "planted") {
		t.Errorf("feedback %q", in.Feedback.Message)
	}
	// What cannot be read is dropped, and kept nowhere.
	if in, _ := prepare(wire.Message{Kind: wire.KindEvent, Project: 1}, `{"password":"planted`); in.Drop != dropBadJSON || strings.Contains(in.Detail, "planted") {
		t.Errorf("dropped as %q: %q", in.Drop, in.Detail)
	}
}
