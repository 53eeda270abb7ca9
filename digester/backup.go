package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	cfg := store.Config{Log: s.log, Observe: observeIn(s.timings), AttachmentBytes: s.cfg.AttachmentBytes}
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

// refuseEmpty returns an error where a new database would be copied over the
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
		return fmt.Errorf("there is no database in %q, but a backup of one at %s: run `digester restore --to %s`, or let SUNDEW_BACKUP be an empty place",
			cfg.Data, cfg.Backup, cfg.databasePath())
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

// restore handles `restore [--at TIME] [--from ADDRESS] --to PATH`.
func restore(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	at := flags.String("at", "", "")
	from := flags.String("from", "", "")
	to := flags.String("to", "", "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 || *to == "" {
		return fmt.Errorf("%w: restore needs --to PATH and takes no other arguments", errUsage)
	}
	var moment time.Time
	if *at != "" {
		var err error
		if moment, err = time.Parse(time.RFC3339, *at); err != nil {
			return fmt.Errorf("%w: --at %q: want a time like 2026-05-04T14:02:31Z", errUsage, *at)
		}
	}
	source := cfg.Backup
	if *from != "" {
		var err error
		if source, err = replicate.ParseTarget(*from); err != nil {
			return fmt.Errorf("%w: --from %q: %w", errUsage, *from, err)
		}
	}
	if source.IsZero() {
		return fmt.Errorf("%w: restore needs --from ADDRESS or SUNDEW_BACKUP", errUsage)
	}
	return restoreAndCheck(ctx, cfg, source, moment, *to, stdout, stderr)
}

func restoreAndCheck(ctx context.Context, cfg Config, source replicate.Target, moment time.Time, to string, stdout, stderr io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	err := replicate.Restore(ctx, source, moment, to, newLog(stderr, cfg.LogLevel))
	switch {
	case errors.Is(err, replicate.ErrExists):
		return fmt.Errorf("nothing is overwritten: %w; move it away, with all whose names begin or end like it", err)
	case errors.Is(err, replicate.ErrNoBackup) && !moment.IsZero():
		return fmt.Errorf("%w; try a later --at, or none for the last there is", err)
	case err != nil:
		return err
	}
	replica, err := store.OpenReplica(ctx, to)
	if err != nil {
		return err
	}
	defer replica.Close()
	position, err := replica.Position(ctx)
	if err != nil {
		return err
	}
	problems, err := replica.Check(ctx)
	if err != nil {
		return fmt.Errorf("checking: %w", err)
	}
	for _, p := range problems {
		fmt.Fprintf(stdout, "broken: %s: %s\n", p.Invariant, p.Detail)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d broken invariants in %s", len(problems), to)
	}
	fmt.Fprintf(stdout, "%s is the database as of %s; every invariant holds\n", to, position.At.Format(time.RFC3339))
	return nil
}
