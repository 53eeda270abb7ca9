package store

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sundew/schema/event"
)

const (
	// maxVersion bounds a release's name, in characters: that of an event is cut there.
	maxVersion = 200

	// maxAddress bounds an address that a page links to, in bytes.
	maxAddress = 2048
)

// ReleaseFacts is what a tool or a person said about a release.
type ReleaseFacts struct {
	URL        string    // where people read about it; may be empty
	Ref        string    // e.g. the commit it was built from; may be empty
	StartedAt  time.Time // when its build began; zero: nobody said so
	ReleasedAt time.Time // when it was finalized; zero: it is not
	Archived   bool
}

// ReleaseChange is what changes about a release; nil: it stays as it is.
type ReleaseChange struct {
	URL        *string
	Ref        *string
	StartedAt  *time.Time // zero: it is not known any more; the same for the next
	ReleasedAt *time.Time
	Archived   *bool
}

// CheckVersion returns the name of a release without blanks around it. The error wraps
// ErrInvalid where no event could have it.
func CheckVersion(version string) (string, error) {
	version = strings.TrimSpace(version)
	if version == "" || utf8.RuneCountInString(version) > maxVersion || !utf8.ValidString(version) ||
		strings.ContainsFunc(version, unicode.IsControl) || version == "." || version == ".." {
		return "", fmt.Errorf("%w release: its name needs 1 to %d printable characters", ErrInvalid, maxVersion)
	}
	return version, nil
}

// MakeRelease makes a release of a project that no event has named yet, and changes
// it. One that is there is changed only. It returns whether it was made; the error
// wraps ErrInvalid.
func (tx *Tx) MakeRelease(project event.ProjectID, version string, c ReleaseChange) (made bool, err error) {
	if version, err = CheckVersion(version); err != nil {
		return false, err
	}
	n, err := tx.exec(`
		INSERT INTO releases (project_id, version, created_at, made) VALUES (?, ?, ?, 1) ON CONFLICT DO NOTHING`,
		int64(project), version, ms(tx.now))
	if err != nil {
		return false, err
	}
	return n > 0, tx.ChangeRelease(project, version, c)
}

// ChangeRelease changes a release; ErrNotFound if the project has none of this name,
// else the error wraps ErrInvalid.
func (tx *Tx) ChangeRelease(project event.ProjectID, version string, c ReleaseChange) error {
	r, err := tx.Release(project, version)
	if err != nil {
		return err
	}
	f := r.ReleaseFacts
	set(&f.URL, c.URL)
	set(&f.Ref, c.Ref)
	set(&f.StartedAt, c.StartedAt)
	set(&f.ReleasedAt, c.ReleasedAt)
	set(&f.Archived, c.Archived)
	if f.URL, err = cleanAddress("release's address", f.URL); err != nil {
		return err
	}
	if f.Ref, err = cleanText("release's ref", f.Ref, maxVersion); err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE releases SET url = ?, ref = ?, started_at = ?, released_at = ?, archived = ? WHERE id = ?`,
		f.URL, f.Ref, nullTime(f.StartedAt), nullTime(f.ReleasedAt), f.Archived, r.ID)
	return err
}

// set sets a field to what it changes to, if it does.
func set[T any](field, to *T) {
	if to != nil {
		*field = *to
	}
}

// RemoveRelease removes a release that no event ever named, with its commits and
// deploys; ErrNotFound if there is none. The error wraps ErrInvalid if events named it:
// issues tell by it where they began and ended.
func (tx *Tx) RemoveRelease(project event.ProjectID, version string) error {
	r, err := tx.Release(project, version)
	if err != nil {
		return err
	}
	var used bool
	err = tx.q.QueryRowContext(tx.ctx, `
		SELECT EXISTS (SELECT 1 FROM release_counts WHERE project_id = ? AND release = ?)`, int64(project), version).Scan(&used)
	if err == nil && used {
		err = fmt.Errorf("%w removal: events named this release, so it stays; it can be archived", ErrInvalid)
	}
	if err != nil {
		return err
	}
	_, err1 := tx.exec(`DELETE FROM release_commits WHERE release_id = ?`, r.ID)
	_, err2 := tx.exec(`DELETE FROM release_refs WHERE release_id = ?`, r.ID)
	_, err3 := tx.exec(`DELETE FROM deploys WHERE project_id = ? AND release = ?`, int64(project), version)
	_, err4 := tx.exec(`DELETE FROM releases WHERE id = ?`, r.ID)
	return errors.Join(err1, err2, err3, err4)
}

// cleanText returns a text of one line without blanks around it, which may be empty.
func cleanText(what, text string, most int) (string, error) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) > most || strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return "", fmt.Errorf("%w %s: it has at most %d printable characters", ErrInvalid, what, most)
	}
	return text, nil
}

// cleanAddress returns an address of the web, which may be empty.
func cleanAddress(what, address string) (string, error) {
	address = strings.TrimSpace(address)
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || len(address) > maxAddress || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%w %s: it begins with http:// or https:// and has at most %d characters", ErrInvalid, what, maxAddress)
	}
	return address, nil
}
