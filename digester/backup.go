package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sundew/digester/replicate"
	"sundew/digester/store"
	"sundew/digester/vitals"
)

// lifeEvery is how often the primary shows those who follow it that it lives,
// when nothing else is written.
const lifeEvery = 5 * time.Second

var (
	descBackupAge     = prometheus.NewDesc("sundew_backup_age_seconds", "How long ago everything written was at the backup; absent before the first time.", nil, nil)
	descBackupFailing = prometheus.NewDesc("sundew_backup_failing", "1 while the backup cannot be continued.", nil, nil)
)

// openDatabase opens the database and begins its backup, if there is to be one.
func (s *service) openDatabase(ctx context.Context) (err error) {
	cfg := store.Config{Log: s.log, Observe: s.observe, AttachmentBytes: s.cfg.AttachmentBytes, ArtifactBytes: s.cfg.ArtifactBytes}
	if s.cfg.Backup.IsZero() {
		s.db, err = s.cfg.openPrimary(ctx, cfg)
		return err
	}
	if err := refuseEmpty(ctx, s.cfg); err != nil {
		return err
	}
	backup, err := replicate.NewBackup(replicate.BackupConfig{Path: s.cfg.databasePath(), Target: s.cfg.Backup, Log: s.log})
	if err != nil {
		return err
	}
	cfg.Checkpoint = backup.Checkpoint
	if s.db, err = s.cfg.openPrimary(ctx, cfg); err != nil {
		return err
	}
	if err := backup.Start(ctx); err != nil {
		return err
	}
	s.backup = backup
	return nil
}

// errRestoreFirst says that a database is missing that a backup has.
var errRestoreFirst = errors.New("a database is missing")

// refuseEmpty returns errRestoreFirst where a new database would be copied over the
// backup of another: a disk was lost, and what is on it is to be restored.
func refuseEmpty(ctx context.Context, cfg Config) error {
	if _, err := os.Stat(cfg.databasePath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	holds, err := replicate.Holds(ctx, cfg.Backup)
	if err != nil {
		return err
	}
	if holds {
		return fmt.Errorf("%w: there is none in %q, but a backup of one at %s: run `digester restore --to %s`, or let SUNDEW_BACKUP be an empty place; then start again",
			errRestoreFirst, cfg.Data, cfg.Backup, cfg.databasePath())
	}
	return nil
}

// runBackup copies what is written until ctx is done, and shows those who follow
// that there is somebody who writes.
func (s *service) runBackup(ctx context.Context) error {
	if s.backup == nil && s.cfg.Server.URL == "" {
		return nil
	}
	var copying sync.WaitGroup
	defer copying.Wait()
	if s.backup != nil {
		copying.Go(func() { s.backup.Run(ctx) })
	}
	ticker := time.NewTicker(lifeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			at, err := s.replica.Position(ctx)
			if err == nil && time.Since(at.At) > lifeEvery/2 {
				err = s.db.Barrier(ctx)
			}
			if err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("followers are not told that the primary lives")
			}
		}
	}
}

// backupVitals returns how the backup goes.
func (s *service) backupVitals() vitals.Backup {
	if s.backup == nil {
		return vitals.Backup{}
	}
	h := s.backup.Health()
	return vitals.Backup{On: true, Failing: trouble(h.Problem), LastCopy: h.LastCopy}
}

func (s *service) collectBackup(gauge func(*prometheus.Desc, float64)) {
	if s.backup == nil {
		return
	}
	h := s.backup.Health()
	if !h.LastCopy.IsZero() {
		gauge(descBackupAge, time.Since(h.LastCopy).Seconds())
	}
	failing := 0.0
	if h.Problem != nil {
		failing = 1
	}
	gauge(descBackupFailing, failing)
}
