package edge

import (
	"cmp"

	"sundew/schema/wire"
)

// Limits bounds what one request may bring and, with it, what memory one request
// may cost. A field that is zero has the default.
type Limits struct {
	Body         int64 // bytes of a request's body as sent
	Decoded      int64 // bytes of it after decompression
	Event        int   // bytes of one event's payload
	HeaderLine   int   // bytes of one line of headers in an envelope
	Items        int   // items of one envelope, reports of one security request
	Depth        int   // how deep an event's JSON may nest
	Security     int64 // bytes of a security request's body, before and after decompression
	ClientReport int   // bytes of one client report's payload
	Attachment   int   // bytes of one attachment, at most MaxAttachment
	Attachments  int   // attachments of one envelope
}

// MaxAttachment is the most that Limits.Attachment may be: what a message carries.
const MaxAttachment = wire.MaxBody - 64<<10

// The defaults. Real clients send events of up to 1.5 MB and, where an attachment
// rides along, bodies of several megabytes; what is over these is lost, so they are
// generous where streaming makes size cheap and tight where it does not.
const (
	defaultBody         = 20 << 20
	defaultDecoded      = 100 << 20
	defaultEvent        = 1 << 20
	defaultHeaderLine   = 8 << 10
	defaultItems        = 100
	defaultDepth        = 64
	defaultSecurity     = 64 << 10
	defaultClientReport = 4 << 10
	defaultAttachment   = 5 << 20
	defaultAttachments  = 20
)

// DefaultLimits returns the limits of a server that was not told otherwise.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func (l Limits) withDefaults() Limits {
	return Limits{
		Body:         cmp.Or(l.Body, defaultBody),
		Decoded:      cmp.Or(l.Decoded, defaultDecoded),
		Event:        cmp.Or(l.Event, defaultEvent),
		HeaderLine:   cmp.Or(l.HeaderLine, defaultHeaderLine),
		Items:        cmp.Or(l.Items, defaultItems),
		Depth:        cmp.Or(l.Depth, defaultDepth),
		Security:     cmp.Or(l.Security, defaultSecurity),
		ClientReport: cmp.Or(l.ClientReport, defaultClientReport),
		Attachment:   min(cmp.Or(l.Attachment, defaultAttachment), MaxAttachment),
		Attachments:  cmp.Or(l.Attachments, defaultAttachments),
	}
}

// The bounds of texts that are taken from a request, in bytes.
const (
	maxClient      = 256
	maxEnvironment = 64
	maxRelease     = 200
	maxErrorHeader = 200
	maxFilename    = 255
	maxContentType = 100
	maxReason      = 40
	maxCauses      = 10
)

// maxWindow bounds the memory that a zstd body can make its decoder hold: every
// encoder's ordinary levels stay within it.
const maxWindow = 8 << 20

// maxQuantity bounds what one item may add to a count: the number comes from the
// client.
const maxQuantity = 1_000_000
