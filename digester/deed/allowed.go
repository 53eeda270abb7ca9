package deed

import (
	"sundew/digester/access"
	"sundew/digester/store"
)

// Allowed returns the issues to which a person may do something, and how many of the
// chosen ones they may only see. Those of projects that the person does not see are
// passed over as if they did not exist, and so is everything where the issue that
// others are to be taken out of is not theirs.
func Allowed(rx *store.Rx, person access.Person, a Action, chosen []int64) (ids []int64, denied int, err error) {
	asked := chosen
	if a.Verb == Unmerge {
		asked = append(asked[:len(asked):len(asked)], a.Head)
	}
	projects, err := rx.IssueProjects(asked)
	if err != nil {
		return nil, 0, err
	}
	if a.Verb == Unmerge {
		if role := person.In(projects[a.Head]); role < a.Verb.Least() {
			return nil, int(min(role, 1)), nil
		}
	}
	for _, id := range chosen {
		switch role := person.In(projects[id]); {
		case projects[id] == 0 || role == access.None:
		case role < a.Verb.Least():
			denied++
		default:
			ids = append(ids, id)
		}
	}
	return ids, denied, nil
}

// HeadOf returns the issue that is the head of what is merged, and the others: the one
// with the most events, of several the oldest. What is open goes before what somebody
// decided about, or it would leave the list with that. The error is *Unfit where they
// cannot be merged.
func HeadOf(rx *store.Rx, ids []int64) (head int64, others []int64, err error) {
	issues, err := rx.IssuesByID(ids)
	if err != nil {
		return 0, nil, err
	}
	if len(issues) < 2 {
		return 0, nil, Cannot("Choose two issues or more to merge them.")
	}
	most := issues[0]
	for _, issue := range issues {
		if issue.ProjectID != most.ProjectID {
			return 0, nil, errOneProject()
		}
		if open := issue.State == store.StateOpen; open != (most.State == store.StateOpen) {
			if open {
				most = issue
			}
		} else if issue.Events > most.Events {
			most = issue
		}
	}
	for _, issue := range issues {
		if issue.ID != most.ID {
			others = append(others, issue.ID)
		}
	}
	return most.ID, others, nil
}
