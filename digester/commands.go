package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"sundew/digester/access"
	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// check verifies every invariant and lists what is broken.
func check(ctx context.Context, cfg Config, args []string, stdout, _ io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: check takes no arguments", errUsage)
	}
	replica, q, done, err := openForReading(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	problems, err := checkAll(ctx, replica, q)
	if err != nil {
		return fmt.Errorf("checking: %w", err)
	}
	for _, p := range problems {
		fmt.Fprintf(stdout, "broken: %s: %s\n", p.Invariant, p.Detail)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d broken invariants; keep a copy of %q before anything else touches it", len(problems), cfg.Data)
	}
	fmt.Fprintln(stdout, "every invariant holds")
	return nil
}

// stats prints the books as JSON.
func stats(ctx context.Context, cfg Config, args []string, stdout, _ io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: stats takes no arguments", errUsage)
	}
	replica, q, done, err := openForReading(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	books, err := readBooks(ctx, replica, q, time.Now())
	if err != nil {
		return fmt.Errorf("reading the books: %w", err)
	}
	out := json.NewEncoder(stdout)
	out.SetIndent("", "  ")
	return out.Encode(books)
}

// project handles `project create NAME [--key KEY]`.
func project(ctx context.Context, cfg Config, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "create" {
		return fmt.Errorf("%w: want project create NAME", errUsage)
	}
	flags := flag.NewFlagSet("project create", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	key := flags.String("key", "", "the public key, 32 hex digits")
	// Flags may stand before or behind the name.
	var names []string
	for rest := args[1:]; ; {
		if err := flags.Parse(rest); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		if flags.NArg() == 0 {
			break
		}
		names, rest = append(names, flags.Arg(0)), flags.Args()[1:]
	}
	if len(names) != 1 {
		return fmt.Errorf("%w: project create takes one name (quote it if it has spaces)", errUsage)
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	db, err := cfg.openPrimary(ctx, store.Config{})
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	var p store.Project
	err = db.Write(ctx, "create project", func(tx *store.Tx) (err error) {
		if p, err = tx.CreateProjectWithKey(names[0], *key); err != nil {
			return err
		}
		return tx.Audit(access.Person{}, store.AuditEntry{Action: "project.create", Project: p.ID, Subject: p.Name, Detail: "by command"})
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, dashboard.DSN(cfg.publicURL(cfg.Listen), p.Keys[0], p.ID))
	return nil
}
