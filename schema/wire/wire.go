// Package wire is the message between the edge and the digester.
//
// It exists because the two are deployed on their own: an old edge may talk to a
// new digester and the other way round, so the format has a version and a reader
// that meets a version it does not know leaves the message in the queue instead
// of guessing. Binary, so that a queue can carry it as is; SQS carries it in
// base64.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"sundew/schema/event"
)

// Version is what Encode writes.
const Version = 1

// Kind says what the body is.
type Kind uint8

// The kinds of message.
const (
	KindEvent  Kind = 1 // one event payload, JSON as the client sent it
	KindCSP    Kind = 2 // one browser security report, JSON as the browser sent it
	KindCounts Kind = 3 // outcomes that the edge counted, as written by EncodeCounts

	KindAttachment Kind = 4 // one file that belongs to EventID, as written by Attachment.Encode
	KindFeedback   Kind = 5 // what a person wrote, as an event payload with contexts.feedback
	KindUserReport Kind = 6 // the same in its old form, JSON; EventID is the event that it is about
)

// A new kind needs no new version, because a digester that does not know a kind
// leaves its messages as well, if their bodies decompress: so a body that is not all
// of one piece says EncodingIdentity, and inside how its parts are compressed.

// Encoding says how the body is compressed.
type Encoding uint8

// The encodings of a body. They are in databases, so numbers are given once.
const (
	EncodingIdentity  Encoding = 0
	EncodingZstd      Encoding = 1 // zstd without a dictionary
	EncodingZstdDict1 Encoding = 2 // zstd with the dictionary of dictionary-1.zdict
)

// InstanceID names one running copy of the edge: random, made at its start.
type InstanceID [16]byte

// Message is one accepted item on its way to the digester.
type Message struct {
	Kind     Kind
	Encoding Encoding
	Project  event.ProjectID // zero for KindCounts, whose entries name theirs

	// Instance and Seq let the digester prove that nothing went missing: an
	// instance numbers what it accepts for each project from 1 upwards without
	// gaps. The Sender sets both, at the moment the message becomes durable.
	Instance InstanceID
	Seq      uint64

	EventID    event.ID  // the id that was answered to the client; it wins over the payload's
	ReceivedAt time.Time // by the edge's clock, millisecond precision
	SentAt     time.Time // the envelope's sent_at by the client's clock, zero when absent

	Region      string // where the edge runs; empty for the embedded set-up
	Client      string // sentry_client or User-Agent, at most 256 bytes
	RemoteIP    string // of the client, for {{auto}}
	Environment string // security reports carry it in the query string
	Release     string // likewise

	// Key is the client's key, 32 lower-case hex digits, if the edge could not tell
	// whether it may report to Project: then the digester decides. Otherwise empty.
	Key string

	Body []byte // compressed as Encoding says
}

// Errors of Decode. ErrVersion means that the message may be fine and this
// program too old for it; ErrCorrupt that no program will ever read it.
var (
	ErrVersion = errors.New("wire: message version not known to this program")
	ErrCorrupt = errors.New("wire: message is damaged")
)

// fixedLen is the length of the part of a message that does not vary: version,
// kind, encoding, project, instance, seq, event id, received-at, sent-at.
const fixedLen = seqOffset + 8 + 16 + 8 + 8

// seqOffset is where the sequence number begins.
const seqOffset = 1 + 1 + 1 + 8 + 16

// Encode appends the message to dst.
func (m *Message) Encode(dst []byte) []byte {
	dst = append(dst, Version, byte(m.Kind), byte(m.Encoding))
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Project))
	dst = append(dst, m.Instance[:]...)
	dst = binary.BigEndian.AppendUint64(dst, m.Seq)
	dst = append(dst, m.EventID[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(millis(m.ReceivedAt)))
	dst = binary.BigEndian.AppendUint64(dst, uint64(millis(m.SentAt)))
	for _, s := range m.texts() {
		dst = binary.AppendUvarint(dst, uint64(len(*s)))
		dst = append(dst, *s...)
	}
	return append(dst, m.Body...)
}

// EncodedLen returns the number of bytes that Encode will append.
func (m *Message) EncodedLen() int {
	n := fixedLen + len(m.Body)
	for _, s := range m.texts() {
		n += len(*s) + (bits.Len(uint(len(*s))|1)+6)/7 // 7 bits a byte
	}
	return n
}

// texts returns the parts of the message that say their length, in their order.
func (m *Message) texts() [6]*string {
	return [...]*string{&m.Region, &m.Client, &m.RemoteIP, &m.Environment, &m.Release, &m.Key}
}

// PutSeq sets the sequence number of an encoded message: a Sender may encode
// before it knows the number. encoded must be what Encode appended.
func PutSeq(encoded []byte, seq uint64) {
	binary.BigEndian.PutUint64(encoded[seqOffset:], seq)
}

// Decode reads what Encode wrote. The message's Body is a part of b.
func Decode(b []byte) (*Message, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: empty", ErrCorrupt)
	}
	if b[0] != Version {
		return nil, fmt.Errorf("%w: %d", ErrVersion, b[0])
	}
	if len(b) < fixedLen {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(b))
	}
	m := &Message{Kind: Kind(b[1]), Encoding: Encoding(b[2])}
	m.Project = event.ProjectID(binary.BigEndian.Uint64(b[3:]))
	copy(m.Instance[:], b[11:])
	m.Seq = binary.BigEndian.Uint64(b[seqOffset:])
	copy(m.EventID[:], b[35:])
	m.ReceivedAt = fromMillis(int64(binary.BigEndian.Uint64(b[51:])))
	m.SentAt = fromMillis(int64(binary.BigEndian.Uint64(b[59:])))
	rest := b[fixedLen:]
	for _, s := range m.texts() {
		n, used := binary.Uvarint(rest)
		if used <= 0 || n > uint64(len(rest)-used) {
			return nil, fmt.Errorf("%w: text runs over its end", ErrCorrupt)
		}
		*s = string(rest[used : used+int(n)])
		rest = rest[used+int(n):]
	}
	m.Body = rest
	return m, nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
