package deed

import "sundew/digester/store"

// AddDeploy records that a release of a project went somewhere, and notes it. The error
// wraps store.ErrInvalid where its texts will not do.
func AddDeploy(tx *store.Tx, by By, p store.Project, d store.Deploy) (int64, error) {
	id, err := tx.AddDeploy(p.ID, d)
	if err != nil {
		return 0, err
	}
	return id, noteDeploy(tx, by, p, "deploy.add", d)
}

// RemoveDeploy removes a deploy that was recorded by mistake, and notes it; it returns
// what it was. The error is store.ErrNotFound if the project has none such.
func RemoveDeploy(tx *store.Tx, by By, p store.Project, id int64) (store.Deploy, error) {
	d, err := tx.Deploy(p.ID, id)
	if err == nil {
		err = tx.RemoveDeploy(p.ID, id)
	}
	if err != nil {
		return d, err
	}
	return d, noteDeploy(tx, by, p, "deploy.remove", d)
}

func noteDeploy(tx *store.Tx, by By, p store.Project, action string, d store.Deploy) error {
	return by.audit(tx, store.AuditEntry{Action: action, Project: p.ID, TeamID: p.TeamID, Subject: p.Name, Detail: d.Release + " to " + d.Environment})
}
