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
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/loop"
	"sundew/digester/store"
	"sundew/digester/vitals"
)

const (
	// backupFileName is what a backup is called after the moment in which it began,
	// and so in the order of time.
	backupFileName = "sundew-20060102T150405Z.db"

	// unfinished is how a file ends that is not a backup yet, and never becomes one if
	// the process dies.
	unfinished = ".unfinished"

	// staleAfter is from which age on an unfinished file is nobody's.
	staleAfter = 24 * time.Hour

	// backupLook is how often it is looked whether a backup is due.
	backupLook = time.Minute
)

// backupFileOK recognises the files that backups by the clock made; no other is
// removed.
var backupFileOK = regexp.MustCompile(`^sundew-[0-9]{8}T[0-9]{6}Z\.db$`)

// backup handles `backup [--check] [FILE]`.
func backup(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("backup", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	check := flags.Bool("check", false, "")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 1 {
		return fmt.Errorf("%w: backup takes one file, and flags before it", errUsage)
	}
	to := flags.Arg(0)
	if to == "" {
		to = filepath.Join(cfg.BackupDir, time.Now().UTC().Format(backupFileName))
	}
	size, err := makeBackup(ctx, cfg, to, *check, diskFree)
	if err != nil {
		return err
	}
	says := "it was not checked; --check does"
	if *check {
		says = "every invariant holds"
	}
	fmt.Fprintf(stdout, "%s is a backup of %d bytes; %s\n", to, size, says)
	return nil
}

// makeBackup copies the database into a new file, which has its name only when it is
// whole and on disk. It overwrites nothing, and does not begin where there is no room:
// a full disk is worse than no backup if the database is on the same one.
func makeBackup(ctx context.Context, cfg Config, to string, check bool, disk diskSpace) (size int64, err error) {
	if cfg.Server.URL != "" {
		return 0, errors.New("the database is on a libSQL server, which has backups of its own (infra/libsql.md); this command copies a file")
	}
	if _, err := os.Stat(cfg.databasePath()); errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("there is no database in %q to make a backup of: set SUNDEW_DATA", cfg.Data)
	}
	if _, err := os.Lstat(to); err == nil {
		return 0, fmt.Errorf("%s is there already, and nothing is overwritten", to)
	}
	if err := checkRoom(ctx, cfg.databasePath(), filepath.Dir(to), disk); err != nil {
		return 0, err
	}
	err = intoPlace(to, func(path string) error {
		if err := store.BackupFile(ctx, cfg.databasePath(), path); err != nil {
			return err
		}
		if check {
			if err := checkFile(ctx, path); err != nil {
				return err
			}
		}
		info, err := os.Stat(path)
		if err == nil {
			size = info.Size()
		}
		return err
	})
	return size, err
}

// diskSpace is diskFree, or what a test says in its place.
type diskSpace func(path string) (free, total int64, err error)

// checkRoom returns an error if a directory has no room for a backup of a database.
// Where nobody can say how much room there is, it is tried.
func checkRoom(ctx context.Context, database, dir string, disk diskSpace) error {
	free, _, err := disk(dir)
	if err != nil {
		return nil
	}
	needed, err := store.BackupSize(ctx, database)
	if err != nil {
		return err
	}
	if free < needed {
		return fmt.Errorf("%s has no room for a backup: it needs about %d MiB, and %d MiB are free; make room, or keep fewer backups (SUNDEW_BACKUP_KEEP)", dir, needed>>20+1, free>>20)
	}
	return nil
}

// intoPlace lets write fill an unfinished file, makes it durable and gives it its name,
// unless something has that name. Whatever fails, nothing has it then.
func intoPlace(to string, write func(path string) error) (err error) {
	dir := filepath.Dir(to)
	file, err := os.CreateTemp(dir, "."+filepath.Base(to)+".*"+unfinished)
	if err != nil {
		return fmt.Errorf("making a file in %s: %w", dir, err)
	}
	path := file.Name()
	defer func() {
		for _, left := range []string{path, path + "-wal", path + "-shm", path + "-journal"} {
			if rmErr := os.Remove(left); rmErr != nil && !errors.Is(rmErr, fs.ErrNotExist) {
				err = errors.Join(err, rmErr)
			}
		}
	}()
	if err := file.Close(); err != nil {
		return err
	}
	if err := write(path); err != nil {
		return err
	}
	if err := syncPath(path); err != nil {
		return fmt.Errorf("syncing the new file: %w", err)
	}
	if err := giveName(path, to, os.Link); err != nil {
		return fmt.Errorf("naming the new file: %w", err)
	}
	if err := syncPath(dir); err != nil {
		return fmt.Errorf("syncing %s: %w", dir, err)
	}
	return nil
}

// giveName gives a file its name, unless something has that name. It does so by a link,
// because a rename would overwrite what came meanwhile. Some network and USB disks have
// no links: there it looks, and renames.
func giveName(path, to string, link func(path, to string) error) error {
	err := link(path, to)
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	switch _, err := os.Lstat(to); {
	case err == nil:
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return os.Rename(path, to)
}

// syncPath syncs a file, or the names in a directory.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkFile verifies every invariant of a database that nobody writes.
func checkFile(ctx context.Context, path string) error {
	replica, err := store.OpenReplica(ctx, path)
	if err != nil {
		return err
	}
	defer replica.Close()
	problems, err := replica.Check(ctx)
	if err != nil {
		return fmt.Errorf("checking: %w", err)
	}
	var all []error
	for _, p := range problems {
		all = append(all, fmt.Errorf("broken: %s: %s", p.Invariant, p.Detail))
	}
	return errors.Join(all...)
}

// backupClock makes backups into a directory and removes the oldest.
type backupClock struct {
	cfg  Config
	now  func() time.Time
	disk diskSpace
	log  zerolog.Logger

	pause time.Duration // after the last attempt, if it failed
	again time.Time     // not to be tried before

	mu      sync.Mutex // guards what follows
	last    time.Time  // when the newest backup began
	problem error      // of the last attempt
}

// run makes backups until ctx is done.
func (c *backupClock) run(ctx context.Context) {
	if c.cfg.BackupDir == "" {
		return
	}
	c.round(ctx)
	loop.Every(ctx, backupLook, func() { c.round(ctx) })
}

// round makes a backup if one is due. After each failure it waits twice as long: an
// attempt may read and write the whole database before it fails.
func (c *backupClock) round(ctx context.Context) {
	if c.now().Before(c.again) {
		return
	}
	err := c.backupIfDue(ctx)
	if err == nil {
		c.pause = 0
	} else {
		c.pause = min(max(2*c.pause, backupLook), c.cfg.BackupEvery)
		c.again = c.now().Add(c.pause)
		if ctx.Err() == nil {
			c.log.Error().Err(err).Dur("pause", c.pause).Msg("a backup failed; it is tried again after a pause")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problem = err
}

func (c *backupClock) backupIfDue(ctx context.Context) error {
	if err := os.MkdirAll(c.cfg.BackupDir, 0o700); err != nil {
		return fmt.Errorf("making the directory of backups: %w", err)
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	now := c.now().UTC()
	if len(files) > 0 && now.Sub(c.noteLast(files)) < c.cfg.BackupEvery {
		return nil
	}
	name := now.Format(backupFileName)
	size, err := makeBackup(ctx, c.cfg, filepath.Join(c.cfg.BackupDir, name), true, c.disk)
	if err != nil {
		return err
	}
	c.log.Info().Str("file", name).Int64("bytes", size).Dur("took", c.now().Sub(now)).Msg("backup")
	files = append(files, name)
	c.noteLast(files)
	var errs []error
	for _, old := range files[:max(0, len(files)-c.cfg.BackupKeep)] {
		errs = append(errs, os.Remove(filepath.Join(c.cfg.BackupDir, old)))
	}
	return errors.Join(errs...)
}

// files lists the backups, the oldest first, and removes what was never finished.
func (c *backupClock) files() ([]string, error) {
	entries, err := os.ReadDir(c.cfg.BackupDir)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of backups: %w", err)
	}
	var files []string
	for _, e := range entries {
		if backupFileOK.MatchString(e.Name()) && e.Type().IsRegular() {
			files = append(files, e.Name())
		}
		info, err := e.Info()
		if err != nil || filepath.Ext(e.Name()) != unfinished || c.now().Sub(info.ModTime()) < staleAfter {
			continue
		}
		if err := os.Remove(filepath.Join(c.cfg.BackupDir, e.Name())); err != nil {
			return nil, err
		}
	}
	slices.Sort(files)
	return files, nil
}

// noteLast takes down and returns when the newest backup began.
func (c *backupClock) noteLast(files []string) time.Time {
	at, err := time.Parse(backupFileName, files[len(files)-1])
	if err != nil { // a day that no month has: as good as none
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = at
	return at
}

// vitals returns how it goes.
func (c *backupClock) vitals() vitals.BackupFiles {
	c.mu.Lock()
	defer c.mu.Unlock()
	return vitals.BackupFiles{On: c.cfg.BackupDir != "", Failing: trouble(c.problem), Last: c.last}
}
