package store

import "sundew/schema/event"

// HiddenEnvironments returns the environments of a project that filters do not
// offer.
func (rx *Rx) HiddenEnvironments(project event.ProjectID) (map[string]bool, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT name FROM hidden_environments WHERE project_id = ?`, int64(project))
	names, err := collect(rows, err, func(s *string) []any { return []any{s} })
	hidden := make(map[string]bool, len(names))
	for _, name := range names {
		hidden[name] = true
	}
	return hidden, err
}

// ShownEnvironments returns the environments of a project that filters offer.
func (rx *Rx) ShownEnvironments(project event.ProjectID) ([]Environment, error) {
	all, err := rx.Environments(project)
	if err != nil {
		return nil, err
	}
	hidden, err := rx.HiddenEnvironments(project)
	shown := all[:0]
	for _, e := range all {
		if !hidden[e.Name] {
			shown = append(shown, e)
		}
	}
	return shown, err
}

// HideEnvironment takes an environment out of filters, or puts it back.
func (tx *Tx) HideEnvironment(project event.ProjectID, name string, hide bool) error {
	statement := `DELETE FROM hidden_environments WHERE project_id = ? AND name = ?`
	if hide {
		statement = `INSERT INTO hidden_environments (project_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING`
	}
	_, err := tx.exec(statement, int64(project), name)
	return err
}
