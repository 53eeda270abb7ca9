package edge

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// body reads a request's body: capped as sent, decompressed, and capped again. It is
// used for one request after the other, since decompressors are dear to make and
// cheap to reset. Errors of Read, beside io.EOF, are errTooLarge, errEncoding and
// errClientGone, and stick.
type body struct {
	sent   capped
	peek   *bufio.Reader // over sent
	nested *bufio.Reader // over base64 in peek
	plain  capped        // over the decompressor
	coding coding
	err    error

	gzip    *gzip.Reader
	zlib    io.ReadCloser
	deflate io.ReadCloser
	brotli  *brotli.Reader
	zstd    *zstd.Decoder
}

// peekBuffer is the size of the buffers in front of the decompressors.
const peekBuffer = 4 << 10

func newBody() *body {
	b := &body{}
	b.peek = bufio.NewReaderSize(&b.sent, peekBuffer)
	return b
}

// open begins with a request's body, at most sent bytes long and at most decoded
// bytes after decompression. Its errors are those of Read.
func (b *body) open(r *http.Request, sent, decoded int64) error {
	b.sent = capped{src: r.Body, left: sent, limit: sent, what: "as sent"}
	b.plain = capped{left: decoded, limit: decoded, what: "decompressed"}
	b.peek.Reset(&b.sent)
	b.err = nil
	if r.ContentLength > sent {
		b.err = b.sent.tooLarge()
		return b.err
	}
	head, _ := b.peek.Peek(headLen) // a failing source fails again when it is read
	return b.decompress(b.peek, detect(r.Header.Get("Content-Encoding"), head))
}

// unwrapBase64 makes Read give what is in the base64 that old clients wrap around
// their zlib. It is for bodies that open found to be neither compressed nor JSON,
// and does nothing to others.
func (b *body) unwrapBase64() error {
	head, _ := b.peek.Peek(headLen)
	if b.coding != codingIdentity || !isBase64(head) {
		return nil
	}
	decoder := base64.NewDecoder(base64.StdEncoding, b.peek)
	if b.nested == nil {
		b.nested = bufio.NewReaderSize(decoder, peekBuffer)
	} else {
		b.nested.Reset(decoder)
	}
	head, err := b.nested.Peek(headLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return b.fail(fmt.Errorf("base64: %w", err))
	}
	return b.decompress(b.nested, detect("", head))
}

// decompress puts the decompressor of c over src.
func (b *body) decompress(src *bufio.Reader, c coding) (err error) {
	b.coding = c
	switch c {
	case codingGzip:
		if b.gzip == nil {
			b.gzip = new(gzip.Reader)
		}
		err = b.gzip.Reset(src)
		b.plain.src = b.gzip
	case codingZlib:
		if b.zlib == nil {
			b.zlib, err = zlib.NewReader(src)
		} else {
			err = b.zlib.(zlib.Resetter).Reset(src, nil)
		}
		b.plain.src = b.zlib
	case codingDeflate:
		if b.deflate == nil {
			b.deflate = flate.NewReader(src)
		} else {
			err = b.deflate.(flate.Resetter).Reset(src, nil)
		}
		b.plain.src = b.deflate
	case codingBrotli:
		if b.brotli == nil {
			b.brotli = brotli.NewReader(src)
		} else {
			err = b.brotli.Reset(src)
		}
		b.plain.src = b.brotli
	case codingZstd:
		if b.zstd == nil {
			// With one goroutine, its own, a decoder can be dropped unclosed.
			b.zstd, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		} else {
			err = b.zstd.Reset(src)
		}
		b.plain.src = b.zstd
	default:
		b.plain.src = src
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // cut off in the stream's own header
	}
	if err != nil {
		return b.fail(err)
	}
	return nil
}

// Read reads the body, decompressed.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.plain.Read(p)
	if err != nil {
		return n, b.fail(err)
	}
	return n, nil
}

// fail records why nothing more can be read. What went wrong below a decompressor is
// the cause, whatever the decompressor made of it.
func (b *body) fail(err error) error {
	refusedByServer := (*http.MaxBytesError)(nil)
	switch {
	case errors.Is(err, io.EOF):
		b.err = io.EOF
	case errors.Is(b.sent.err, errTooLarge):
		b.err = b.sent.err
	case errors.As(b.sent.err, &refusedByServer):
		b.err = fmt.Errorf("%w: at most %d bytes are accepted as sent", errTooLarge, refusedByServer.Limit)
	case b.sent.err != nil:
		b.err = fmt.Errorf("%w: %w", errClientGone, b.sent.err)
	case errors.Is(err, errTooLarge):
		b.err = err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		b.err = fmt.Errorf("%w: its zstd window is over %d bytes", errTooLarge, maxWindow)
	default:
		b.err = fmt.Errorf("%w: %s: %w", errEncoding, b.coding, err)
	}
	return b.err
}

// close lets go of the request.
func (b *body) close() {
	b.sent.src, b.plain.src = http.NoBody, http.NoBody
	b.peek.Reset(&b.sent)
	if b.zstd != nil {
		_ = b.zstd.Reset(nil) // gives up its window
	}
}

// capped reads at most limit bytes of src and remembers what stopped it.
type capped struct {
	src   io.Reader
	left  int64
	limit int64
	what  string
	err   error // other than io.EOF
}

func (c *capped) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1] // one more, to tell the end from the limit
	}
	n, err := c.src.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		c.err = c.tooLarge()
		return 0, c.err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

func (c *capped) tooLarge() error {
	return fmt.Errorf("%w: at most %d bytes are accepted %s", errTooLarge, c.limit, c.what)
}
