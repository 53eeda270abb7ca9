package store

import (
	"errors"
	"time"

	"sundew/schema/event"
)

const (
	// unusedKept is for how long a content is kept that no bundle has: one that is being
	// assembled may have just found it.
	unusedKept = time.Hour

	// removedBundleFiles is how many files of a bundle go in one transaction.
	removedBundleFiles = 500
)

// RemoveBundle removes an upload from all lists and look-ups; its rows go in the
// background. ErrNotFound if the project has none with this id.
func (tx *Tx) RemoveBundle(project event.ProjectID, id int64) error {
	if _, err := tx.exec(`
		UPDATE projects SET artifact_bytes = artifact_bytes - coalesce((SELECT bytes FROM artifact_bundles WHERE id = ?1 AND project_id = ?2 AND state = 1), 0)
		WHERE id = ?2`, id, int64(project)); err != nil {
		return err
	}
	return someChanged(tx.exec(`UPDATE artifact_bundles SET state = 3, published = NULL WHERE id = ? AND project_id = ? AND state <> 3`, id, int64(project)))
}

// ForgetAttempt removes files that an assembly left which was broken off, some at a
// time. It reports whether there were any.
func (tx *Tx) ForgetAttempt(bundle int64) (bool, error) {
	if err := tx.assembling(bundle); err != nil {
		return false, err
	}
	return tx.removeBundleFiles(bundle)
}

// removeBundleFiles removes some files of a bundle and reports whether there were any.
// Their contents stay for whoever else has them, or for removeUnused.
func (tx *Tx) removeBundleFiles(bundle int64) (bool, error) {
	const these = `(SELECT n FROM bundle_files WHERE bundle_id = ?1 ORDER BY n LIMIT ?2)`
	if _, err := tx.exec(`
		UPDATE artifact_files SET refs = refs - gone.n FROM (
		  SELECT file_id AS f, count(*) AS n FROM bundle_files WHERE bundle_id = ?1 AND n IN `+these+` GROUP BY 1) gone
		WHERE id = gone.f`, bundle, removedBundleFiles); err != nil {
		return false, err
	}
	n, err := tx.exec(`DELETE FROM bundle_files WHERE bundle_id = ?1 AND n IN `+these, bundle, removedBundleFiles)
	return n > 0, err
}

// ArtifactPolicy says what of artifacts goes.
type ArtifactPolicy struct {
	Bytes  int64         // that files may take up together; beyond it uploads go, see surplusBundle
	Unused time.Duration // after which an upload goes that helped to read no stack; 0: never
}

// ArtifactsDue reports whether TidyArtifacts has something to do.
func (rx *Rx) ArtifactsDue(p ArtifactPolicy, now time.Time) (bool, error) {
	for _, due := range []func() (int64, error){
		rx.removedBundle,
		func() (int64, error) { return rx.unusedFile(now) },
		func() (int64, error) { return rx.surplusBundle(p, now) },
	} {
		if _, err := due(); !errors.Is(err, ErrNotFound) {
			return err == nil, err
		}
	}
	sums, err := rx.oldChunks(now, 1)
	return len(sums) > 0, err
}

// TidyArtifacts takes the next step, in a short transaction, of removing what is too old
// or too much, and the rows of what was removed. It reports whether there was something
// to do.
func (tx *Tx) TidyArtifacts(p ArtifactPolicy) (bool, error) {
	id, err := tx.removedBundle()
	if err == nil {
		return true, tx.removeBundleRows(id)
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if id, err = tx.unusedFile(tx.now); err == nil {
		return true, tx.removeUnused(id)
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if id, err = tx.surplusBundle(p, tx.now); err == nil {
		b, err := one(tx.bundles(`WHERE id = ?`, id))
		if err != nil {
			return false, err
		}
		return true, tx.RemoveBundle(b.Project, id)
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	return tx.removeOldChunks()
}

// surplusBundle returns an upload that is too old, or, where there is too much, the least
// used of the project that takes up the most: nobody pushes out what others have who take
// less. ErrNotFound if there is none. What no upload has any more is on its way out and
// counts no longer.
func (rx *Rx) surplusBundle(p ArtifactPolicy, now time.Time) (int64, error) {
	if p.Unused > 0 {
		if id, err := rx.oneID(`SELECT id FROM artifact_bundles WHERE state IN (1, 2) AND used_at < ? ORDER BY used_at, id LIMIT 1`, ms(now.Add(-p.Unused))); !errors.Is(err, ErrNotFound) {
			return id, err
		}
	}
	var used int64
	if err := rx.q.QueryRowContext(rx.ctx, `
		SELECT file_bytes - coalesce((SELECT sum(bytes) FROM artifact_files WHERE refs = 0), 0) FROM artifact_totals WHERE id = 1`).Scan(&used); err != nil {
		return 0, err
	}
	if used <= p.Bytes {
		return 0, ErrNotFound
	}
	return rx.oneID(`
		SELECT id FROM artifact_bundles WHERE state IN (1, 2) AND project_id = (
		  SELECT p.id FROM projects p WHERE EXISTS (SELECT 1 FROM artifact_bundles b WHERE b.project_id = p.id AND b.state IN (1, 2))
		  ORDER BY p.artifact_bytes DESC, p.id LIMIT 1)
		ORDER BY used_at, id LIMIT 1`)
}

func (rx *Rx) removedBundle() (int64, error) {
	return rx.oneID(`SELECT id FROM artifact_bundles WHERE state = 3 AND state IN (0, 3) ORDER BY id LIMIT 1`)
}

func (rx *Rx) unusedFile(now time.Time) (int64, error) {
	return rx.oneID(`SELECT id FROM artifact_files WHERE refs = 0 AND touched_at < ? ORDER BY touched_at LIMIT 1`, ms(now.Add(-unusedKept)))
}

// oneID returns the id that a query finds, ErrNotFound if it finds none.
func (rx *Rx) oneID(query string, args ...any) (int64, error) {
	rows, err := rx.q.QueryContext(rx.ctx, query, args...)
	return one(collect(rows, err, func(id *int64) []any { return []any{id} }))
}

// removeBundleRows removes some rows of a bundle that was removed, at last its own.
func (tx *Tx) removeBundleRows(id int64) error {
	if more, err := tx.removeBundleFiles(id); err != nil || more {
		return err
	}
	if _, err := tx.exec(`DELETE FROM bundle_chunks WHERE bundle_id = ?`, id); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM artifact_bundles WHERE id = ? AND state = 3`, id)
	return err
}

// removeUnused removes some parts of a content, at last its row. From the first on
// nobody finds it.
func (tx *Tx) removeUnused(id int64) error {
	if _, err := tx.exec(`UPDATE artifact_files SET complete = 0 WHERE id = ?`, id); err != nil {
		return err
	}
	const these = `file_id = ?1 AND part IN (SELECT part FROM artifact_parts WHERE file_id = ?1 ORDER BY part LIMIT ?2)`
	var bytes, parts int64
	if err := tx.q.QueryRowContext(tx.ctx, `SELECT count(*), coalesce(sum(length(body)), 0) FROM artifact_parts WHERE `+these, id, removedParts).Scan(&parts, &bytes); err != nil {
		return err
	}
	if parts == 0 {
		_, err := tx.exec(`DELETE FROM artifact_files WHERE id = ?`, id)
		return err
	}
	if _, err := tx.exec(`DELETE FROM artifact_parts WHERE `+these, id, removedParts); err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE artifact_files SET bytes = bytes - ? WHERE id = ?`, bytes, id); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE artifact_totals SET file_bytes = file_bytes - ? WHERE id = 1`, bytes)
	return err
}

// removeProjectBundles removes some rows of a project's uploads and reports whether
// there were any.
func (tx *Tx) removeProjectBundles(project event.ProjectID) (bool, error) {
	id, err := tx.oneID(`SELECT id FROM artifact_bundles WHERE project_id = ? LIMIT 1`, int64(project))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := tx.RemoveBundle(project, id); err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	return true, tx.removeBundleRows(id)
}
