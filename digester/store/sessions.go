package store

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"time"

	"sundew/digester/access"
	"sundew/schema/event"
)

// SessionLife is how long somebody stays signed in on a browser.
const SessionLife = 30 * 24 * time.Hour

// halfSignedIn is how long the second factor may take after the password.
const halfSignedIn = 10 * time.Minute

// Factors are what a session has seen of who it says it is.
type Factors int

// The values of Factors.
const (
	FactorPassword Factors = 1 // a second one is asked for
	FactorAll      Factors = 2 // signed in
)

// Session is a browser that somebody signed in with.
type Session struct {
	ID        int64
	UserID    int64
	CreatedAt time.Time
	SeenAt    time.Time // to the hour or so
	ExpiresAt time.Time
	Factors   Factors
	Address   string
	Agent     string
}

// NewSecret returns what goes into a cookie, a link or a token, 43 characters of
// A-Z, a-z, 0-9, - and _.
func NewSecret() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// hashSecret is what is stored of a secret. It is as long and random as a key, so
// that a plain hash is enough.
func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// CreateSession signs a user in, or half in, and returns the cookie's value.
func (tx *Tx) CreateSession(user int64, factors Factors, address, agent string) (secret string, err error) {
	secret = NewSecret()
	life := SessionLife
	if factors != FactorAll {
		life = halfSignedIn
	}
	const maxAgent = 300
	_, err = tx.insert(`
		INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, factors, address, agent)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		hashSecret(secret), user, ms(tx.now), ms(tx.now), ms(tx.now.Add(life)), int(factors), address, cutText(agent, maxAgent))
	if err != nil {
		return "", err
	}
	// Whoever comes in sweeps up.
	_, err = tx.exec(`DELETE FROM sessions WHERE expires_at <= ?`, ms(tx.now))
	return secret, err
}

// Session returns the session of a cookie, ErrNotFound if there is none, it has
// expired, or its user may not sign in.
func (rx *Rx) Session(secret string, now time.Time) (Session, error) {
	return one(rx.sessions(`JOIN users u ON u.id = s.user_id AND u.disabled_at IS NULL WHERE s.token_hash = ? AND s.expires_at > ?`,
		hashSecret(secret), ms(now)))
}

// Sessions returns where a user is signed in, the newest first.
func (rx *Rx) Sessions(user int64, now time.Time) ([]Session, error) {
	return rx.sessions(`WHERE s.user_id = ? AND s.expires_at > ? ORDER BY s.id DESC`, user, ms(now))
}

func (rx *Rx) sessions(where string, args ...any) ([]Session, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT s.id, s.user_id, s.created_at, s.seen_at, s.expires_at, s.factors, s.address, s.agent FROM sessions s `+where, args...)
	var created, seen, expires sql.NullInt64
	return collectThen(rows, err, func(s *Session) []any {
		return []any{&s.ID, &s.UserID, &created, &seen, &expires, &s.Factors, &s.Address, &s.Agent}
	}, func(s *Session) {
		s.CreatedAt, s.SeenAt, s.ExpiresAt = fromMS(created), fromMS(seen), fromMS(expires)
	})
}

// UsersSeen returns when users were last seen on any browser that is signed in.
func (rx *Rx) UsersSeen() (map[int64]time.Time, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT user_id, max(seen_at) FROM sessions GROUP BY user_id`)
	type seen struct{ user, at int64 }
	all, err := collect(rows, err, func(s *seen) []any { return []any{&s.user, &s.at} })
	users := make(map[int64]time.Time, len(all))
	for _, s := range all {
		users[s.user] = time.UnixMilli(s.at).UTC()
	}
	return users, err
}

// EndSession signs out one session of a user; one that is not there is no error.
func (tx *Tx) EndSession(user, session int64) error {
	_, err := tx.exec(`DELETE FROM sessions WHERE id = ? AND user_id = ?`, session, user)
	return err
}

// EndSessions signs a user out everywhere but in one session; keep 0: everywhere.
func (tx *Tx) EndSessions(user, keep int64) error {
	_, err := tx.exec(`DELETE FROM sessions WHERE user_id = ? AND id <> ?`, user, keep)
	return err
}

// Person returns what a user may do, ErrNotFound if there is none.
func (rx *Rx) Person(user int64) (access.Person, error) {
	u, err := rx.User(user)
	if err != nil {
		return access.Person{}, err
	}
	p := access.Person{
		ID: u.ID, Email: u.Email, Name: u.Name, Role: u.Role, Scopes: access.AllScopes,
		Teams: make(map[int64]access.Role), Projects: make(map[event.ProjectID]access.Role),
	}
	type grant struct {
		of   int64
		role access.Role
	}
	grants := func(query string) ([]grant, error) {
		rows, err := rx.q.QueryContext(rx.ctx, query, user)
		return collect(rows, err, func(g *grant) []any { return []any{&g.of, &g.role} })
	}
	teams, err := grants(`SELECT team_id, role FROM team_members WHERE user_id = ?`)
	if err != nil {
		return access.Person{}, err
	}
	for _, g := range teams {
		p.Teams[g.of] = g.role
	}
	projects, err := grants(`
		SELECT p.id, m.role FROM team_members m JOIN projects p ON p.team_id = m.team_id WHERE m.user_id = ?1
		UNION ALL SELECT project_id, role FROM project_members WHERE user_id = ?1`)
	if err != nil {
		return access.Person{}, err
	}
	for _, g := range projects {
		id := event.ProjectID(g.of)
		p.Projects[id] = max(p.Projects[id], g.role)
	}
	return p, nil
}

// cutText cuts a text to so many bytes, between characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
