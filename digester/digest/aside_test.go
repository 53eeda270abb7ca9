package digest

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// TestPrepareAside: what becomes of attachments and feedback before the transaction.
func TestPrepareAside(t *testing.T) {
	p := newPreparer(Config{})
	message := func(kind wire.Kind, body []byte, encoding wire.Encoding) []byte {
		m := wire.Message{Kind: kind, Project: 7, EventID: event.ID{1}, ReceivedAt: time.Now(), Body: body, Encoding: encoding}
		return m.Encode(nil)
	}
	file := func(content []byte, encoding wire.Encoding) []byte {
		a := wire.Attachment{Name: "log.txt", ContentType: "text/plain", Type: "event.attachment", Encoding: encoding, Content: content}
		return message(wire.KindAttachment, a.Encode(nil), wire.EncodingIdentity)
	}
	json := func(kind wire.Kind, text string) []byte {
		body, encoding := p.codec.Compress([]byte(text))
		return message(kind, body, encoding)
	}
	text := strings.Repeat("GET /cart 200\n", 100)
	packed, encoding := p.codec.Compress([]byte(text))
	report := reportID(event.Feedback{Name: "Ada", Message: "Hi", About: event.ID{1}})
	want := func(content string) *store.Attachment {
		return &store.Attachment{Name: "log.txt", ContentType: "text/plain", Type: "event.attachment", Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))}
	}
	for _, tt := range []struct {
		name       string
		body       []byte
		err        error // it is left in the queue
		drop       string
		attachment *store.Attachment
		feedback   *store.Feedback
	}{
		{name: "plain", body: file([]byte("abc"), wire.EncodingIdentity), attachment: want("abc")},
		{name: "compressed", body: file(packed, encoding), attachment: want(text)},
		{name: "empty", body: file(nil, wire.EncodingIdentity), attachment: want("")},
		{name: "damaged", body: file([]byte("abc"), wire.EncodingZstd), drop: dropBadBody},
		{name: "of a newer edge", body: file([]byte("abc"), 77), err: wire.ErrVersion},
		{name: "no attachment", body: message(wire.KindAttachment, []byte{200}, wire.EncodingIdentity), drop: dropBadBody},
		{name: "a kind of a newer edge", body: message(wire.KindUserReport+1, file(packed, encoding), wire.EncodingIdentity), err: wire.ErrVersion},
		{name: "feedback", body: json(wire.KindFeedback, `{"contexts":{"feedback":{"message":"Hi","associated_event_id":"`+(event.ID{9}).String()+`"}}}`),
			feedback: &store.Feedback{FeedbackID: event.ID{1}, Feedback: event.Feedback{Message: "Hi", About: event.ID{9}}}},
		{name: "a report", body: json(wire.KindUserReport, `{"event_id":"nonsense","name":"Ada","comments":"Hi"}`),
			feedback: &store.Feedback{FeedbackID: report, Feedback: event.Feedback{Name: "Ada", Message: "Hi", About: event.ID{1}}}},
		{name: "empty feedback", body: json(wire.KindFeedback, `{"contexts":{"feedback":{"message":"","name":"Ada"}}}`), drop: dropEmpty},
		{name: "bad feedback", body: json(wire.KindFeedback, `[]`), drop: dropBadJSON},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ready, err := p.prepareSafely(t.Context(), tt.body)
			if !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if ready.in.Drop != tt.drop {
				t.Errorf("dropped as %q, want %q", ready.in.Drop, tt.drop)
			}
			if diff := cmp.Diff(tt.attachment, ready.in.Attachment); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.feedback, ready.in.Feedback); diff != "" {
				t.Error(diff)
			}
		})
	}
	if other := reportID(event.Feedback{Name: "Ada", Message: "Hi!", About: event.ID{1}}); other == report {
		t.Error("two reports have one id")
	}
}
