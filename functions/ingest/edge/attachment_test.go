package edge

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/functions/ingest/envelope"
	"sundew/schema/corpus"
	"sundew/schema/event"
	"sundew/schema/keyring"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// item returns an item of an envelope with its length declared.
func item(headers, payload string) string {
	return fmt.Sprintf(`{"length":%d,%s}`, len(payload), headers) + "\n" + payload
}

// queued says of each queued message what it is, whose, and what is in it.
func (b *rig) queued() []string {
	b.t.Helper()
	all := []string{}
	for _, m := range b.queue.got {
		text := fmt.Sprintf("%d %s", m.Kind, m.EventID)
		if m.Kind == wire.KindAttachment {
			a, content := b.file(m)
			text += fmt.Sprintf(" %s|%s|%s|%s", a.Name, a.ContentType, a.Type, content)
		}
		all = append(all, text)
	}
	return all
}

// file returns the attachment in a message, and its content.
func (b *rig) file(m *wire.Message) (*wire.Attachment, string) {
	b.t.Helper()
	if m.Encoding != wire.EncodingIdentity {
		b.t.Errorf("the message of an attachment has encoding %d: a digester that does not know it would read its body", m.Encoding)
	}
	a, err := wire.DecodeAttachment(m.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	content, err := b.codec.Decompress(a.Content, a.Encoding)
	if err != nil {
		b.t.Fatal(err)
	}
	return a, string(content)
}

func TestAttachments(t *testing.T) {
	const file, ev, feedback = `"type":"attachment","filename":"a.txt"`, `"type":"event"`, `"type":"feedback"`
	hostile := `"type":"attachment","filename":"../\u202e\r\nSet-Cookie: x\u0000","content_type":"text/html\n","attachment_type":null`
	huge := strings.Repeat("x", 1001)
	for _, tt := range []struct {
		name   string
		body   string
		status int
		queued []string
		counts map[string]int64
	}{
		{"with an event", envelopeOf(item(ev, eventJSON(idA)), item(file, "one"), item(file, "")), 200,
			[]string{"1 " + testID, "4 " + testID + " a.txt|||one", "4 " + testID + " a.txt|||"}, nil},
		{"before the event", envelopeOf(item(file, "one"), item(ev, eventJSON(idA))), 200,
			[]string{"4 " + testID + " a.txt|||one", "1 " + testID}, nil},
		{"of an earlier event", envelopeOf(item(file, "one")), 200, []string{"4 " + testID + " a.txt|||one"}, nil},
		{"the header has no id", "{}\n" + item(ev, eventJSON(idA)) + "\n" + item(file, "one"), 200,
			[]string{"1 " + idA, "4 " + idA + " a.txt|||one"}, nil},
		{"of nothing", "{}\n" + item(file, "one"), 200, nil, map[string]int64{"attachment/refused/no_event_id": 1}},
		{"of feedback", envelopeOf(item(feedback, "{}"), item(file, "one")), 200,
			[]string{"5 " + testID, "4 " + testID + " a.txt|||one"}, nil},
		{"a report", "{}\n" + item(`"type":"user_report"`, `{"event_id":"`+idB+`","comments":"x"}`), 200, []string{"6 " + idB}, nil},
		{"a report of the header's event", envelopeOf(item(`"type":"user_report"`, `{}`)), 200, []string{"6 " + testID}, nil},
		{"a report of nothing", "{}\n" + item(`"type":"user_report"`, `{}`), 400, nil, map[string]int64{"feedback/refused/no_event_id": 1}},
		{"bad feedback", envelopeOf(item(feedback, "x"), item(file, "one")), 400, nil,
			map[string]int64{"feedback/refused/bad_json": 1, "attachment/refused/without_event": 1}},
		{"of a bad event", envelopeOf(item(ev, "x"), item(file, "one")), 400, nil,
			map[string]int64{"error/refused/bad_json": 1, "attachment/refused/without_event": 1}},
		{"too large", envelopeOf(item(ev, eventJSON(idA)), item(file, huge), item(file, huge[1:])), 200,
			[]string{"1 " + testID, "4 " + testID + " a.txt|||" + huge[1:]}, map[string]int64{"attachment/refused/too_large": 1}},
		{"too large alone", envelopeOf(item(file, huge)), 413, nil, map[string]int64{"attachment/refused/too_large": 1}},
		{"too many", envelopeOf(item(ev, eventJSON(idA)), item(file, "1"), item(file, "2"), item(file, "3")), 200,
			[]string{"1 " + testID, "4 " + testID + " a.txt|||1", "4 " + testID + " a.txt|||2"}, map[string]int64{"attachment/refused/too_many_items": 1}},
		{"cut short", envelopeOf(item(ev, eventJSON(idA)), `{"type":"attachment","length":9}`, "x"), 200,
			[]string{"1 " + testID}, map[string]int64{"error/refused/bad_framing": 1}},
		{"hostile name", envelopeOf(item(hostile, "\x00\n")), 200, []string{"4 " + testID + " ../Set-Cookie: [Filtered]|text/html||\x00\n"}, nil},
		{"no name", envelopeOf(item(`"type":"attachment"`, "one")), 200, []string{"4 " + testID + " |||one"}, nil},
		{"long name", envelopeOf(item(`"type":"attachment","filename":"`+strings.Repeat("ü", 200)+`"`, "")), 200,
			[]string{"4 " + testID + " " + strings.Repeat("ü", 127) + "|||"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newRig(t, func(c *Config) { c.Limits = Limits{Attachment: 1000, Attachments: 2} })
			w := b.post("/api/9/envelope/", tt.body)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if diff := cmp.Diff(append([]string{}, tt.queued...), b.queued()); diff != "" {
				t.Errorf("queued (-want +got):\n%s", diff)
			}
			if len(b.queue.got) > 0 && answeredID(t, w) != b.queue.got[0].EventID.String() {
				t.Errorf("answered %s", w.Body)
			}
			if tt.counts == nil {
				tt.counts = map[string]int64{}
			}
			if diff := cmp.Diff(tt.counts, b.flushed()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAttachmentLimits: what a client learns when it sends too much.
func TestAttachmentLimits(t *testing.T) {
	ev, file := item(`"type":"event"`, eventJSON(testID)), item(`"type":"attachment","filename":"a"`, "x")
	t.Run("rate", func(t *testing.T) {
		b := newRig(t, func(c *Config) { c.KeyRate = 0.5; c.KeyBurst = 2 })
		for n, tt := range []struct {
			body   string
			status int
			queued int
			counts map[string]int64
		}{
			{envelopeOf(ev, file, file), 200, 3, map[string]int64{}}, // one event, one token
			{envelopeOf(file, file), 200, 2, map[string]int64{}},     // files alone cost as much
			{envelopeOf(file), 429, 0, map[string]int64{"attachment/limited/key_quota": 1}},
			{envelopeOf(ev, file), 429, 0, map[string]int64{"error/limited/key_quota": 1, "attachment/limited/without_event": 1}},
			{envelopeOf(item(`"type":"feedback"`, "{}")), 429, 0, map[string]int64{"feedback/limited/key_quota": 1}},
		} {
			b.queue.got = nil
			w := b.post("/api/9/envelope/", tt.body)
			if w.Code != tt.status || len(b.queue.got) != tt.queued {
				t.Errorf("%d: status %d with %d messages: %s", n, w.Code, len(b.queue.got), w.Body)
			}
			if diff := cmp.Diff(tt.counts, b.flushed()); diff != "" {
				t.Errorf("%d: counts (-want +got):\n%s", n, diff)
			}
		}
	})
	t.Run("quota", func(t *testing.T) {
		ring := keyring.NewRing(&keyring.Snapshot{Limits: []keyring.Limit{{
			Project: 9, Categories: []string{"attachment"}, Until: time.Date(2026, 11, 21, 9, 31, 0, 0, time.UTC), Reason: "q",
		}}})
		b := newRig(t, func(c *Config) { c.Keys = testKeys{quotas: ring} })
		w := b.post("/api/9/envelope/", envelopeOf(ev, file, file))
		if got := w.Header().Get("X-Sentry-Rate-Limits"); w.Code != http.StatusTooManyRequests || got != "60:attachment:project:q" || len(b.queue.got) != 1 {
			t.Errorf("status %d, limits %q, %d messages", w.Code, got, len(b.queue.got))
		}
		if diff := cmp.Diff(map[string]int64{"attachment/limited/q": 2}, b.flushed()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("queue", func(t *testing.T) {
		b := newRig(t, nil)
		b.queue.fail = func() (bool, error) { return false, errQueueDown }
		if w := b.post("/api/9/envelope/", envelopeOf(ev, file)); w.Code != http.StatusServiceUnavailable {
			t.Errorf("status %d", w.Code)
		}
		b.queue.fail = nil
		if diff := cmp.Diff(map[string]int64{"error/refused/queue_unavailable": 1, "attachment/refused/queue_unavailable": 1}, b.flushed()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAttachmentEncoding: only what gets smaller by it is compressed.
func TestAttachmentEncoding(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		want    wire.Encoding
	}{
		"a log":     {strings.Repeat("GET /cart 200\n", 500), wire.EncodingZstdDict1},
		"a picture": {string(compress(t, "gzip", []byte(noise(50_000)))), wire.EncodingIdentity},
		"nothing":   {"", wire.EncodingIdentity},
	} {
		b := newRig(t, nil)
		b.post("/api/9/envelope/", envelopeOf(item(`"type":"attachment"`, tt.content)))
		if a, content := b.file(b.queue.got[0]); a.Encoding != tt.want || content != tt.content {
			t.Errorf("%s: encoding %d, %d bytes", name, a.Encoding, len(content))
		}
	}
}

// TestCapturedAttachments: files of real SDKs arrive as they were sent, where nobody
// wants secrets taken out: in some there are.
func TestCapturedAttachments(t *testing.T) {
	cases, err := corpus.Captured()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, c := range cases {
		if !strings.HasSuffix(c.Path, "/envelope/") || c.Method != http.MethodPost {
			continue
		}
		want := filesOf(t, decompress(t, c.Body))
		if len(want) == 0 {
			continue
		}
		b := newRig(t, func(c *Config) { c.Scrubber = scrubberOf(t, scrub.Settings{Off: true}) })
		b.do(replay(c))
		var got []string
		for _, m := range b.queue.got {
			if m.Kind == wire.KindAttachment {
				a, content := b.file(m)
				got = append(got, m.EventID.String()+" "+a.Name+" "+content)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
		files += len(want)
	}
	if files < 30 {
		t.Errorf("only %d recorded attachments", files)
	}
}

// filesOf lists an envelope's attachments.
func filesOf(t *testing.T, plain []byte) (files []string) {
	t.Helper()
	reader := envelope.NewReader(bytes.NewReader(plain), envelope.Limits{HeaderLine: 64 << 10, Items: 1000})
	header, err := reader.Header()
	if err != nil || header.EventID == (event.ID{}) {
		return nil
	}
	for item, err := reader.Next(); err == nil; item, err = reader.Next() {
		if item.Type != itemAttachment {
			continue
		}
		content, err := reader.AppendPayload(nil, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, header.EventID.String()+" "+item.Filename+" "+string(content))
	}
	return files
}
