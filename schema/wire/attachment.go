package wire

import (
	"encoding/binary"
	"fmt"
)

// Attachment is the body of a KindAttachment message, whose own encoding is
// EncodingIdentity: what describes the file is never compressed, and a file only
// where that makes it smaller.
type Attachment struct {
	Name        string // as the client sent it, at most MaxAttachmentText bytes
	ContentType string // likewise; only a claim
	Type        string // the protocol's attachment_type, likewise

	Encoding Encoding // of Content
	Content  []byte
}

// MaxAttachmentText bounds each text of an attachment, in bytes.
const MaxAttachmentText = 1024

// Encode appends the attachment to dst.
func (a *Attachment) Encode(dst []byte) []byte {
	for _, s := range a.texts() {
		dst = binary.AppendUvarint(dst, uint64(len(*s)))
		dst = append(dst, *s...)
	}
	return append(append(dst, byte(a.Encoding)), a.Content...)
}

func (a *Attachment) texts() [3]*string { return [...]*string{&a.Name, &a.ContentType, &a.Type} }

// DecodeAttachment reads what Attachment.Encode wrote; its error is ErrCorrupt. The
// attachment's Content is a part of body.
func DecodeAttachment(body []byte) (*Attachment, error) {
	var a Attachment
	for _, s := range a.texts() {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > MaxAttachmentText || n > uint64(len(body)-used) {
			return nil, fmt.Errorf("%w: an attachment's text runs over its end", ErrCorrupt)
		}
		*s, body = string(body[used:used+int(n)]), body[used+int(n):]
	}
	if len(body) == 0 {
		return nil, fmt.Errorf("%w: an attachment without an encoding", ErrCorrupt)
	}
	a.Encoding, a.Content = Encoding(body[0]), body[1:]
	return &a, nil
}
