package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sundew/digester/artifact"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// BundleKind is what was uploaded.
type BundleKind int

// The kinds of bundles.
const (
	BundleArtifacts   BundleKind = 0 // scripts and source maps together
	BundleReleaseFile BundleKind = 1 // one file of a release, as old tools upload them
	BundleDebugFile   BundleKind = 2 // one debug file: dSYM, ELF, PE, ProGuard …
)

// BundleState is how far an upload has come.
type BundleState int

// The states of a bundle. Only one that is ready is found by a look-up.
const (
	BundleAssembling BundleState = 0
	BundleReady      BundleState = 1
	BundleFailed     BundleState = 2
	BundleRemoved    BundleState = 3 // its rows are on their way out
)

// Bundle is an upload of one project.
type Bundle struct {
	ID           int64 // upload order
	Project      event.ProjectID
	Kind         BundleKind
	Checksum     string // sha1 in hex
	Name         string // of a debug file, or the URL of a release's file
	MapReference string // of a release's file: how the upload says its map is called
	Symbols      string // of a debug file: its kind, e.g. "elf"
	CPU          string // likewise, e.g. "x86_64"
	Release      string // empty: of none
	Dist         string
	DebugID      string // 32 hex digits or empty
	State        BundleState
	Detail       string // why it failed, or what of it was left out
	Size         int64  // of its files' contents
	Bytes        int64  // that its files take up
	Files        int64
	CreatedAt    time.Time
	SettledAt    time.Time // when it became ready or failed; zero: it is under way
	UsedAt       time.Time // to the day
	Published    int64     // in which order bundles became ready; 0: it is not
}

// ArtifactFile is a file of a bundle.
type ArtifactFile struct {
	ID        int64 // for Rx.ArtifactFile; bundles may share it
	Bundle    int64
	Path      string // in the bundle
	URL       string // as artifact.CleanURL has it; empty: none
	Type      artifact.Type
	DebugID   string
	SourceMap string // the URL of its map; empty: it names none
	Size      int64
}

// maxReleaseFiles bounds how many files of a release are listed.
const maxReleaseFiles = 5000

// maxBundlePage bounds a page of bundles, and of files.
const maxBundlePage = 200

// Bundles returns a project's uploads, either debug files or all else, with ids below before, the newest
// first, and whether there are more; before 0 starts at the newest. Those on their way
// out are left out.
func (rx *Rx) Bundles(project event.ProjectID, debugFiles bool, before int64, limit int) ([]Bundle, bool, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	limit = min(max(limit, 1), maxBundlePage)
	kinds := `kind <> 2`
	if debugFiles {
		kinds = `kind = 2`
	}
	all, err := rx.bundles(`WHERE project_id = ? AND `+kinds+` AND id < ? AND state <> 3 ORDER BY id DESC LIMIT ?`, int64(project), before, limit+1)
	if len(all) > limit {
		return all[:limit], true, err
	}
	return all, false, err
}

// ReleaseFiles returns the files of a release that were uploaded alone, the newest first.
func (rx *Rx) ReleaseFiles(project event.ProjectID, release string) ([]Bundle, error) {
	return rx.bundles(`WHERE project_id = ? AND release = ? AND kind = 1 AND state <> 3 ORDER BY id DESC LIMIT ?`, int64(project), release, maxReleaseFiles)
}

// Bundle returns one upload of a project, ErrNotFound if there is none.
func (rx *Rx) Bundle(project event.ProjectID, id int64) (Bundle, error) {
	return one(rx.bundles(`WHERE id = ? AND project_id = ? AND state <> 3`, id, int64(project)))
}

// NewBundles returns bundles of all projects that became ready after another one, by
// Bundle.Published, in this order and not all at once. Debug files are none.
func (rx *Rx) NewBundles(after int64) ([]Bundle, error) {
	return rx.bundles(`WHERE published > ? AND kind <> 2 AND state = 1 ORDER BY published LIMIT ?`, after, maxBundlePage)
}

func (rx *Rx) bundles(where string, args ...any) ([]Bundle, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT id, project_id, kind, checksum, name, map_reference, symbols, cpu, release, dist, debug_id, state, detail, size, bytes, files,
		       created_at, settled_at, used_at, coalesce(published, 0)
		FROM artifact_bundles `+where, args...)
	var created, settled, used sql.NullInt64
	return collectThen(rows, err, func(b *Bundle) []any {
		return []any{&b.ID, &b.Project, &b.Kind, &b.Checksum, &b.Name, &b.MapReference, &b.Symbols, &b.CPU, &b.Release, &b.Dist, &b.DebugID, &b.State, &b.Detail, &b.Size, &b.Bytes, &b.Files,
			&created, &settled, &used, &b.Published}
	}, func(b *Bundle) { b.CreatedAt, b.SettledAt, b.UsedAt = fromMS(created), fromMS(settled), fromMS(used) })
}

// BundleFiles returns the files of a bundle from the n-th on, in its order, and whether
// there are more.
func (rx *Rx) BundleFiles(bundle int64, from, limit int) ([]ArtifactFile, bool, error) {
	limit = min(max(limit, 1), maxBundlePage)
	all, err := rx.bundleFiles(fromFiles, `f.bundle_id = ? AND f.n >= ? ORDER BY f.n LIMIT ?`, bundle, from, limit+1)
	if len(all) > limit {
		return all[:limit], true, err
	}
	return all, false, err
}

// From which table a look-up of files starts. By itself SQLite would read all files of
// a bundle to find those with a URL.
const (
	fromFiles   = `bundle_files f CROSS JOIN artifact_bundles b ON b.id = f.bundle_id`
	fromBundles = `artifact_bundles b CROSS JOIN bundle_files f INDEXED BY bundle_files_by_url ON f.bundle_id = b.id`
)

// bundleFiles returns files of bundles that are ready.
func (rx *Rx) bundleFiles(from, where string, args ...any) ([]ArtifactFile, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT f.file_id, f.bundle_id, f.path, f.url, f.type, f.debug_id, f.source_map, c.size
		FROM `+from+` CROSS JOIN artifact_files c ON c.id = f.file_id WHERE b.state = 1 AND `+where, args...)
	return collect(rows, err, func(f *ArtifactFile) []any {
		return []any{&f.ID, &f.Bundle, &f.Path, &f.URL, &f.Type, &f.DebugID, &f.SourceMap, &f.Size}
	})
}

// ErrDamaged is wrapped by errors which say that what is stored cannot be what was: the
// database was read, and reading it again will not help.
var ErrDamaged = errors.New("what is stored is damaged")

// ArtifactFile returns a file's content by ArtifactFile.ID, ErrNotFound if it is gone,
// ErrDamaged if a part of it cannot be decompressed or is missing.
func (rx *Rx) ArtifactFile(id int64) ([]byte, error) {
	var size int64
	err := rx.q.QueryRowContext(rx.ctx, `SELECT size FROM artifact_files WHERE id = ? AND complete = 1`, id).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	content := make([]byte, 0, size)
	for part := int64(0); int64(len(content)) < size; part++ {
		plain, err := rx.artifactPart(id, part)
		if err != nil {
			return nil, err
		}
		content = append(content, plain...)
	}
	return content, nil
}

// artifactPart returns one part of a file, each alone since servers bound their answers.
func (rx *Rx) artifactPart(id, part int64) ([]byte, error) {
	var encoding wire.Encoding
	var body []byte
	err := rx.q.QueryRowContext(rx.ctx, `SELECT encoding, body FROM artifact_parts WHERE file_id = ? AND part = ?`, id, part).Scan(&encoding, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: artifact file %d has no part %d", ErrDamaged, id, part)
	}
	if err != nil {
		return nil, fmt.Errorf("part %d of artifact file %d: %w", part, id, err)
	}
	plain, err := rx.codec.Decompress(body, encoding)
	if err == nil && len(plain) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: part %d of artifact file %d: %w", ErrDamaged, part, id, err)
	}
	return plain, nil
}

// NoteBundleUses notes that bundles helped to read a stack, for those that are not used
// for long to go. It is noted to the day, so that most calls write nothing.
func (tx *Tx) NoteBundleUses(ids []int64) error {
	today := ms(tx.now.Truncate(24 * time.Hour))
	for _, id := range ids {
		if _, err := tx.exec(`UPDATE artifact_bundles SET used_at = ? WHERE id = ? AND used_at < ?`, today, id, today); err != nil {
			return err
		}
	}
	return nil
}

// ArtifactTotals is how much room artifacts take up.
type ArtifactTotals struct {
	FileBytes  int64 // of files, as stored
	ChunkBytes int64 // of chunks of uploads under way, or not long over
}

// ArtifactTotals returns it of the whole installation.
func (rx *Rx) ArtifactTotals() (ArtifactTotals, error) {
	var t ArtifactTotals
	err := rx.q.QueryRowContext(rx.ctx, `SELECT file_bytes, chunk_bytes FROM artifact_totals WHERE id = 1`).Scan(&t.FileBytes, &t.ChunkBytes)
	return t, err
}

// ProjectArtifactBytes returns what a project's bundles take up, each as if it was alone.
func (rx *Rx) ProjectArtifactBytes(project event.ProjectID) (n int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT artifact_bytes FROM projects WHERE id = ?`, int64(project)).Scan(&n)
	return n, err
}
