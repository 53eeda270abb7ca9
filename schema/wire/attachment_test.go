package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttachment(t *testing.T) {
	for _, a := range []Attachment{
		{},
		{Name: "a \"name\" ü.txt", ContentType: "text/plain", Type: "event.attachment", Encoding: EncodingZstdDict1, Content: []byte("x\x00\n")},
		{Name: strings.Repeat("n", MaxAttachmentText), Content: bytes.Repeat([]byte{0xff}, 1000)},
	} {
		encoded := a.Encode([]byte("before"))[len("before"):]
		got, err := DecodeAttachment(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if a.Content == nil {
			a.Content = []byte{}
		}
		if diff := cmp.Diff(&a, got); diff != "" {
			t.Error(diff)
		}
		for n := range len(encoded) - len(a.Content) {
			if _, err := DecodeAttachment(encoded[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%d of %d bytes: %v", n, len(encoded), err)
			}
		}
	}
	long := Attachment{Name: strings.Repeat("n", MaxAttachmentText+1)}
	if _, err := DecodeAttachment(long.Encode(nil)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a name that is too long: %v", err)
	}
}

// FuzzDecodeAttachment: a hostile body is an error, or what it decodes to encodes to
// the same content.
func FuzzDecodeAttachment(f *testing.F) {
	f.Add((&Attachment{Name: "n", ContentType: "text/plain", Content: []byte("x")}).Encode(nil))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := DecodeAttachment(body)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Error(err)
			}
			return
		}
		again, err := DecodeAttachment(a.Encode(nil))
		if err != nil || !cmp.Equal(a, again) {
			t.Errorf("%+v became %+v, %v", a, again, err)
		}
	})
}
