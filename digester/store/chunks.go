package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sundew/schema/wire"
)

const (
	// ChunkSize is how large the chunks of an upload are to be.
	ChunkSize = artifactPart

	// MaxChunk is how large one may be: of a tool that has its own idea of the size, and
	// what libSQL servers take as a value with room to spare.
	MaxChunk = 2 << 20
)

const (
	// chunkKept is for how long a chunk is kept that nothing is assembled of, so that an
	// upload that broke off goes on where it was.
	chunkKept = 24 * time.Hour

	// spentKept is that of one of which something was assembled: somebody else may just
	// have been told that it is here.
	spentKept = 10 * time.Minute

	// removedChunks is how many go in one transaction.
	removedChunks = 50
)

// ErrNoRoom says that something cannot be stored because it takes up more than it may.
var ErrNoRoom = errors.New("there is no room for it")

// Part is a piece of a content, compressed if that helps.
type Part struct {
	Encoding wire.Encoding
	Body     []byte
}

// NewPart compresses a piece of at most MaxChunk. Nobody may change it afterwards.
func (d *DB) NewPart(plain []byte) Part {
	if body, encoding := d.codec.Compress(plain); len(body) < len(plain) {
		return Part{Encoding: encoding, Body: body}
	}
	return Part{Encoding: wire.EncodingIdentity, Body: plain}
}

// StoreChunk stores a chunk of an upload. sum is the chunk's sha1 in hex, which the
// caller computed. ErrNoRoom if there are too many already.
func (d *DB) StoreChunk(ctx context.Context, sum string, plain []byte) error {
	if len(plain) > MaxChunk {
		return fmt.Errorf("%w chunk of %d bytes: at most %d", ErrInvalid, len(plain), MaxChunk)
	}
	part := d.NewPart(plain)
	return d.Write(ctx, "store a chunk", func(tx *Tx) error { return tx.storeChunk(sum, int64(len(plain)), part, d.artifactBytes) })
}

func (tx *Tx) storeChunk(sum string, size int64, part Part, limit int64) error {
	n, err := tx.exec(`UPDATE chunks SET wanted_at = ?, spent = 0 WHERE sha1 = ?`, ms(tx.now), sum)
	if err != nil || n > 0 {
		return err
	}
	bytes := int64(len(part.Body))
	n, err = tx.exec(`UPDATE artifact_totals SET chunk_bytes = chunk_bytes + ? WHERE id = 1 AND chunk_bytes + ? <= ?`, bytes, bytes, limit)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%w: uploads that are not finished take up %d bytes already", ErrNoRoom, limit)
	}
	_, err = tx.exec(`INSERT INTO chunks (sha1, size, encoding, body, wanted_at, spent) VALUES (?, ?, ?, ?, ?, 0)`,
		sum, size, int64(part.Encoding), part.Body, ms(tx.now))
	return err
}

// Chunk returns a chunk's content, ErrNotFound if it is not there.
func (rx *Rx) Chunk(sum string) ([]byte, error) {
	var encoding wire.Encoding
	var body []byte
	err := rx.q.QueryRowContext(rx.ctx, `SELECT encoding, body FROM chunks WHERE sha1 = ?`, sum).Scan(&encoding, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return rx.codec.Decompress(body, encoding)
}

// MissingChunks returns which of some chunks are not there, in their order, each once.
func (rx *Rx) MissingChunks(sums []string) ([]string, error) {
	if len(sums) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(sums)
	if err != nil {
		return nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT j.value FROM json_each(?) j WHERE NOT EXISTS (SELECT 1 FROM chunks c WHERE c.sha1 = j.value) GROUP BY j.value ORDER BY min(j.key)`,
		string(list))
	return collect(rows, err, func(s *string) []any { return []any{s} })
}

// wantChunks notes that chunks are waited for.
func (tx *Tx) wantChunks(sums []string) error {
	if len(sums) == 0 {
		return nil
	}
	list, err := json.Marshal(sums)
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE chunks SET wanted_at = ?, spent = 0 WHERE sha1 IN (SELECT value FROM json_each(?))`, ms(tx.now), string(list))
	return err
}

// unwantedChunks finds chunks that nothing is being assembled of, and that nobody has
// asked for of late.
const unwantedChunks = `
	SELECT sha1 FROM chunks c WHERE (spent = 1 AND wanted_at < ?1 OR spent = 0 AND wanted_at < ?2)
	  AND NOT EXISTS (SELECT 1 FROM bundle_chunks b WHERE b.sha1 = c.sha1) LIMIT ?3`

func (rx *Rx) oldChunks(now time.Time, limit int) ([]string, error) {
	rows, err := rx.q.QueryContext(rx.ctx, unwantedChunks, ms(now.Add(-spentKept)), ms(now.Add(-chunkKept)), limit)
	return collect(rows, err, func(s *string) []any { return []any{s} })
}

// removeOldChunks removes some chunks that nobody wants any more, and reports whether
// there were any.
func (tx *Tx) removeOldChunks() (bool, error) {
	sums, err := tx.oldChunks(tx.now, removedChunks)
	if err != nil || len(sums) == 0 {
		return false, err
	}
	list, err := json.Marshal(sums)
	if err != nil {
		return false, err
	}
	const these = `sha1 IN (SELECT value FROM json_each(?))`
	if _, err := tx.exec(`
		UPDATE artifact_totals SET chunk_bytes = chunk_bytes - (SELECT coalesce(sum(length(body)), 0) FROM chunks WHERE `+these+`)`, string(list)); err != nil {
		return false, err
	}
	_, err = tx.exec(`DELETE FROM chunks WHERE `+these, string(list))
	return err == nil, err
}
