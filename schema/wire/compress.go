package wire

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Codec compresses and decompresses bodies. It is safe for concurrent use and
// holds the buffers that make it cheap; a program makes one.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// MaxBody bounds what a body may decompress to: no message made by an edge is
// larger, so more than this is damage or malice.
const MaxBody = 16 << 20

// NewCodec returns a codec.
func NewCodec() *Codec {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic("wire: zstd encoder options: " + err.Error()) // constant options
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxBody), zstd.WithDecodeAllCapLimit(false))
	if err != nil {
		panic("wire: zstd decoder options: " + err.Error())
	}
	return &Codec{enc: enc, dec: dec}
}

// Compress returns the body to put into a message and its encoding.
func (c *Codec) Compress(plain []byte) ([]byte, Encoding) {
	return c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/2+64)), EncodingZstd
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
	case EncodingZstd:
		plain, err := c.dec.DecodeAll(body, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: zstd: %v", ErrCorrupt, err)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("%w: encoding %d", ErrVersion, enc)
}
