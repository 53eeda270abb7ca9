package dashboard

import (
	"time"

	"sundew/digester/store"
)

// lookedView says at which issues a search looked, where it was not at all of them.
type lookedView struct {
	Before time.Time // it began with those last seen before; zero: with the first
	Newest string    // address of the search from the first on; empty: this is it

	Count    int64     // at most so many; 0: at all the rest
	Since    time.Time // down to those last seen then; zero: in another order
	Further  string    // address of the search that goes on
	LastSeen string    // address of the search in the order in which it can go on
}

// newLookedView returns nil if the search looked at all issues.
func (p *issuesPage) newLookedView(found store.Found) *lookedView {
	if found.Looked == 0 && p.List.Before.IsZero() {
		return nil
	}
	view := &lookedView{Before: p.List.Before, Count: found.Looked, Since: found.Since}
	list := p.List.onPage(0)
	if !list.Before.IsZero() {
		list.Before = time.Time{}
		view.Newest = p.link(list)
	}
	switch {
	case found.Looked == 0:
	case found.Since.IsZero():
		list.Sort = ""
		view.LastSeen = p.link(list)
	default:
		list.Before = found.Since
		view.Further = p.link(list)
	}
	return view
}
