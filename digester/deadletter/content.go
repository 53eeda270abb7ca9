package deadletter

import (
	"errors"
	"strconv"

	"sundew/digester/queue"
	"sundew/schema/wire"
)

// errUnreadable is why there is no plain body.
var errUnreadable = errors.New("the message cannot be read")

// Content is what can be told of a dead letter's body.
type Content struct {
	Raw     []byte
	Message *wire.Message // nil: it could not be read
	Claim   *wire.Claim   // not nil: the message lies elsewhere
	err     error         // of reading it
}

// Open reads the head of a message. The body stays compressed.
func Open(body []byte) Content {
	c := Content{Raw: body}
	switch {
	case len(body) == 0:
	case wire.IsClaim(body):
		var claim wire.Claim
		if claim, c.err = wire.DecodeClaim(body); c.err == nil {
			c.Claim = &claim
		}
	default:
		c.Message, c.err = wire.Decode(body)
	}
	return c
}

// What names the kind of thing in the letter.
func (c Content) What() string {
	if c.Message == nil {
		return "Message"
	}
	switch c.Message.Kind {
	case wire.KindEvent:
		return "Event"
	case wire.KindCSP:
		return "Security report"
	case wire.KindCounts:
		return "Counts of the edge"
	case wire.KindAttachment:
		return "Attachment"
	case wire.KindFeedback, wire.KindUserReport:
		return "User feedback"
	}
	return "Message of kind " + strconv.Itoa(int(c.Message.Kind))
}

// Trouble is what the digester said of a letter of the queue; nil: that is not known.
func (q Queue) Trouble(letter queue.DeadLetter) error {
	if q.LastError == nil {
		return nil
	}
	return q.LastError(letter.Body)
}

// Why says why the letter is dead, as far as it can be told; last is its Trouble.
func (c Content) Why(last error) string {
	switch {
	case errors.Is(last, wire.ErrVersion) || last == nil && (errors.Is(c.err, wire.ErrVersion) || c.Message != nil && !isKnown(c.Message)):
		return "It was made by an edge that is newer than this digester. Update the digester, then try again."
	case errors.Is(last, wire.ErrCorrupt) || last == nil && errors.Is(c.err, wire.ErrCorrupt):
		return "It is damaged: no program can read it."
	case last != nil:
		return last.Error()
	case c.Claim != nil:
		return "It is too large for the queue and lies in object storage, from where it could not be fetched."
	case len(c.Raw) == 0:
		return "Its content cannot be had."
	}
	return "Not known to this process. If it fails again after another try, the reason is here."
}

// isKnown reports whether this program can make something of a message.
func isKnown(m *wire.Message) bool {
	return m.Kind >= wire.KindEvent && m.Kind <= wire.KindUserReport && m.Encoding <= wire.EncodingZstdDict1
}

// Text returns the message's body decompressed, if it is what a client wrote: an
// attachment is a file of any bytes. The error says why there is none.
func (c Content) Text() ([]byte, error) {
	if c.Message == nil || c.Message.Kind == wire.KindAttachment {
		return nil, errUnreadable
	}
	return wire.NewCodec().Decompress(c.Message.Body, c.Message.Encoding)
}
