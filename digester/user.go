package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sundew/digester/access"
	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// user handles `user reset EMAIL`: it prints an address at which a user sets a new
// password, for somebody who cannot sign in and has nobody to ask. It may run beside
// a process that serves.
func user(ctx context.Context, cfg Config, args []string, stdout, _ io.Writer) error {
	if len(args) != 2 || args[0] != "reset" {
		return fmt.Errorf("%w: want user reset EMAIL", errUsage)
	}
	db, err := cfg.openPrimary(ctx, store.Config{})
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	var secret string
	err = db.Write(ctx, "link for a password", func(tx *store.Tx) error {
		u, err := tx.UserByEmail(args[1])
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("no account has the mail address %q", args[1])
		}
		if err != nil {
			return err
		}
		if !u.DisabledAt.IsZero() { // whoever has this command may
			if err := tx.EnableUser(u.ID); err != nil {
				return err
			}
		}
		if secret, err = tx.CreateLink(store.Link{Kind: store.LinkPassword, UserID: u.ID}); err != nil {
			return err
		}
		return tx.Audit(access.Person{}, store.AuditEntry{Action: "user.password-command", Subject: u.Email})
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, dashboard.LinkURL(cfg.publicURL(cfg.Listen), store.LinkPassword, secret))
	return nil
}
