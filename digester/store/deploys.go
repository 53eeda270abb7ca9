package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode"

	"sundew/schema/event"
)

const (
	// maxDeploys bounds a list of deploys.
	maxDeploys = 100

	// maxDeployText bounds what is written about a deploy, in bytes.
	maxDeployText = 200
)

// Deploy says that a release went somewhere.
type Deploy struct {
	ID          int64
	Release     string
	Environment string
	Name        string    // may be empty
	URL         string    // where it runs; may be empty
	StartedAt   time.Time // zero: not known
	FinishedAt  time.Time
}

// Deploys returns the newest deploys of a release, the newest first; the release ""
// is any.
func (rx *Rx) Deploys(project event.ProjectID, release string, limit int) ([]Deploy, error) {
	where, args := `project_id = ?1`, []any{int64(project), min(max(limit, 1), maxDeploys)}
	if release != "" {
		where += ` AND release = ?3`
		args = append(args, release)
	}
	return rx.deploys(where+` ORDER BY id DESC LIMIT ?2`, args...)
}

// Deploy returns one deploy of a project, ErrNotFound if it has none such.
func (rx *Rx) Deploy(project event.ProjectID, id int64) (Deploy, error) {
	return one(rx.deploys(`project_id = ? AND id = ?`, int64(project), id))
}

func (rx *Rx) deploys(where string, args ...any) ([]Deploy, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT id, release, environment, name, url, started_at, finished_at FROM deploys WHERE `+where, args...)
	var started, finished sql.NullInt64
	return collectThen(rows, err, func(d *Deploy) []any {
		return []any{&d.ID, &d.Release, &d.Environment, &d.Name, &d.URL, &started, &finished}
	}, func(d *Deploy) { d.StartedAt, d.FinishedAt = fromMS(started), fromMS(finished) })
}

// AddDeploy records a deploy and returns its id; without FinishedAt it finished now.
// The error wraps ErrInvalid.
func (tx *Tx) AddDeploy(project event.ProjectID, d Deploy) (int64, error) {
	d.Release, d.Environment, d.Name = strings.TrimSpace(d.Release), strings.TrimSpace(d.Environment), strings.TrimSpace(d.Name)
	for _, text := range []string{d.Release, d.Environment, d.Name} {
		if len(text) > maxDeployText || strings.ContainsFunc(text, unicode.IsControl) {
			return 0, fmt.Errorf("%w deploy: each text has at most %d printable characters", ErrInvalid, maxDeployText)
		}
	}
	if d.Release == "" || d.Environment == "" {
		return 0, fmt.Errorf("%w deploy: it needs a release and an environment", ErrInvalid)
	}
	address, err := cleanAddress("deploy's address", d.URL)
	if err != nil {
		return 0, err
	}
	if d.FinishedAt.IsZero() {
		d.FinishedAt = tx.now
	}
	var started any
	if !d.StartedAt.IsZero() {
		if started = ms(d.StartedAt); d.StartedAt.After(d.FinishedAt) {
			return 0, fmt.Errorf("%w deploy: it finished before it started", ErrInvalid)
		}
	}
	return tx.insert(`
		INSERT INTO deploys (project_id, release, environment, name, url, started_at, finished_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		int64(project), d.Release, d.Environment, d.Name, address, started, ms(d.FinishedAt))
}

// RemoveDeploy removes a deploy that was recorded by mistake; ErrNotFound if the
// project has none such.
func (tx *Tx) RemoveDeploy(project event.ProjectID, id int64) error {
	return someChanged(tx.exec(`DELETE FROM deploys WHERE project_id = ? AND id = ?`, int64(project), id))
}
