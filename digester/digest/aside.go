package digest

import (
	"crypto/sha256"
	"errors"
	"strings"

	"sundew/digester/store"
	"sundew/schema/event"
	"sundew/schema/scrub"
	"sundew/schema/wire"
)

// prepareAttachment makes a message of a file ready. The file is decompressed to know
// that it can be, and stored as it came unless it is a text with secrets.
func (p *preparer) prepareAttachment(ready *prepared, scrubber *scrub.Scrubber, body []byte) (*prepared, error) {
	if scrubber.RefusesFiles() {
		return ready.drop(dropFiles, errors.New("the project takes no attachments")), nil
	}
	a, err := wire.DecodeAttachment(body)
	if err != nil {
		return ready.drop(dropBadBody, err), nil
	}
	content, err := p.codec.Decompress(a.Content, a.Encoding)
	if errors.Is(err, wire.ErrVersion) {
		return nil, err
	}
	if err != nil {
		return ready.drop(dropBadBody, err), nil
	}
	ready.in.Body, ready.in.Encoding = a.Content, a.Encoding
	if clean := scrubber.File(content); len(content) > 0 && &clean[0] != &content[0] {
		content = clean
		ready.in.Body, ready.in.Encoding = p.codec.Compress(clean)
	}
	ready.in.Attachment = &store.Attachment{
		Name: scrubber.String(a.Name), ContentType: a.ContentType, Type: a.Type, Size: int64(len(content)), SHA256: sha256.Sum256(content),
	}
	return ready, nil
}

// prepareFeedback makes a message of feedback ready, in its new or its old form.
func prepareFeedback(ready *prepared, m *wire.Message, payload []byte) *prepared {
	read := event.ParseFeedback
	if m.Kind == wire.KindUserReport {
		read = event.ParseUserReport
	}
	f, err := read(payload)
	if err != nil {
		return ready.drop(dropBadJSON, err)
	}
	id := m.EventID
	if m.Kind == wire.KindUserReport {
		f.About = m.EventID
		id = reportID(f)
	}
	if strings.TrimSpace(f.Message) == "" {
		return ready.drop(dropEmpty, errors.New("the message is empty"))
	}
	ready.in.Feedback = &store.Feedback{FeedbackID: id, Feedback: f}
	return ready
}

// reportID names a user report, which has no id of its own, by all that it says.
func reportID(f event.Feedback) (id event.ID) {
	h := sha256.New()
	for _, s := range []string{f.About.String(), f.Name, f.Email, f.Message} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	copy(id[:], h.Sum(nil))
	return id
}
