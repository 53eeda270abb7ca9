package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// claimMark is the first byte of an encoded Claim, where a message has its
// version.
const claimMark = 0xC1

// MaxClaimName bounds a bucket's name and an object's key, in bytes; S3 allows 63
// and 1024.
const MaxClaimName = 1024

// Claim stands in a queue for a message that is too large for it: the encoded
// message lies in object storage.
type Claim struct {
	Bucket string            // its name
	Key    string            // of the object
	Size   uint64            // of the object, in bytes
	SHA256 [sha256.Size]byte // of the object
}

// ClaimOf returns the claim to an encoded message that is stored as an object.
func ClaimOf(bucket, key string, encoded []byte) Claim {
	return Claim{Bucket: bucket, Key: key, Size: uint64(len(encoded)), SHA256: sha256.Sum256(encoded)}
}

// Encode appends the claim to dst.
func (c Claim) Encode(dst []byte) []byte {
	dst = append(dst, claimMark)
	dst = binary.BigEndian.AppendUint64(dst, c.Size)
	dst = append(dst, c.SHA256[:]...)
	for _, s := range [...]string{c.Bucket, c.Key} {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// IsClaim reports whether an encoded body is a claim rather than a message.
func IsClaim(b []byte) bool { return len(b) > 0 && b[0] == claimMark }

// DecodeClaim reads what Claim.Encode wrote; its error is ErrCorrupt.
func DecodeClaim(b []byte) (Claim, error) {
	const fixed = 1 + 8 + sha256.Size
	if !IsClaim(b) || len(b) < fixed {
		return Claim{}, fmt.Errorf("%w: not a claim", ErrCorrupt)
	}
	c := Claim{Size: binary.BigEndian.Uint64(b[1:])}
	copy(c.SHA256[:], b[9:])
	rest := b[fixed:]
	for _, s := range []*string{&c.Bucket, &c.Key} {
		n, used := binary.Uvarint(rest)
		if used <= 0 || n > MaxClaimName || n > uint64(len(rest)-used) {
			return Claim{}, fmt.Errorf("%w: a claim's name runs over its end", ErrCorrupt)
		}
		*s, rest = string(rest[used:used+int(n)]), rest[used+int(n):]
	}
	if len(rest) > 0 || c.Bucket == "" || c.Key == "" || strings.ContainsRune(c.Bucket, '/') {
		return Claim{}, fmt.Errorf("%w: a claim names no object", ErrCorrupt)
	}
	return c, nil
}

// Verify returns ErrCorrupt unless object is what the claim was made for.
func (c Claim) Verify(object []byte) error {
	if uint64(len(object)) != c.Size || sha256.Sum256(object) != c.SHA256 {
		return fmt.Errorf("%w: the object of %d bytes is not the one that was claimed", ErrCorrupt, len(object))
	}
	return nil
}

// Text returns an encoded message or claim as the text that SQS carries: it takes
// nothing but characters that XML allows, so no raw bytes.
func Text(encoded []byte) string { return base64.StdEncoding.EncodeToString(encoded) }

// TextLen returns the length of Text for n encoded bytes.
func TextLen(n int) int { return base64.StdEncoding.EncodedLen(n) }

// FromText is the inverse of Text; its error is ErrCorrupt.
func FromText(text string) ([]byte, error) {
	encoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrCorrupt)
	}
	return encoded, nil
}
