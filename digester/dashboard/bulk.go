package dashboard

import (
	"errors"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/deed"
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
		bar.MayDelete = bar.MayDelete || role >= deed.Delete.Least()
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
		return reply{}, deed.Cannot("Choose issues first, by the boxes beside them.")
	}
	ids, denied, err := d.allowed(tx, r, a, chosen)
	if err != nil {
		return reply{}, err
	}
	if a.Verb == deed.Merge {
		if a.Head, ids, err = deed.HeadOf(&tx.Rx, ids); err != nil {
			return reply{}, err
		}
	}
	did, err := d.act(tx, r, a, ids)
	switch {
	case errors.Is(err, store.ErrNotFound) && a.Verb == deed.Restore:
		return reply{}, deed.Cannot(deed.TooLate)
	case errors.Is(err, store.ErrNotFound): // somebody was quicker
		did, err = done{Done: deed.Done{Verb: a.Verb, Same: len(ids)}}, nil
	}
	did.denied = denied
	return redirect(did.params(back)), err
}

// allowed returns the issues to which a person may do something, and how many they
// only see. The error is errForbidden or store.ErrNotFound if none is left.
func (d *Dashboard) allowed(tx *store.Tx, r *http.Request, a deed.Action, chosen []int64) (ids []int64, denied int, err error) {
	ids, denied, err = deed.Allowed(&tx.Rx, who(r), a, chosen)
	switch {
	case err != nil || len(ids) > 0:
		return ids, denied, err
	case denied > 0:
		return nil, 0, errForbidden
	}
	return nil, 0, store.ErrNotFound
}
