package store

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/schema/event"
)

// TokenPrefix is what every token begins with that NewToken makes, so that scanners
// of source code find one that was committed: sdw_[a-z2-7]{52}.
const TokenPrefix = "sdw_"

// maxTokens bounds how many tokens a user or a project has that still work.
const maxTokens = 100

// tokenHint is how much of a token is kept to tell it from others.
const tokenHint = 4

// Token is a secret that speaks for a user or a project.
type Token struct {
	ID        int64
	Name      string
	Hint      string          // its last characters
	UserID    int64           // personal: may what this user may, within Scopes
	Project   event.ProjectID // or of one project
	Scopes    access.Scopes
	CreatedBy int64
	Creator   string // their name
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // to the minute or so; zero: not yet
	RevokedAt time.Time
}

// NewToken returns the text of a token, with 256 random bits.
func NewToken() string { return TokenPrefix + strings.ToLower(rand.Text()+rand.Text()) }

// CreateToken keeps a token whose whole text is plain, in whatever form: it is
// recognised by its hash. Of t the store sets ID, Hint and CreatedAt. The error wraps
// ErrInvalid.
func (tx *Tx) CreateToken(t Token, plain string) (Token, error) {
	name, err := cleanName("token's name", t.Name)
	if err != nil {
		return Token{}, err
	}
	if t.Scopes&access.AllScopes == 0 {
		return Token{}, fmt.Errorf("%w token: it needs at least one scope", ErrInvalid)
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(tx.now) {
		return Token{}, fmt.Errorf("%w token: it would have expired already", ErrInvalid)
	}
	working, err := tx.tokensOf(t.UserID, t.Project)
	if err != nil {
		return Token{}, err
	}
	if len(working) >= maxTokens {
		return Token{}, fmt.Errorf("%w number of tokens: there are %d, revoke one first", ErrInvalid, len(working))
	}
	var expires any
	if !t.ExpiresAt.IsZero() {
		expires = ms(t.ExpiresAt)
	}
	id, err := tx.insert(`
		INSERT INTO api_tokens (token_hash, name, hint, user_id, project_id, scopes, created_by, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		hashSecret(plain), name, plain[max(0, len(plain)-tokenHint):], nullID(t.UserID), nullID(int64(t.Project)), t.Scopes.String(),
		t.CreatedBy, ms(tx.now), expires)
	if err != nil {
		return Token{}, err
	}
	return one(tx.tokens(`WHERE t.id = ?`, id))
}

// UserTokens returns a user's personal tokens that are not revoked, the newest first.
func (rx *Rx) UserTokens(user int64) ([]Token, error) { return rx.tokensOf(user, 0) }

// ProjectTokens returns a project's tokens that are not revoked, the newest first.
func (rx *Rx) ProjectTokens(project event.ProjectID) ([]Token, error) { return rx.tokensOf(0, project) }

func (rx *Rx) tokensOf(user int64, project event.ProjectID) ([]Token, error) {
	if user != 0 {
		return rx.tokens(`WHERE t.user_id = ? AND t.revoked_at IS NULL ORDER BY t.id DESC`, user)
	}
	return rx.tokens(`WHERE t.project_id = ? AND t.revoked_at IS NULL ORDER BY t.id DESC`, int64(project))
}

func (rx *Rx) tokens(where string, args ...any) ([]Token, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT t.id, t.name, t.hint, coalesce(t.user_id, 0), coalesce(t.project_id, 0), t.scopes, t.created_by, coalesce(c.name, ''),
		       t.created_at, t.expires_at, t.used_at, t.revoked_at
		FROM api_tokens t LEFT JOIN users c ON c.id = t.created_by `+where, args...)
	var scopes string
	var created, expires, used, revoked sql.NullInt64
	return collectThen(rows, err, func(t *Token) []any {
		return []any{&t.ID, &t.Name, &t.Hint, &t.UserID, &t.Project, &scopes, &t.CreatedBy, &t.Creator, &created, &expires, &used, &revoked}
	}, func(t *Token) {
		t.Scopes = access.ParseScopes(scopes)
		t.CreatedAt, t.ExpiresAt, t.UsedAt, t.RevokedAt = fromMS(created), fromMS(expires), fromMS(used), fromMS(revoked)
	})
}

// RevokeToken makes a token of a user, or of a project, useless for good and returns
// it; ErrNotFound if they have no such token, or it was revoked.
func (tx *Tx) RevokeToken(user int64, project event.ProjectID, id int64) (Token, error) {
	working, err := tx.tokensOf(user, project)
	if err != nil {
		return Token{}, err
	}
	for _, t := range working {
		if t.ID == id {
			_, err := tx.exec(`UPDATE api_tokens SET revoked_at = ? WHERE id = ?`, ms(tx.now), id)
			return t, err
		}
	}
	return Token{}, ErrNotFound
}

// PersonOfToken returns who speaks by a token and may what, ErrNotFound if it does
// not work (any more), or its user may not sign in. A project's token is nobody in
// particular, and an admin of that project, within its scopes.
func (rx *Rx) PersonOfToken(plain string, now time.Time) (access.Person, Token, error) {
	t, err := one(rx.tokens(`WHERE t.token_hash = ? AND t.revoked_at IS NULL AND coalesce(t.expires_at > ?, TRUE)`, hashSecret(plain), ms(now)))
	if err != nil {
		return access.Person{}, Token{}, err
	}
	p := access.Person{Name: t.Name, Projects: map[event.ProjectID]access.Role{t.Project: access.Admin}}
	if t.UserID != 0 {
		u, err := rx.User(t.UserID)
		if err == nil && !u.DisabledAt.IsZero() {
			err = ErrNotFound
		}
		if err != nil {
			return access.Person{}, Token{}, err
		}
		if p, err = rx.Person(t.UserID); err != nil {
			return access.Person{}, Token{}, err
		}
	}
	p.Token, p.Scopes = t.ID, t.Scopes
	return p, t, nil
}
