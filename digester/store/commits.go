package store

import (
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"sundew/schema/event"
)

// The bounds of what changed in a release, of texts in bytes. What is over one is cut or
// left out.
const (
	maxCommits       = 500
	maxCommitText    = 200 // hashes, repositories and authors
	maxCommitMessage = 4000
	maxCommitFiles   = 100
	maxCommitPath    = 300
)

// Commit is a change that went into a release.
type Commit struct {
	Hash        string       `json:"hash"`
	Repository  string       `json:"repository"` // e.g. shop/web; may be empty
	AuthorName  string       `json:"author_name"`
	AuthorEmail string       `json:"author_email"`
	Message     string       `json:"message"`
	At          time.Time    `json:"-"` // zero: not known
	Files       []CommitFile `json:"-"` // the first 100
}

// CommitFile is a file that a commit changed.
type CommitFile struct {
	Path string `json:"path"`
	Type string `json:"type"` // A: added, M: modified, D: deleted
}

// Ref is where a repository stood in a release.
type Ref struct {
	Repository string `json:"repository"`
	Hash       string `json:"hash"`
	Previous   string `json:"previous"` // commit of the release before; may be empty
}

// CutCommit returns a commit within the bounds.
func CutCommit(c Commit) Commit {
	c.Hash, c.Repository = cutLine(c.Hash, maxCommitText), cutLine(c.Repository, maxCommitText)
	c.AuthorName, c.AuthorEmail = cutLine(c.AuthorName, maxCommitText), cutLine(c.AuthorEmail, maxCommitText)
	c.Message = cutText(storable(strings.TrimSpace(c.Message)), maxCommitMessage)
	c.Files = c.Files[:min(len(c.Files), maxCommitFiles)]
	for i, f := range c.Files {
		c.Files[i] = CommitFile{Path: cutLine(f.Path, maxCommitPath), Type: cutLine(f.Type, 1)}
	}
	return c
}

// storable returns a text as valid UTF-8 without NUL, which ends texts for SQLite.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "")
}

// cutLine returns the beginning of a text that stands in one line.
func cutLine(text string, most int) string {
	return cutText(strings.Join(strings.Fields(storable(text)), " "), most)
}

// SetCommits says what changed in a release, the newest first, in place of what was
// said before; ErrNotFound if there is no such release.
func (tx *Tx) SetCommits(project event.ProjectID, version string, commits []Commit) error {
	r, err := tx.Release(project, version)
	if err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM release_commits WHERE release_id = ?`, r.ID); err != nil {
		return err
	}
	type row struct {
		Commit
		At    *int64 `json:"at"`
		Files string `json:"files"`
	}
	var list []row
	for _, c := range commits[:min(len(commits), maxCommits)] {
		one := row{Commit: CutCommit(c), Files: "[]"}
		if len(one.Commit.Files) > 0 {
			one.Files = jsonOf(one.Commit.Files)
		}
		if !c.At.IsZero() {
			one.At = new(ms(c.At))
		}
		list = append(list, one)
	}
	_, err = tx.exec(`
		INSERT INTO release_commits (release_id, position, hash, repository, author_name, author_email, message, at, files)
		SELECT ?1, key, value->>'hash', value->>'repository', value->>'author_name', value->>'author_email', value->>'message', value->>'at', value->>'files'
		FROM json_each(?2) WHERE TRUE`, r.ID, jsonOf(list))
	return err
}

// SetRefs says where a release's repositories stood, in place of what was said before;
// ErrNotFound if there is no such release.
func (tx *Tx) SetRefs(project event.ProjectID, version string, refs []Ref) error {
	r, err := tx.Release(project, version)
	if err != nil {
		return err
	}
	if _, err := tx.exec(`DELETE FROM release_refs WHERE release_id = ?`, r.ID); err != nil {
		return err
	}
	for i, f := range refs {
		refs[i] = Ref{cutLine(f.Repository, maxCommitText), cutLine(f.Hash, maxCommitText), cutLine(f.Previous, maxCommitText)}
	}
	_, err = tx.exec(`
		INSERT INTO release_refs (release_id, repository, hash, previous)
		SELECT ?1, value->>'repository', value->>'hash', value->>'previous' FROM json_each(?2) WHERE TRUE
		ON CONFLICT DO UPDATE SET hash = excluded.hash, previous = excluded.previous`, r.ID, jsonOf(refs[:min(len(refs), maxCommits)]))
	return err
}

// Commits returns what changed in a release, by its ID, the newest first.
func (rx *Rx) Commits(release int64, limit int) ([]Commit, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT hash, repository, author_name, author_email, message, at, files
		FROM release_commits WHERE release_id = ? ORDER BY position LIMIT ?`, release, min(max(limit, 1), maxCommits))
	var at sql.NullInt64
	var files string
	var bad error
	commits, err := collectThen(rows, err, func(c *Commit) []any {
		return []any{&c.Hash, &c.Repository, &c.AuthorName, &c.AuthorEmail, &c.Message, &at, &files}
	}, func(c *Commit) {
		c.At = fromMS(at)
		if err := json.Unmarshal([]byte(files), &c.Files); err != nil {
			bad = err
		}
	})
	if err == nil {
		err = bad
	}
	return commits, err
}

// Refs returns where a release's repositories stood, by its ID, by name.
func (rx *Rx) Refs(release int64) ([]Ref, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT repository, hash, previous FROM release_refs WHERE release_id = ? ORDER BY repository`, release)
	return collect(rows, err, func(r *Ref) []any { return []any{&r.Repository, &r.Hash, &r.Previous} })
}

// PreviousWithCommits returns the newest release of a project in front of one, by its
// ID, whose commits are known; ErrNotFound if there is none.
func (rx *Rx) PreviousWithCommits(project event.ProjectID, before int64) (Release, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT `+releaseColumns+`
		FROM releases r LEFT JOIN release_counts c ON c.project_id = r.project_id AND c.release = r.version
		WHERE r.id = (
		  SELECT max(p.id) FROM releases p WHERE p.project_id = ? AND p.id < ? AND EXISTS (SELECT 1 FROM release_commits WHERE release_id = p.id))
		GROUP BY r.id`, int64(project), before)
	return one(collectReleases(rows, err))
}
