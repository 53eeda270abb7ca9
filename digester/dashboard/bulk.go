package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/schema/event"
)

// bulkBar is the form beside a list that does something to the issues that are chosen
// there. nil: the person may only look at them.
type bulkBar struct {
	Back      string // the list
	Choices   actChoices
	Single    bool // it is the list of one project, with all that can be chosen there
	MayDelete bool
	may       map[event.ProjectID]bool
}

// Takes reports whether the person may choose issues of a project.
func (b *bulkBar) Takes(project event.ProjectID) bool { return b != nil && b.may[project] }

// newBulkBar reads what the form beside a list of issues offers.
func newBulkBar(rx *store.Rx, r *http.Request, back string, projects []store.Project) (*bulkBar, error) {
	bar := &bulkBar{Back: back, may: make(map[event.ProjectID]bool), Single: len(projects) == 1}
	for _, p := range projects {
		role := who(r).In(p.ID)
		bar.may[p.ID] = role >= access.Member
		bar.MayDelete = bar.MayDelete || role >= doDelete.least()
	}
	for _, may := range bar.may {
		if !may {
			continue
		}
		if !bar.Single {
			bar.Choices = actChoices{Me: who(r).ID, Spans: muteSpans()}
			return bar, nil
		}
		var err error
		bar.Choices, err = readActChoices(rx, who(r), projects[0].ID)
		return bar, err
	}
	return nil, nil
}

// bulk is POST /issues/bulk: one action about issues that are chosen in a list. Those
// of projects that the person does not see are passed over as if they did not exist.
func (d *Dashboard) bulk(tx *store.Tx, r *http.Request) (reply, error) {
	back := d.nextAfter(r.PostFormValue("back"))
	a, err := parseAction(r.PostForm, "", who(r).ID, d.cfg.Now())
	if err != nil {
		return reply{}, err
	}
	chosen, err := formIDs(r.PostForm["issue"])
	if err != nil {
		return reply{}, err
	}
	if len(chosen) == 0 {
		return reply{}, &unfit{"Choose issues first, by the boxes beside them."}
	}
	ids, denied, err := d.allowed(tx, r, a, chosen)
	if err != nil {
		return reply{}, err
	}
	if a.verb == doMerge {
		if a.head, ids, err = headOf(&tx.Rx, ids); err != nil {
			return reply{}, err
		}
	}
	done, err := d.act(tx, r, a, ids)
	switch {
	case errors.Is(err, store.ErrNotFound) && a.verb == doRestore:
		return reply{}, &unfit{tooLate}
	case errors.Is(err, store.ErrNotFound): // somebody was quicker
		done, err = deed{verb: a.verb, same: len(ids)}, nil
	}
	done.denied = denied
	return redirect(done.params(back)), err
}

// allowed returns the issues to which a person may do something, and how many they
// only see. The error is errForbidden or store.ErrNotFound if none is left.
func (d *Dashboard) allowed(tx *store.Tx, r *http.Request, a action, chosen []int64) (ids []int64, denied int, err error) {
	asked := chosen
	if a.verb == doUnmerge {
		asked = append(asked[:len(asked):len(asked)], a.head)
	}
	projects, err := tx.IssueProjects(asked)
	if err != nil {
		return nil, 0, err
	}
	if a.verb == doUnmerge {
		if err := enough(who(r).In(projects[a.head]), a.verb.least()); err != nil {
			return nil, 0, err
		}
	}
	for _, id := range chosen {
		switch role := who(r).In(projects[id]); {
		case projects[id] == 0 || role == access.None:
		case role < a.verb.least():
			denied++
		default:
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) > 0:
		return ids, denied, nil
	case denied > 0:
		return nil, 0, errForbidden
	}
	return nil, 0, store.ErrNotFound
}

// headOf returns the issue that is the head of what is merged, and the others: the one
// with the most events, of several the oldest. What is open goes before what somebody
// decided about, or it would leave the list with that.
func headOf(rx *store.Rx, ids []int64) (head int64, others []int64, err error) {
	issues, err := rx.IssuesByID(ids)
	if err != nil {
		return 0, nil, err
	}
	if len(issues) < 2 {
		return 0, nil, &unfit{"Choose two issues or more to merge them."}
	}
	most := issues[0]
	for _, issue := range issues {
		if issue.ProjectID != most.ProjectID {
			return 0, nil, &unfit{"Only issues of one project can be merged."}
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
