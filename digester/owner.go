package main

import (
	"context"
	"fmt"

	"sundew/digester/dashboard"
	"sundew/digester/store"
)

// firstOwner makes the owner that the environment names, if there is none; without
// one in the environment it returns the address at which somebody makes themselves
// the owner. Empty: there is an owner.
func (s *service) firstOwner(ctx context.Context) (setup string, err error) {
	var owned bool
	if err := s.replica.Read(ctx, func(rx *store.Rx) (err error) {
		owned, err = rx.HasOwner()
		return err
	}); err != nil || owned {
		return "", err
	}
	hash := ""
	if s.cfg.OwnerPassword != "" {
		if hash, err = s.passwords.Hash(ctx, s.cfg.OwnerPassword); err != nil {
			return "", fmt.Errorf("SUNDEW_OWNER_PASSWORD: %w", err)
		}
	}
	var secret string
	err = s.db.Write(ctx, "first owner", func(tx *store.Tx) (err error) {
		if s.cfg.OwnerEmail != "" {
			_, err = dashboard.MakeOwner(tx, s.cfg.OwnerEmail, s.cfg.OwnerEmail, hash)
			return err
		}
		secret, err = tx.CreateLink(store.Link{Kind: store.LinkSetup})
		return err
	})
	if err != nil || secret == "" {
		return "", err
	}
	return dashboard.LinkURL(s.url, store.LinkSetup, secret), nil
}
