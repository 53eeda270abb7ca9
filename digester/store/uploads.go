package store

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sundew/schema/event"
)

const (
	// failureStands is for how long a failed upload is not tried again: a tool that
	// waits asks once a second, and is to be told.
	failureStands = time.Minute

	// MaxUpload is how large an upload may be, in bytes as uploaded.
	MaxUpload = 1 << 30
)

// Upload is what a tool asks to be assembled for a project.
type Upload struct {
	Project      event.ProjectID
	Kind         BundleKind
	Checksum     string // sha1 of all chunks together, in hex
	Name         string
	Release      string
	Dist         string
	DebugID      string
	MapReference string
	Chunks       []string // their sha1, in order
}

// identity is a hash of all that makes two uploads the same.
func (u Upload) identity() string {
	h := sha1.New()
	fmt.Fprintf(h, "%d %q %q %q", u.Kind, u.Checksum, u.Release, u.Dist)
	if u.Kind == BundleReleaseFile {
		fmt.Fprintf(h, " %q", u.Name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// FindUpload returns what became of an upload, ErrNotFound if it was not asked for, or
// failed a while ago: then BeginUpload tries again.
func (rx *Rx) FindUpload(u Upload, now time.Time) (Bundle, error) {
	b, err := one(rx.bundles(`WHERE project_id = ? AND identity = ? AND state <> 3`, int64(u.Project), u.identity()))
	if err == nil && b.State == BundleFailed && b.SettledAt.Before(now.Add(-failureStands)) {
		return b, ErrNotFound
	}
	return b, err
}

// BeginUpload asks for an upload to be assembled. It returns what FindUpload does where
// there is something; else which chunks are missing, or, if none is, the new bundle,
// which somebody has to assemble then (Rx.NextAssembly).
func (tx *Tx) BeginUpload(u Upload) (b Bundle, missing []string, err error) {
	b, err = tx.FindUpload(u, tx.now)
	if err == nil && b.State != BundleFailed {
		return b, nil, tx.NoteBundleUses([]int64{b.ID})
	}
	if !errors.Is(err, ErrNotFound) {
		return b, nil, err
	}
	if missing, err = tx.MissingChunks(u.Chunks); err != nil {
		return Bundle{}, nil, err
	}
	if err := tx.wantChunks(u.Chunks); err != nil || len(missing) > 0 {
		return Bundle{}, missing, err
	}
	id := b.ID // of what failed
	if id != 0 {
		_, err = tx.exec(`UPDATE artifact_bundles SET state = 0, detail = '', settled_at = NULL WHERE id = ?`, id)
	} else {
		id, err = tx.insertBundle(u)
	}
	if err != nil {
		return Bundle{}, nil, err
	}
	if _, err := tx.exec(`INSERT INTO bundle_chunks (bundle_id, n, sha1) SELECT ?, key, value FROM json_each(?)`, id, jsonOf(u.Chunks)); err != nil {
		return Bundle{}, nil, err
	}
	b, err = tx.Bundle(u.Project, id)
	return b, nil, err
}

// insertBundle makes the row of an upload. NOT NULL catches a project that is not there,
// or deleted.
func (tx *Tx) insertBundle(u Upload) (int64, error) {
	id, err := tx.insert(`
		INSERT INTO artifact_bundles (project_id, kind, identity, checksum, name, map_reference, release, dist, debug_id, state, detail, created_at, used_at)
		VALUES ((SELECT id FROM projects WHERE id = ? AND deleted_at IS NULL), ?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?)`,
		int64(u.Project), int64(u.Kind), u.identity(), u.Checksum, u.Name, u.MapReference, u.Release, u.Dist, u.DebugID, ms(tx.now), ms(tx.now.Truncate(24*time.Hour)))
	if KindOf(err) == KindConstraint {
		return 0, fmt.Errorf("%w: project %d", ErrNotFound, u.Project)
	}
	return id, err
}

// NextAssembly returns the oldest upload that is to be assembled, with its chunks in
// order, ErrNotFound if there is none.
func (rx *Rx) NextAssembly() (Bundle, []string, error) {
	b, err := one(rx.bundles(`WHERE state = 0 AND state IN (0, 3) ORDER BY id LIMIT 1`))
	if err != nil {
		return b, nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT sha1 FROM bundle_chunks WHERE bundle_id = ? ORDER BY n`, b.ID)
	sums, err := collect(rows, err, func(s *string) []any { return []any{s} })
	return b, sums, err
}

// Assembled is what assembling a bundle found out about it.
type Assembled struct {
	Dist    string // as the manifest has it, for uploads that name none
	DebugID string // likewise
	Symbols string // of a debug file
	CPU     string
	Detail  string // what was left out, for people
}

// PublishBundle makes an assembled bundle visible with all its files. ErrNotFound if it
// was removed meanwhile.
func (tx *Tx) PublishBundle(id int64, a Assembled) error {
	if err := tx.settle(id); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE artifact_totals SET published = published + 1 WHERE id = 1`); err != nil {
		return err
	}
	if _, err := tx.exec(`
		UPDATE artifact_bundles SET state = 1, settled_at = ?2, detail = ?3, symbols = ?4, cpu = ?5,
		  dist = CASE dist WHEN '' THEN ?6 ELSE dist END, debug_id = CASE debug_id WHEN '' THEN ?7 ELSE debug_id END,
		  published = (SELECT published FROM artifact_totals WHERE id = 1), files = s.files, size = s.size, bytes = s.bytes
		FROM (SELECT count(*) AS files, coalesce(sum(c.size), 0) AS size, coalesce(sum(c.bytes), 0) AS bytes
		      FROM bundle_files f JOIN artifact_files c ON c.id = f.file_id WHERE f.bundle_id = ?1) s
		WHERE id = ?1`, id, ms(tx.now), a.Detail, a.Symbols, a.CPU, a.Dist, a.DebugID); err != nil {
		return err
	}
	_, err := tx.exec(`
		UPDATE projects SET artifact_bytes = artifact_bytes + (SELECT bytes FROM artifact_bundles WHERE id = ?1)
		WHERE id = (SELECT project_id FROM artifact_bundles WHERE id = ?1)`, id)
	return err
}

// FailBundle notes why a bundle cannot be assembled. ErrNotFound if it was removed
// meanwhile.
func (tx *Tx) FailBundle(id int64, detail string) error {
	if err := tx.settle(id); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE artifact_bundles SET state = 2, settled_at = ?, detail = ? WHERE id = ?`, ms(tx.now), detail, id)
	return err
}

// settle ends that a bundle's chunks are needed.
func (tx *Tx) settle(id int64) error {
	if err := tx.assembling(id); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE chunks SET spent = 1, wanted_at = ? WHERE sha1 IN (SELECT sha1 FROM bundle_chunks WHERE bundle_id = ?)`, ms(tx.now), id); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM bundle_chunks WHERE bundle_id = ?`, id)
	return err
}

// assembling returns ErrNotFound if a bundle is not being assembled any more.
func (tx *Tx) assembling(id int64) error {
	var state BundleState
	rows, err := tx.q.QueryContext(tx.ctx, `SELECT state FROM artifact_bundles WHERE id = ?`, id)
	state, err = one(collect(rows, err, func(s *BundleState) []any { return []any{s} }))
	if err == nil && state != BundleAssembling {
		return ErrNotFound
	}
	return err
}
