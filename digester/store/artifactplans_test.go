package store

import (
	"strings"
	"testing"
	"time"

	"sundew/digester/artifact"
)

// Scripts are looked up while events are digested, so each step of it goes by an index;
// and what removes uploads reads no more than it removes.
func TestArtifactQueryPlans(t *testing.T) {
	var since time.Time
	id := strings.Repeat("a", 32)
	queries := []planned{
		{"a script by debug id", func(rx *Rx) error { return rx.findByDebugID(new(Script), 1, id) }, "bundle_files_by_debug_id (debug_id=? AND type=?)", nil},
		{"a script by release and URL", func(rx *Rx) error {
			_, err := rx.findByURL(1, "1", "", scriptTypes, artifact.Candidates("/a.js"))
			return err
		}, "bundle_files_by_url (bundle_id=? AND url=?)", nil},
		{"bundles of a release", func(rx *Rx) error {
			_, err := rx.findByURL(1, "1", "", scriptTypes, artifact.Candidates("/a.js"))
			return err
		}, "artifact_bundles_by_release (project_id=? AND release=? AND dist=?)", nil},
		{"the map of a script", func(rx *Rx) error {
			return rx.findMapOf(&Script{Minified: &ArtifactFile{SourceMap: "~/a.js.map", DebugID: id}}, 1, "1", "")
		}, "bundle_files_by_url (bundle_id=? AND url=?)", nil},
		{"what is missing", func(rx *Rx) error { _, err := rx.releaseTrouble(new(Script), 1, "1", "", "/a.js"); return err }, "artifact_bundles_by_release (project_id=? AND release=?)", []string{"b"}},
		{"the script in other releases", func(rx *Rx) error { _, err := rx.scriptElsewhere(1, []string{"~/a.js"}); return err }, "artifact_bundles_by_project_use (project_id=?)", []string{"b"}},
		{"files of other releases", func(rx *Rx) error { _, err := rx.scriptElsewhere(1, []string{"~/a.js"}); return err }, "bundle_files_by_url (bundle_id=? AND url=?)", []string{"b"}},
		{"similar scripts", func(rx *Rx) error { _, err := rx.nearScripts(1, "1", "a.js"); return err }, "artifact_bundles_by_release (project_id=? AND release=?)", []string{"b"}},
		{"uploads of a project", func(rx *Rx) error { _, _, err := rx.Bundles(1, false, 0, 10); return err }, "(project_id=?", nil},
		{"new bundles", func(rx *Rx) error { _, err := rx.NewBundles(7); return err }, "artifact_bundles_published (published>?)", nil},
		{"an upload", func(rx *Rx) error { _, err := rx.FindUpload(Upload{Project: 1}, since); return notFoundIsFine(err) }, "artifact_bundles_by_identity (project_id=? AND identity=?)", nil},
		{"what to assemble", func(rx *Rx) error { _, _, err := rx.NextAssembly(); return notFoundIsFine(err) }, "artifact_bundles_to_do (state=?)", nil},
		{"what to remove", func(rx *Rx) error { _, err := rx.removedBundle(); return notFoundIsFine(err) }, "artifact_bundles_to_do (state=?)", nil},
		{"contents that nothing has", func(rx *Rx) error { _, err := rx.unusedFile(since); return notFoundIsFine(err) }, "artifact_files_unused (touched_at<?)", nil},
		{"uploads of no use", func(rx *Rx) error {
			_, err := rx.surplusBundle(ArtifactPolicy{Unused: 1}, since)
			return notFoundIsFine(err)
		}, "artifact_bundles_by_use (used_at<?)", []string{"artifact_files", "p"}}, // by the index of those that nothing has; projects
		{"the least used of the largest project", func(rx *Rx) error {
			_, err := rx.surplusBundle(ArtifactPolicy{Bytes: -1}, since)
			return notFoundIsFine(err)
		}, "artifact_bundles_by_project_use (project_id=?)", []string{"artifact_files", "p"}},
		{"old chunks", func(rx *Rx) error { _, err := rx.oldChunks(since, 1); return err }, "chunks_by_wanted (spent=? AND wanted_at<?)", nil},
		{"whether chunks are needed", func(rx *Rx) error { _, err := rx.oldChunks(since, 1); return err }, "bundle_chunks_by_chunk (sha1=?)", nil},
		{"missing chunks", func(rx *Rx) error { _, err := rx.MissingChunks([]string{"a"}); return err }, "sqlite_autoindex_chunks_1 (sha1=?)", []string{"j"}},
		{"a content by its sum", func(rx *Rx) error {
			_, err := rx.oneID(contentBySum, []byte{1})
			return notFoundIsFine(err)
		}, "artifact_files_by_content (sha256=?)", nil},
	}
	checkPlans(t, queries, func(tx *Tx) error {
		e := &explainer{querier: tx.q, t: t}
		e.explain(tx.ctx, `SELECT 1 FROM bundle_files WHERE file_id = ?`, []any{1}) // what a removed content's foreign key asks
		checkPlan(t, "who has a content", e.plans, "bundle_files_by_file (file_id=?)", nil)
		return nil
	})
}
