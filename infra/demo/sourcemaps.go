package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"sundew/digester/artifact"
	"sundew/digester/artifact/shelf"
	"sundew/digester/store"
	"sundew/digester/symbolicate/scripts"
	"sundew/schema/corpus"
)

// minified is the project whose recorded errors are those of the recorded build.
const minified = "Web shop"

// openMaps prepares that source maps are uploaded and read, as the program does it.
func (w *world) openMaps(ctx context.Context, path string) (err error) {
	if w.replica, err = store.OpenReplica(ctx, path); err != nil {
		return err
	}
	clock := func() time.Time { return w.now }
	w.scripts = scripts.New(scripts.Config{From: w.replica, Within: time.Minute, Now: clock})
	w.shelf = shelf.New(shelf.Config{
		Replica: w.replica, DB: w.db, Limits: artifact.DefaultLimits(), Now: clock,
		Settled: func(b store.Bundle) { w.scripts.Forget(b.Project) },
	})
	return nil
}

// upload sends the source maps of a release, as its build would before it goes out.
func (w *world) upload(ctx context.Context, project store.Project, release string) error {
	app, err := corpus.LoadWebApp()
	if err != nil {
		return err
	}
	whole := sha1.Sum(app.Bundle)
	upload := store.Upload{Project: project.ID, Checksum: hex.EncodeToString(whole[:]), Release: release}
	for chunk := range slices.Chunk(app.Bundle, store.ChunkSize) {
		sum := sha1.Sum(chunk)
		name := hex.EncodeToString(sum[:])
		if err := w.db.StoreChunk(ctx, name, chunk); err != nil {
			return err
		}
		upload.Chunks = append(upload.Chunks, name)
	}
	if err := w.db.Write(ctx, "demo", func(tx *store.Tx) error {
		_, missing, err := tx.BeginUpload(upload)
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("%d chunks are missing", len(missing))
		}
		return err
	}); err != nil {
		return err
	}
	for more := true; more && err == nil; {
		more, err = w.shelf.Step(ctx)
	}
	return err
}
