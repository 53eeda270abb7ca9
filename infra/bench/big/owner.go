package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"sundew/digester/dashboard"
	"sundew/digester/password"
	"sundew/digester/store"
	"sundew/infra/visitor"
)

// signIn returns the cookies of the database's owner, who is made if there is none.
func (b *bench) signIn(ctx context.Context, passwords *password.Hasher) ([]*http.Cookie, error) {
	hash, err := passwords.Hash(ctx, visitor.Password)
	if err != nil {
		return nil, err
	}
	err = b.db.Write(ctx, "owner", func(tx *store.Tx) error {
		owned, err := tx.HasOwner()
		if err == nil && !owned {
			_, err = dashboard.MakeOwner(tx, visitor.Email, "Owner", hash)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	form := url.Values{"email": {visitor.Email}, "password": {visitor.Password}}
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/sign-in", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	b.pages.ServeHTTP(answer, request)
	if answer.Code != http.StatusSeeOther {
		return nil, fmt.Errorf("signing in was answered %d", answer.Code)
	}
	return answer.Result().Cookies(), nil
}
