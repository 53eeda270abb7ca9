// Package envelope reads the Sentry envelope: a line of JSON headers, then items,
// each a line of JSON headers and a payload.
//
// It exists because the framing is where intake loses data: an attachment holds
// newlines, a length can lie, one item of an unknown type stands before the event
// that matters. The reader streams, so that a payload nobody wants is never held
// in memory, and it is pure: an io.Reader and limits go in, items come out.
//
// Rules: lines end in \n and in nothing else. A declared length is exact and is
// followed by \n or the end; without one a payload runs to the next \n or the end.
// Empty lines before an item's headers mean nothing and are passed over. A header
// that is not known, or is known and makes no sense, is as good as absent; only
// what the framing itself rests on (that the line is a JSON object, an item's type
// and length) can make an envelope malformed. Nothing read before a fault is
// taken back.
package envelope

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"sundew/schema/event"
)

// The errors of a Reader, wrapped with what was wrong where. Errors of the
// underlying io.Reader come wrapped too and are none of these.
var (
	// ErrEmpty means that there is no envelope at all.
	ErrEmpty = errors.New("the envelope is empty")
	// ErrMalformed means that the framing is broken: no later item can be found.
	ErrMalformed = errors.New("the envelope is malformed")
	// ErrLineTooLong means that a line of headers is over Limits.HeaderLine.
	ErrLineTooLong = errors.New("a line of headers is too long")
	// ErrTooManyItems means that there are more items than Limits.Items.
	ErrTooManyItems = errors.New("the envelope has too many items")
	// ErrPayloadTooLarge means that a payload is larger than its reader wanted. It
	// is the only error after which Next can go on.
	ErrPayloadTooLarge = errors.New("the item is too large")
)

// Limits bounds what a Reader accepts.
type Limits struct {
	HeaderLine int // bytes of one line of headers, its newline not counted
	Items      int // items of one envelope
}

// Header is the envelope's first line, as far as intake has a use for it. What is
// absent or makes no sense is zero.
type Header struct {
	EventID event.ID
	DSN     string // as sent, not parsed
	SentAt  time.Time
}

// Item is one item's headers. Its payload is still in the Reader.
type Item struct {
	Type      string // never empty
	Length    int64  // of the payload; negative when the headers do not say
	ItemCount int64  // how many logs, spans, … the payload holds; 0 when the headers do not say

	// Of attachments, as sent: no name for a file, nothing to trust.
	Filename       string
	ContentType    string
	AttachmentType string
}

// Reader reads one envelope: Header once, then Next until io.EOF. It may be used
// again after Reset, which saves its buffers. It is not safe for concurrent use.
type Reader struct {
	limits Limits
	src    *bufio.Reader
	object objectReader

	items   int   // how many were begun
	pending bool  // the current item's payload has not been read to its end
	left    int64 // of the current payload; negative when it ends at a newline
	err     error // what broke the framing: final
}

// minBuffer keeps payloads without a length from being read in tiny pieces.
const minBuffer = 16 << 10

// NewReader returns a reader of the envelope in src.
func NewReader(src io.Reader, limits Limits) *Reader {
	return &Reader{limits: limits, src: bufio.NewReaderSize(src, max(limits.HeaderLine+1, minBuffer))}
}

// Reset makes the reader read another envelope, under the same limits.
func (r *Reader) Reset(src io.Reader) {
	r.src.Reset(src)
	r.items, r.pending, r.left, r.err = 0, false, 0, nil
}

// Header reads the envelope's own headers. Its errors are ErrEmpty, ErrMalformed,
// ErrLineTooLong and those of the source.
func (r *Reader) Header() (Header, error) {
	line, err := r.line()
	if errors.Is(err, io.EOF) {
		return Header{}, r.fail(ErrEmpty)
	}
	if err != nil {
		return Header{}, r.fail(fmt.Errorf("envelope header: %w", err))
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return Header{}, r.blankHeader()
	}
	var h Header
	if err := r.object.read(line, h.set); err != nil {
		return Header{}, r.fail(fmt.Errorf("%w: envelope header: %w", ErrMalformed, err))
	}
	return h, nil
}

// blankHeader tells a body of nothing but empty lines from one that hides
// something behind them.
func (r *Reader) blankHeader() error {
	switch err := r.skipBlanks(); {
	case errors.Is(err, io.EOF):
		return r.fail(ErrEmpty)
	case err != nil:
		return r.fail(fmt.Errorf("envelope header: %w", err))
	}
	return r.fail(fmt.Errorf("%w: envelope header: the line is empty", ErrMalformed))
}

// Next passes over what is left of the current payload and returns the headers of
// the item behind it, io.EOF after the last one. Its other errors are
// ErrMalformed, ErrLineTooLong, ErrTooManyItems and those of the source; all are
// final.
func (r *Reader) Next() (Item, error) {
	if err := r.Skip(); err != nil {
		return Item{}, err
	}
	line, err := r.lineAfterBlanks()
	if errors.Is(err, io.EOF) {
		return Item{}, r.fail(io.EOF)
	}
	if err != nil {
		return Item{}, r.fail(fmt.Errorf("item %d: %w", r.items+1, err))
	}
	if r.items == r.limits.Items {
		return Item{}, r.fail(fmt.Errorf("%w: at most %d are accepted", ErrTooManyItems, r.limits.Items))
	}
	r.items++
	h := itemHeaders{length: -1}
	if err := r.object.read(line, h.set); err != nil {
		return Item{}, r.malformed("header: %w", err)
	}
	if h.err != nil {
		return Item{}, r.malformed("%w", h.err)
	}
	if h.kind == "" {
		return Item{}, r.malformed("its type is missing")
	}
	r.pending, r.left = true, h.length
	return Item{
		Type: h.kind, Length: h.length, ItemCount: h.count,
		Filename: h.filename, ContentType: h.contentType, AttachmentType: h.attachmentType,
	}, nil
}

// AppendPayload appends the current item's payload to dst. A payload of more than
// limit bytes is ErrPayloadTooLarge, as soon as that is known: by the declared
// length nothing has been read then. The other errors are ErrMalformed and those
// of the source. The result shares no memory with the reader; on an error it is
// dst with a part of the payload appended, good only for its memory.
func (r *Reader) AppendPayload(dst []byte, limit int) ([]byte, error) {
	if r.err != nil {
		return dst, r.err
	}
	if !r.pending {
		return dst, nil
	}
	if r.left < 0 {
		return r.appendLine(dst, limit)
	}
	if r.left > int64(limit) {
		return dst, fmt.Errorf("%w: item %d has %d bytes, at most %d are accepted", ErrPayloadTooLarge, r.items, r.left, limit)
	}
	for r.left > 0 {
		// Grown by what has arrived, not by what was promised.
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		room := dst[len(dst):cap(dst)]
		n, err := r.src.Read(room[:min(int64(len(room)), r.left)])
		dst = dst[:len(dst)+n]
		r.left -= int64(n)
		if err != nil && r.left > 0 {
			return dst, r.cutShort(err)
		}
	}
	return dst, r.endOfPayload()
}

// appendLine is AppendPayload of a payload that ends at a newline.
func (r *Reader) appendLine(dst []byte, limit int) ([]byte, error) {
	start := len(dst)
	for {
		part, err := r.src.ReadSlice('\n')
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		if len(dst)-start+len(part) > limit {
			r.pending = !ended
			return dst, fmt.Errorf("%w: item %d has more than the %d bytes that are accepted", ErrPayloadTooLarge, r.items, limit)
		}
		dst = append(dst, part...)
		switch {
		case ended, errors.Is(err, io.EOF):
			r.pending = false
			return dst, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return dst, r.fail(fmt.Errorf("item %d: %w", r.items, err))
		}
	}
}

// Skip passes over what is left of the current payload without keeping it. Next
// does so too; Skip lets a caller know whether an item is whole before it answers
// for it. Its errors are ErrMalformed and those of the source.
func (r *Reader) Skip() error {
	if r.err != nil {
		return r.err
	}
	if !r.pending {
		return nil
	}
	if r.left < 0 {
		return r.skipLine()
	}
	for r.left > 0 {
		n, err := r.src.Discard(int(min(r.left, math.MaxInt32)))
		r.left -= int64(n)
		if err != nil && r.left > 0 {
			return r.cutShort(err)
		}
	}
	return r.endOfPayload()
}

func (r *Reader) skipLine() error {
	for {
		_, err := r.src.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			r.pending = false
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return r.fail(fmt.Errorf("item %d: %w", r.items, err))
		}
	}
}

// endOfPayload checks what comes after a payload whose length was declared.
func (r *Reader) endOfPayload() error {
	c, err := r.src.ReadByte()
	switch {
	case errors.Is(err, io.EOF), err == nil && c == '\n':
		r.pending = false
		return nil
	case err != nil:
		return r.fail(fmt.Errorf("item %d: %w", r.items, err))
	}
	return r.malformed("the payload goes on behind its length")
}

// cutShort is the error of a source that gave err before a payload was complete.
func (r *Reader) cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return r.malformed("the envelope ends %d bytes before the payload's length", r.left)
	}
	return r.fail(fmt.Errorf("item %d: %w", r.items, err))
}

func (r *Reader) lineAfterBlanks() ([]byte, error) {
	if err := r.skipBlanks(); err != nil {
		return nil, err
	}
	return r.line()
}

// skipBlanks passes over white space, io.EOF when nothing else is left. It goes by
// the buffer, not by the line: a hundred megabytes of newlines must not cost more
// than reading them.
func (r *Reader) skipBlanks() error {
	for {
		if _, err := r.src.Peek(1); err != nil {
			return err
		}
		held, _ := r.src.Peek(r.src.Buffered())
		rest := bytes.TrimLeft(held, " \t\r\n")
		if _, err := r.src.Discard(len(held) - len(rest)); err != nil || len(rest) > 0 {
			return err
		}
	}
}

// line returns the next line without its newline, io.EOF when nothing is left. It
// is good until the next read.
func (r *Reader) line() ([]byte, error) {
	line, err := r.src.ReadSlice('\n')
	switch {
	case err == nil:
		line = line[:len(line)-1]
	case errors.Is(err, io.EOF):
		if len(line) == 0 {
			return nil, io.EOF
		}
	case !errors.Is(err, bufio.ErrBufferFull):
		return nil, err
	}
	if len(line) > r.limits.HeaderLine {
		return nil, fmt.Errorf("%w: at most %d bytes are accepted", ErrLineTooLong, r.limits.HeaderLine)
	}
	return line, nil
}

func (r *Reader) malformed(format string, args ...any) error {
	return r.fail(fmt.Errorf("%w: item %d: %w", ErrMalformed, r.items, fmt.Errorf(format, args...)))
}

func (r *Reader) fail(err error) error {
	r.err = err
	return err
}
