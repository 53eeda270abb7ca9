package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// snapshotPattern names the file of a download while it is written.
const snapshotPattern = ".download-*" + unfinished

// snapshots makes copies of the database for people who download it, one at a time.
type snapshots struct {
	cfg  Config
	now  func() time.Time
	disk diskSpace
	turn chan struct{} // holds one token
}

// openSnapshots returns dashboard.Config.Snapshot, nil where there is no file.
func openSnapshots(cfg Config) (func(context.Context) (*dashboard.Snapshot, error), error) {
	if cfg.Server.URL != "" {
		return nil, nil
	}
	s, err := newSnapshots(cfg)
	if err != nil {
		return nil, err
	}
	return s.make, nil
}

// newSnapshots returns what makes them, and removes what a process left that died.
func newSnapshots(cfg Config) (*snapshots, error) {
	left, err := filepath.Glob(filepath.Join(cfg.Data, snapshotPattern))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return nil, fmt.Errorf("removing what is left of a download: %w", err)
	}
	s := &snapshots{cfg: cfg, now: time.Now, disk: diskFree, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s, nil
}

// make is dashboard.Config.Snapshot. The file has no name any more when it is handed
// over, where the system allows that: it goes with whoever holds it open.
func (s *snapshots) make(ctx context.Context) (_ *dashboard.Snapshot, err error) {
	select {
	case <-s.turn:
	default:
		return nil, dashboard.ErrSnapshotUnderWay
	}
	defer func() {
		if err != nil {
			s.turn <- struct{}{}
		}
	}()
	if err := checkRoom(ctx, s.cfg.databasePath(), s.cfg.Data, s.disk); err != nil {
		return nil, errors.Join(dashboard.ErrNoRoom, err)
	}
	file, err := os.CreateTemp(s.cfg.Data, snapshotPattern)
	if err != nil {
		return nil, fmt.Errorf("making a file for a download: %w", err)
	}
	copied := &snapshotFile{File: file, give: func() { s.turn <- struct{}{} }}
	if err := store.BackupFile(ctx, s.cfg.databasePath(), file.Name()); err != nil {
		return nil, errors.Join(err, copied.remove())
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, copied.remove())
	}
	copied.removed = os.Remove(file.Name()) == nil
	return &dashboard.Snapshot{ReadCloser: copied, Name: s.now().UTC().Format(backupFileName), Size: info.Size()}, nil
}

// snapshotFile is a copy that is gone when it is closed.
type snapshotFile struct {
	*os.File
	removed bool
	give    func()
}

// Close removes the copy and lets the next one be made.
func (f *snapshotFile) Close() error {
	defer f.give()
	return f.remove()
}

func (f *snapshotFile) remove() error {
	err := f.File.Close()
	if f.removed {
		return err
	}
	return errors.Join(err, os.Remove(f.Name()))
}
