package storetest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"sundew/digester/artifact"
	"sundew/digester/store"
	"sundew/schema/event"
)

// MustPublish makes an artifact bundle visible to a project, as if a build tool had
// uploaded it for a release; empty: for none.
func MustPublish(t testing.TB, db *store.DB, project event.ProjectID, release string, archive []byte) {
	t.Helper()
	bundle, err := artifact.Open(bytes.NewReader(archive), int64(len(archive)), artifact.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var files []store.NewFile
	for i := range bundle.Files {
		f := &bundle.Files[i]
		content, err := f.Content()
		if err != nil {
			t.Fatal(err)
		}
		stored := store.NewFile{
			ArtifactFile: store.ArtifactFile{Path: f.Path, URL: f.URL, Type: f.Type, DebugID: f.DebugID, Size: f.Size}, Sum: sha256.Sum256(content),
		}
		if stored.ID, err = db.StoreArtifact(t.Context(), stored.Sum, f.Size, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		files = append(files, stored)
	}
	chunk := []byte(release + "\n" + bundle.DebugID)
	sum := sha1.Sum(chunk)
	name := hex.EncodeToString(sum[:])
	if err := db.StoreChunk(t.Context(), name, chunk); err != nil {
		t.Fatal(err)
	}
	var begun store.Bundle
	err = db.Write(t.Context(), "begin an upload", func(tx *store.Tx) (err error) {
		begun, _, err = tx.BeginUpload(store.Upload{Project: project, Checksum: name, Release: release, Chunks: []string{name}})
		return err
	})
	if err == nil {
		err = db.AddBundleFiles(t.Context(), begun.ID, 0, files)
	}
	if err == nil {
		err = db.Write(t.Context(), "publish a bundle", func(tx *store.Tx) error { return tx.PublishBundle(begun.ID, store.Assembled{}) })
	}
	if err != nil {
		t.Fatal(err)
	}
}
