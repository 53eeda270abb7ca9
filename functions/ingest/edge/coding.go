package edge

import (
	"bytes"
	"strings"
)

// coding is how a body is compressed.
type coding string

const (
	codingIdentity coding = "identity"
	codingGzip     coding = "gzip"
	codingZlib     coding = "zlib"
	codingDeflate  coding = "raw deflate"
	codingBrotli   coding = "brotli"
	codingZstd     coding = "zstd"
	codingUnknown  coding = ""
)

// headLen is how many bytes detect wants to see.
const headLen = 16

// detect decides how a body is compressed by its Content-Encoding and its first
// bytes. Where the two disagree the bytes are right: proxies decompress and leave
// the header, or lose the header, and the event behind it is whole.
func detect(contentEncoding string, head []byte) coding {
	seen := sniff(head)
	switch strings.ToLower(strings.TrimSpace(contentEncoding)) {
	case "br":
		// Brotli has no magic bytes and may well begin like zlib or with a "[":
		// a stream of 64 KiB or more often does. It begins with a "{" only when
		// nothing is in it.
		if seen == codingGzip || seen == codingZstd || len(head) > 0 && head[0] == '{' {
			return seen
		}
		return codingBrotli
	case "gzip", "x-gzip":
		return orElse(seen, codingGzip)
	case "deflate":
		return orElse(seen, codingDeflate)
	case "zstd":
		return orElse(seen, codingZstd)
	}
	return orElse(seen, codingIdentity)
}

func orElse(seen, otherwise coding) coding {
	if seen == codingUnknown {
		return otherwise
	}
	return seen
}

// sniff recognises a coding, or JSON as it is, by a body's first bytes.
func sniff(head []byte) coding {
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
		return codingGzip
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return codingZstd
	case len(head) >= 2 && head[0]&0x0f == 8 && head[0]>>4 <= 7 && (int(head[0])<<8|int(head[1]))%31 == 0:
		return codingZlib
	case len(head) == 0, len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return codingIdentity
	}
	return codingUnknown
}

// isBase64 reports whether a body begins like base64 and not like JSON.
func isBase64(head []byte) bool {
	for _, c := range head {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/', c == '=', c == '\r', c == '\n':
		default:
			return false
		}
	}
	return len(head) > 0
}
