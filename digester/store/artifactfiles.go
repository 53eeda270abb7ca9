package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

const (
	// artifactPart is how long a part of a file is, plain. Constant: it says which parts
	// a file has. The checker knows it too.
	artifactPart = 1 << 20

	// writtenParts is how many parts of a large file one transaction writes, and
	// removedParts how many it removes.
	writtenParts = 4
	removedParts = 16
)

// NewFile is a file to be added to a bundle.
type NewFile struct {
	ArtifactFile                   // of which ID is set if its content is stored already, by StoreArtifact
	Sum          [sha256.Size]byte // of the content
	Part         Part              // the content, if ID is not set: at most ChunkSize, plain
}

// StoreArtifact stores a large content once, in short transactions: one that is there
// already is not read. It returns the id of its row, which has to be used within the
// hour: content that no bundle has goes. ErrNoRoom if files take up too much.
func (d *DB) StoreArtifact(ctx context.Context, sum [sha256.Size]byte, size int64, content io.Reader) (id int64, err error) {
	there := false
	if err := d.Write(ctx, "begin an artifact", func(tx *Tx) (err error) {
		if id, err = tx.findContent(sum); err != nil || id != 0 {
			there = id != 0
			return err
		}
		id, err = tx.insertContent(sum, size, false)
		return err
	}); err != nil || there {
		return id, err
	}
	for part := int64(0); part*artifactPart < size; part += writtenParts {
		parts, err := d.readParts(content, min(size-part*artifactPart, writtenParts*artifactPart))
		if err != nil {
			return 0, err
		}
		if err := d.Write(ctx, "store an artifact", func(tx *Tx) error { return tx.addParts(id, part, parts, d.artifactBytes) }); err != nil {
			return 0, err
		}
	}
	err = d.Write(ctx, "finish an artifact", func(tx *Tx) error {
		other, err := tx.findContent(sum) // somebody else was faster; ours goes
		if err != nil || other != 0 {
			id = other
			return err
		}
		return someChanged(tx.exec(`UPDATE artifact_files SET complete = 1, touched_at = ? WHERE id = ?`, ms(tx.now), id))
	})
	return id, err
}

// readParts reads n bytes of a content as parts.
func (d *DB) readParts(content io.Reader, n int64) ([]Part, error) {
	var parts []Part
	for ; n > 0; n -= artifactPart {
		plain := make([]byte, min(n, artifactPart))
		if _, err := io.ReadFull(content, plain); err != nil {
			return nil, err
		}
		parts = append(parts, d.NewPart(plain))
	}
	return parts, nil
}

// contentBySum finds the row that has a content.
const contentBySum = `SELECT id FROM artifact_files WHERE sha256 = ? AND complete = 1`

// findContent returns the row that has a content, 0 if there is none.
func (tx *Tx) findContent(sum [sha256.Size]byte) (int64, error) {
	id, err := tx.oneID(contentBySum, sum[:])
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err == nil {
		_, err = tx.exec(`UPDATE artifact_files SET touched_at = ? WHERE id = ? AND refs = 0`, ms(tx.now), id)
	}
	return id, err
}

func (tx *Tx) insertContent(sum [sha256.Size]byte, size int64, complete bool) (int64, error) {
	return tx.insert(`INSERT INTO artifact_files (sha256, size, complete, touched_at) VALUES (?, ?, ?, ?)`, sum[:], size, complete, ms(tx.now))
}

// addParts adds parts of a file from the first-th on.
func (tx *Tx) addParts(id, first int64, parts []Part, limit int64) error {
	var bytes int64
	for n, p := range parts {
		bytes += int64(len(p.Body))
		if _, err := tx.exec(`INSERT INTO artifact_parts (file_id, part, encoding, body) VALUES (?, ?, ?, ?)`,
			id, first+int64(n), int64(p.Encoding), p.Body); err != nil {
			return err
		}
	}
	if err := someChanged(tx.exec(`UPDATE artifact_files SET bytes = bytes + ?, touched_at = ? WHERE id = ?`, bytes, ms(tx.now), id)); err != nil {
		return err
	}
	// A quarter more until others have gone.
	n, err := tx.exec(`UPDATE artifact_totals SET file_bytes = file_bytes + ? WHERE id = 1 AND file_bytes + ? <= ?`, bytes, bytes, limit+limit/4)
	if err == nil && n == 0 {
		return fmt.Errorf("%w: all artifacts together may take up %d bytes", ErrNoRoom, limit)
	}
	return err
}

// AddBundleFiles adds files to a bundle that is being assembled, from its first-th on.
// ErrNotFound if it was removed meanwhile, or a content that StoreArtifact stored;
// ErrNoRoom as there.
func (d *DB) AddBundleFiles(ctx context.Context, bundle int64, first int, files []NewFile) error {
	return d.Write(ctx, "add files to a bundle", func(tx *Tx) error {
		if err := tx.assembling(bundle); err != nil {
			return err
		}
		for n, f := range files {
			if err := tx.addBundleFile(bundle, int64(first+n), f, d.artifactBytes); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *Tx) addBundleFile(bundle, n int64, f NewFile, limit int64) (err error) {
	id := f.ID
	if id == 0 {
		if id, err = tx.findContent(f.Sum); err != nil {
			return err
		}
	}
	if id == 0 {
		if id, err = tx.insertContent(f.Sum, f.Size, true); err != nil {
			return err
		}
		if f.Size > 0 {
			if err := tx.addParts(id, 0, []Part{f.Part}, limit); err != nil {
				return err
			}
		}
	}
	if err := someChanged(tx.exec(`UPDATE artifact_files SET refs = refs + 1 WHERE id = ? AND complete = 1`, id)); err != nil {
		return err
	}
	_, err = tx.exec(`
		INSERT INTO bundle_files (bundle_id, n, path, url, type, debug_id, source_map, file_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		bundle, n, f.Path, f.URL, string(f.Type), f.DebugID, f.SourceMap, id)
	return err
}
