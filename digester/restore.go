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
	"time"

	"sundew/digester/queue/local"
	"sundew/digester/replicate"
	"sundew/digester/store"
)

// restore handles `restore FILE`, of a backup made by `backup`, and `restore [--at TIME]
// [--from ADDRESS] --to PATH`, of a continuous one.
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
	if flags.NArg() == 1 && *at == "" && *from == "" && *to == "" {
		return restoreFile(ctx, cfg, flags.Arg(0), stdout)
	}
	if flags.NArg() > 0 || *to == "" {
		return fmt.Errorf("%w: restore needs FILE, or --to PATH for a continuous backup", errUsage)
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
	if err := checkFile(ctx, to); err != nil {
		return err
	}
	return sayMoment(ctx, to, stdout)
}

// restoreFile makes the installation's database of a backup file. Nothing is touched
// before the copy was migrated and checked, and nothing is overwritten.
func restoreFile(ctx context.Context, cfg Config, from string, stdout io.Writer) error {
	if cfg.Server.URL != "" {
		return errors.New("the database is on a libSQL server: restore it there (infra/libsql.md)")
	}
	to := cfg.databasePath()
	for _, path := range replicate.Besides(to) {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("nothing is overwritten: %s is there already; move it away, with all whose names begin or end like it", path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	// Its lock keeps a digester from starting meanwhile, and says that none runs.
	_, err := os.Stat(cfg.queuePath())
	hadQueue := err == nil
	if hadQueue {
		queue, err := local.Open(ctx, local.Config{Path: cfg.queuePath()})
		if errors.Is(err, local.ErrInUse) {
			return fmt.Errorf("a digester is running on %q; stop it first: %w", cfg.Data, err)
		}
		if err != nil {
			return err
		}
		defer queue.Close(context.WithoutCancel(ctx))
	}
	err = intoPlace(to, func(path string) error {
		if err := copyFile(path, from); err != nil {
			return err
		}
		db, err := store.Open(ctx, store.Config{Path: path}) // an older program's is migrated
		if err != nil {
			return fmt.Errorf("%s is no backup that can be used: %w", from, err)
		}
		if err := db.Close(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		return checkFile(ctx, path)
	})
	if err != nil {
		return err
	}
	return sayRestored(ctx, to, hadQueue, stdout)
}

// sayRestored says what there is now, and what becomes of the queue.
func sayRestored(ctx context.Context, to string, hadQueue bool, stdout io.Writer) error {
	if err := sayMoment(ctx, to, stdout); err != nil {
		return err
	}
	if hadQueue {
		fmt.Fprintln(stdout, "queue.db was kept: what it still has is digested at the next start, and what the database has already is recognised.\n"+
			"What was digested after that moment had left the queue and is gone; the ledger counts it as lost.")
	} else {
		fmt.Fprintln(stdout, "There was no queue.db: what was accepted and not digested went with it. A new one is made at the next start.")
	}
	return nil
}

// sayMoment says of a database that was checked as of when it is.
func sayMoment(ctx context.Context, path string, stdout io.Writer) error {
	replica, err := store.OpenReplica(ctx, path)
	if err != nil {
		return err
	}
	defer replica.Close()
	position, err := replica.Position(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s is the database as of %s; every invariant holds\n", path, position.At.Format(time.RFC3339))
	return err
}

// copyFile fills a file with what another has.
func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return fmt.Errorf("%s is no backup: %w", from, errors.Join(err, fs.ErrInvalid))
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
