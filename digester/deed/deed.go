// Package deed is what people and programs do: to issues (resolve, mute, assign, merge,
// delete, comment), and to projects and what is set about them.
//
// It exists so that pages, the API and agents do the same, with the same questions
// and the same words, and leave the same line in the audit log. Rules: who may do
// something to an issue is asked by Verb.Least and Allowed before Do, which asks nothing
// more; the role that a setting needs is asked by who calls, and only what depends on
// what is given here, with ErrForbidden. All that is done is part of the caller's
// transaction. What cannot be done is an *Unfit, whose words are for whoever asked.
package deed

import (
	"errors"
	"slices"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/triage"
	"sundew/digester/words"
	"sundew/schema/event"
)

// Verb is what can be done to issues. They are in the paths of an issue's forms, in
// the field "do" of the form of a list, and in the audit log.
type Verb string

// The verbs.
const (
	Resolve Verb = "resolve"
	Mute    Verb = "mute"
	Reopen  Verb = "reopen"
	Assign  Verb = "assign"
	Merge   Verb = "merge"
	Unmerge Verb = "unmerge"
	Delete  Verb = "delete"
	Restore Verb = "restore"
)

// Verbs are all of them.
func Verbs() []Verb {
	return []Verb{Resolve, Mute, Reopen, Assign, Merge, Unmerge, Delete, Restore}
}

// Least is the role that a verb needs: members do everything that can be undone for as
// long as anybody likes, and only admins delete.
func (v Verb) Least() access.Role {
	if v == Delete || v == Restore {
		return access.Admin
	}
	return access.Member
}

// Action is a verb with all that it needs to know but the issues.
type Action struct {
	Verb    Verb
	Resolve triage.Resolution // of Resolve
	Mute    triage.Mute       // of Mute
	Assign  store.Assignee    // of Assign
	Head    int64             // of Merge and Unmerge: whose members they are
}

// By is who does something, and from where.
type By struct {
	Person  access.Person
	Address string
}

// Unfit is an action that cannot be done, in words for who asked for it.
type Unfit struct{ Words string }

// Error returns the words.
func (e *Unfit) Error() string { return e.Words }

// Cannot returns an *Unfit.
func Cannot(words string) error { return &Unfit{words} }

// TooLate is said about issues and comments that are gone.
const TooLate = "It is too late: what was deleted can be taken back for 10 minutes."

// Done is what came of an action.
type Done struct {
	Verb    Verb
	Changed []int64
	Same    int     // issues that were so already
	Undo    []int64 // those that become again what they were, all or none
	Head    int64   // of Merge
}

// Do does something to issues that the person may do it to, and notes it. The error is
// *Unfit where it cannot be done, store.ErrNotFound where there is none of them.
func Do(tx *store.Tx, by By, a Action, ids []int64) (Done, error) {
	before, err := tx.IssuesByID(ids)
	if err != nil {
		return Done{}, err
	}
	projects := make(map[event.ProjectID]bool)
	for _, issue := range before {
		projects[issue.ProjectID] = true
	}
	if a.Verb == Assign {
		if err := checkAssignee(&tx.Rx, a.Assign, projects); err != nil {
			return Done{}, err
		}
	}
	changed, err := a.perform(tx, ids, by.Person.ID)
	if err != nil {
		return Done{}, err
	}
	done := Done{Verb: a.Verb, Changed: changed, Same: max(0, len(ids)-len(changed)), Head: a.Head}
	if a.Verb == Merge {
		done.Same = 0 // the head, if it was chosen
	}
	done.Undo = undoable(a.Verb, before, changed)
	for project := range projects {
		if err := a.audit(tx, by, project, before, changed); err != nil {
			return Done{}, err
		}
	}
	return done, nil
}

// perform does it to issues and returns those that it changed. The error is *Unfit
// where it cannot be done.
func (a Action) perform(tx *store.Tx, issues []int64, by int64) ([]int64, error) {
	changed, err := a.run(tx, issues, by)
	if !errors.Is(err, store.ErrInvalid) {
		return changed, err
	}
	switch {
	case len(issues) > store.MaxActed:
		return nil, TooMany()
	case a.Verb == Merge:
		return nil, errOneProject()
	case a.Verb == Resolve:
		return nil, Cannot("The name of the release is too long.")
	case a.Verb == Assign:
		return nil, Cannot("There is no such person or team any more.")
	}
	return nil, err
}

// TooMany is the *Unfit of more issues than can be changed at a time.
func TooMany() error {
	return Cannot("At most " + words.Count(store.MaxActed) + " issues can be changed at a time.")
}

func errOneProject() error { return Cannot("Only issues of one project can be merged.") }

// errVerb is a verb that there is not: the caller's mistake.
var errVerb = errors.New("no such verb")

func (a Action) run(tx *store.Tx, issues []int64, by int64) ([]int64, error) {
	switch a.Verb {
	case Resolve:
		return tx.Resolve(issues, a.Resolve, by)
	case Mute:
		return tx.Mute(issues, a.Mute, by)
	case Reopen:
		return tx.Reopen(issues, by)
	case Assign:
		return tx.Assign(issues, a.Assign, by)
	case Merge:
		return tx.Merge(a.Head, issues, by)
	case Unmerge:
		return tx.Unmerge(a.Head, issues, by)
	case Delete:
		return tx.DeleteIssues(issues, by)
	case Restore:
		return tx.Restore(issues, by)
	}
	return nil, errVerb
}

// checkAssignee returns *Unfit unless all of some projects are seen by whom their
// issues are to be assigned to.
func checkAssignee(rx *store.Rx, to store.Assignee, projects map[event.ProjectID]bool) error {
	cannot := Cannot("An issue can be assigned to people who see its project, and to its team.")
	var person access.Person
	if to.User != 0 {
		user, err := rx.User(to.User)
		if errors.Is(err, store.ErrNotFound) || err == nil && !user.DisabledAt.IsZero() {
			return cannot
		}
		if err != nil {
			return err
		}
		if person, err = rx.Person(to.User); err != nil {
			return err
		}
	}
	for id := range projects {
		if to.User != 0 && person.In(id) < access.Viewer {
			return cannot
		}
		if to.Team == 0 {
			continue
		}
		project, err := rx.Project(id)
		if err != nil {
			return err
		}
		if project.TeamID != to.Team {
			return cannot
		}
	}
	return nil
}

// undoable returns which issues become again what they were, all or none: what was
// muted when it was resolved, or the other way round, does not by being reopened.
func undoable(v Verb, before []store.Issue, changed []int64) []int64 {
	switch v {
	case Delete, Merge:
		return changed
	case Resolve, Mute:
		for _, issue := range before {
			if slices.Contains(changed, issue.ID) && issue.State != store.StateOpen {
				return nil
			}
		}
		return changed
	}
	return nil
}
