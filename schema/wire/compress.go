package wire

import (
	_ "embed" // for the dictionary
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// dictionary1 belongs to EncodingZstdDict1. Bodies in databases and queues
// cannot be read without it, so not a byte of it may ever change: a better
// dictionary gets a file and an encoding of its own. How it was made:
// infra/dictionary.
//
//go:embed dictionary-1.zdict
var dictionary1 string

// Codec compresses and decompresses bodies. It is safe for concurrent use and
// holds the buffers that make it cheap; a program makes one. Compressing takes
// 1.4 MB for each processor that does it, from the first use on.
type Codec struct {
	// Of *zstd.Encoder, each for one user at a time. An encoder of its own would
	// hand its tables round robin to whoever comes, half a megabyte each that is
	// then in some other processor's cache: twice the time.
	encoders sync.Pool
	dec      *zstd.Decoder
}

// MaxBody bounds what a body may decompress to: no message made by an edge is
// larger, so more than this is damage or malice.
const MaxBody = 16 << 20

// window is how far back a body may refer. With a dictionary an encoder keeps as
// much memory; the usual 4 MB would make events above it 1 % smaller.
const window = 512 << 10

// NewCodec returns a codec.
func NewCodec() *Codec {
	dictionary := []byte(dictionary1)
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxBody),
		zstd.WithDecodeAllCapLimit(false), zstd.WithDecoderDicts(dictionary))
	if err != nil {
		panic("wire: zstd decoder options: " + err.Error()) // constant options
	}
	return &Codec{dec: dec, encoders: sync.Pool{New: func() any { return newEncoder(dictionary) }}}
}

func newEncoder(dictionary []byte) *zstd.Encoder {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(1), zstd.WithEncoderDict(dictionary), zstd.WithWindowSize(window))
	if err != nil {
		panic("wire: zstd encoder options: " + err.Error()) // constant options
	}
	return enc
}

// Compress returns the body to put into a message and its encoding. The
// dictionary is used whatever the size: no recorded event gets larger by it.
func (c *Codec) Compress(plain []byte) ([]byte, Encoding) {
	enc := c.encoders.Get().(*zstd.Encoder)
	defer c.encoders.Put(enc)
	return enc.EncodeAll(plain, make([]byte, 0, len(plain)/2+64)), EncodingZstdDict1
}

// Decompress returns the plain body. Its errors are ErrCorrupt, for an encoding
// this program does not know ErrVersion.
func (c *Codec) Decompress(body []byte, enc Encoding) ([]byte, error) {
	switch enc {
	case EncodingIdentity:
		if len(body) > MaxBody {
			return nil, fmt.Errorf("%w: body of %d bytes", ErrCorrupt, len(body))
		}
		return body, nil
	case EncodingZstd, EncodingZstdDict1: // a frame says itself which dictionary it needs
		plain, err := c.dec.DecodeAll(body, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: zstd: %v", ErrCorrupt, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("%w: encoding %d", ErrVersion, enc)
}
