package main

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"sundew/digester/artifact"
	"sundew/digester/artifact/shelf"
	"sundew/digester/retention"
	"sundew/digester/store"
)

const (
	// defaultArtifactDays is for how long what tools upload is kept after it was last
	// used, defaultArtifactBytes how much room all of it has.
	defaultArtifactDays  = 90
	defaultArtifactBytes = 5 << 30

	// minArtifactBytes has to leave room for one ordinary upload, maxUploadRequest for
	// what a proxy lets through.
	minArtifactBytes = 1 << 20
	maxUploadRequest = 64 << 20
)

// readUploads reads how build tools upload, and for how long that is kept.
func readUploads(read func(string, func(string) error), cfg *Config) {
	cfg.ArtifactDays, cfg.ArtifactBytes = defaultArtifactDays, defaultArtifactBytes
	number := func(dst *int64, lowest, highest int64, what string) func(string) error {
		return func(v string) (err error) {
			if *dst, err = strconv.ParseInt(v, 10, 64); err != nil || *dst < lowest || *dst > highest {
				return fmt.Errorf("want a number of %s between %d and %d", what, lowest, highest)
			}
			return nil
		}
	}
	read("SUNDEW_ARTIFACT_DAYS", number(&cfg.ArtifactDays, 0, retention.MaxDays, "days, 0 for ever,"))
	read("SUNDEW_ARTIFACT_BYTES", number(&cfg.ArtifactBytes, minArtifactBytes, 1<<50, "bytes"))
	read("SUNDEW_UPLOAD_REQUEST", number(&cfg.UploadRequest, store.ChunkSize+store.ChunkSize/16, maxUploadRequest, "bytes"))
}

// openShelf makes what assembles uploads.
func (s *service) openShelf() {
	s.shelf = shelf.New(shelf.Config{
		Replica: s.replica, DB: s.db, Dir: s.cfg.Data, Limits: artifact.DefaultLimits(), Log: s.log,
		Policy: store.ArtifactPolicy{Bytes: cmp.Or(s.cfg.ArtifactBytes, defaultArtifactBytes), Unused: time.Duration(s.cfg.ArtifactDays) * 24 * time.Hour},
	})
}
