package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"sundew/schema/event"
)

// errNotObject is why a line of headers is refused, beside JSON's own errors.
var errNotObject = errors.New("not a JSON object")

// objectReader reads lines of headers, one JSON object each. Its zero value is
// ready; it exists to use its buffers again.
type objectReader struct {
	buf bytes.Buffer
	dec *jsontext.Decoder
}

// read calls set with the name and the value of each member of the object in
// line, both good only during the call. Of members of the same name the last one
// counts, as everywhere in the protocol. Errors never quote the line.
func (o *objectReader) read(line []byte, set func(name string, value jsontext.Value)) error {
	options := []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	o.buf.Reset()
	o.buf.Write(line)
	if o.dec == nil {
		o.dec = jsontext.NewDecoder(&o.buf, options...)
	} else {
		o.dec.Reset(&o.buf, options...)
	}
	if o.dec.PeekKind() != '{' {
		return errNotObject
	}
	if _, err := o.dec.ReadToken(); err != nil {
		return place(err)
	}
	for o.dec.PeekKind() != '}' {
		name, err := o.dec.ReadToken()
		if err != nil {
			return place(err)
		}
		key := name.String() // before the next read takes its memory
		value, err := o.dec.ReadValue()
		if err != nil {
			return place(err)
		}
		set(key, value)
	}
	if _, err := o.dec.ReadToken(); err != nil {
		return place(err)
	}
	if _, err := o.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errNotObject
	}
	return nil
}

// place reduces a decoder's error to what is wrong where, without the text that
// it points to.
func place(err error) error {
	if syntax := (*jsontext.SyntacticError)(nil); errors.As(err, &syntax) {
		return fmt.Errorf("invalid JSON at byte %d", syntax.ByteOffset)
	}
	return errors.New("invalid JSON")
}

// set takes over one header of the envelope.
func (h *Header) set(name string, value jsontext.Value) {
	switch name {
	case "event_id":
		h.EventID, _ = event.ParseID(text(value))
	case "dsn":
		h.DSN = text(value)
	case "sent_at":
		h.SentAt, _ = time.Parse(time.RFC3339, text(value))
	}
}

// itemHeaders are an item's headers while they are being read.
type itemHeaders struct {
	kind   string
	length int64
	count  int64
	err    error // of the last length

	filename, contentType, attachmentType string
}

// set takes over one header of an item.
func (h *itemHeaders) set(name string, value jsontext.Value) {
	switch name {
	case "type":
		h.kind = text(value)
	case "length":
		h.length, h.err = length(value)
	case "item_count":
		h.count, _ = strconv.ParseInt(string(value), 10, 64)
		h.count = max(h.count, 0)
	case "filename":
		h.filename = text(value)
	case "content_type":
		h.contentType = text(value)
	case "attachment_type":
		h.attachmentType = text(value)
	}
}

// length reads an item's length, -1 for null.
func length(value jsontext.Value) (int64, error) {
	if value.Kind() == 'n' {
		return -1, nil
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 {
		return 0, errors.New("its length is not a whole number")
	}
	return n, nil
}

// text returns a JSON string's text, "" for any other value.
func text(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	unquoted, _ := jsontext.AppendUnquote(nil, value) // fails on invalid UTF-8 only, which it replaces
	return string(unquoted)
}
