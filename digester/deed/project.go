package deed

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// TeamsFor returns the teams that a person may add projects to, by name.
func TeamsFor(rx *store.Rx, person access.Person) ([]store.Team, error) {
	teams, err := rx.Teams()
	return slices.DeleteFunc(teams, func(t store.Team) bool { return !person.Makes(t.ID) }), err
}

// UsualTeam returns the team that a new project belongs to where nobody chose one: the
// first of TeamsFor. 0 is none. ErrForbidden if the person may make no projects.
func UsualTeam(rx *store.Rx, person access.Person) (int64, error) {
	teams, err := TeamsFor(rx, person)
	switch {
	case err != nil:
		return 0, err
	case len(teams) > 0:
		return teams[0].ID, nil
	case person.Makes(0):
		return 0, nil
	}
	return 0, ErrForbidden
}

// CreateProject makes a project in a team that the person may add to.
func CreateProject(tx *store.Tx, by By, n store.NewProject) (store.Project, error) {
	if !by.Person.Makes(n.Team) {
		return store.Project{}, ErrForbidden
	}
	p, err := tx.MakeProject(n)
	if err != nil {
		return p, refusal(err)
	}
	return p, by.setting(tx, p, "project.create", "")
}

// ChangeProject changes what a project is called, and the platform whose guide is
// shown first.
func ChangeProject(tx *store.Tx, by By, p store.Project, c store.ProjectChange) (store.Project, error) {
	changed, err := tx.ChangeProject(p.ID, c)
	if err != nil {
		return changed, refusal(err)
	}
	return changed, by.setting(tx, p, "project.change", changed.Name+", "+changed.Slug+", "+changed.Platform)
}

// DeleteProject deletes a project; RestoreProject takes it back for store.ProjectUndo.
func DeleteProject(tx *store.Tx, by By, p store.Project) error {
	if err := tx.DeleteProject(p.ID); err != nil {
		return err
	}
	return by.setting(tx, p, "project.delete", "")
}

// Restorable returns the deleted projects that a person can still take back, the last
// deleted first: those that they own.
func Restorable(rx *store.Rx, person access.Person, now time.Time) ([]store.Project, error) {
	all, err := rx.DeletedProjects(now)
	return slices.DeleteFunc(all, func(p store.Project) bool { return person.In(p.ID) < access.Owner }), err
}

// RestoreProject takes back that a project was deleted. store.ErrNotFound if it is not
// deleted, or too late.
func RestoreProject(tx *store.Tx, by By, id event.ProjectID) (store.Project, error) {
	if err := tx.RestoreProject(id); err != nil {
		return store.Project{}, err
	}
	p, err := tx.Project(id)
	if err != nil {
		return p, err
	}
	return p, by.setting(tx, p, "project.restore", "")
}

// HideEnvironments says of environments of a project, by name, whether filters leave
// them out. Those that are not named stay as they are; names that the project does not
// have are passed over.
func HideEnvironments(tx *store.Tx, by By, p store.Project, hide map[string]bool) error {
	all, err := tx.Environments(p.ID)
	if err != nil {
		return err
	}
	for _, e := range all {
		if hidden, named := hide[e.Name]; named {
			if err := tx.HideEnvironment(p.ID, e.Name, hidden); err != nil {
				return err
			}
		}
	}
	hidden, err := tx.HiddenEnvironments(p.ID)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range all {
		if hidden[e.Name] {
			names = append(names, cmp.Or(e.Name, "(none)"))
		}
	}
	return by.setting(tx, p, "project.environments", "hidden: "+cmp.Or(strings.Join(names, " "), "nothing"))
}
