package store

import (
	"fmt"

	"sundew/schema/event"
)

// ImportRegion is where imported events are from: in what is stored of an event it stands
// in place of a region.
const ImportRegion = "import"

// Imported names something on another server.
type Imported struct {
	Source string // which server, and which organization of it
	Remote string // its id there
}

// ImportedProject returns the project that was made of one elsewhere, ErrNotFound if
// none was, or if it was deleted since.
func (rx *Rx) ImportedProject(from Imported) (Project, error) {
	return one(rx.projects(`WHERE deleted_at IS NULL AND id = (SELECT project_id FROM imported_projects WHERE source = ? AND remote = ?)`, from.Source, from.Remote))
}

// NoteImportedProject notes which project was made of one elsewhere.
func (tx *Tx) NoteImportedProject(project event.ProjectID, from Imported) error {
	_, err := tx.exec(`
		INSERT INTO imported_projects (source, remote, project_id, imported_at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT DO UPDATE SET project_id = ?3, imported_at = ?4`, from.Source, from.Remote, int64(project), ms(tx.now))
	return err
}

// ImportedIssue reports whether an issue elsewhere was imported into a project.
func (rx *Rx) ImportedIssue(project event.ProjectID, from Imported) (bool, error) {
	var n int
	err := rx.q.QueryRowContext(rx.ctx, `SELECT count(*) FROM imported_issues WHERE project_id = ? AND source = ? AND remote = ?`,
		int64(project), from.Source, from.Remote).Scan(&n)
	return n > 0, err
}

// NoteImportedIssue notes that an issue elsewhere was imported into a project.
// ErrTaken if it was before.
func (tx *Tx) NoteImportedIssue(project event.ProjectID, from Imported) error {
	n, err := tx.exec(`
		INSERT INTO imported_issues (project_id, source, remote, imported_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		int64(project), from.Source, from.Remote, ms(tx.now))
	if err == nil && n == 0 {
		err = fmt.Errorf("issue %s: %w", from.Remote, ErrTaken)
	}
	return err
}

// EventOf returns the event of a project that has an id of the SDK's, ErrNotFound if
// there is none.
func (rx *Rx) EventOf(project event.ProjectID, id event.ID) (Event, error) {
	return one(rx.events("WHERE event_id = ? AND project_id = ?", id[:], int64(project)))
}
