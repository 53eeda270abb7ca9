package dashboard

import (
	"slices"
	"strings"
	"time"

	"sundew/schema/event"
)

// breadcrumbView is something that happened before the event.
type breadcrumbView struct {
	At       time.Time
	Type     string
	Category string
	Level    event.Level
	Message  string
	Data     fieldList
}

// Kind is what the crumb is filtered by: its category, or its type where it has
// none.
func (c breadcrumbView) Kind() string {
	if c.Category != "" {
		return c.Category
	}
	return c.Type
}

// Notable reports whether the crumb is a warning or worse.
func (c breadcrumbView) Notable() bool { return c.Level >= event.LevelWarning }

// crumbsView is the breadcrumbs of an event, the last one first.
type crumbsView struct {
	Rows    []breadcrumbView // those that the filter lets through
	Filters []crumbFilter    // empty: there is nothing to choose
	Filter  string           // the one in use; empty: none
	Hidden  int              // by the filter
}

// crumbFilter is a choice of crumbs.
type crumbFilter struct {
	Name    string // in addresses; empty: all of them
	Text    string
	Count   int
	Current bool
}

const (
	// newestCrumbs is how many breadcrumbs are shown without unfolding.
	newestCrumbs = 15

	// maxFilters is how many kinds of breadcrumbs can be chosen; the rarer ones
	// cannot.
	maxFilters = 8

	// maxKinds is among how many kinds the most frequent are looked for.
	maxKinds = 64

	notableCrumbs = "notable"
	kindPrefix    = "kind:"
)

// Recent are the breadcrumbs shown at once.
func (v crumbsView) Recent() []breadcrumbView { return v.Rows[:min(len(v.Rows), newestCrumbs)] }

// Older are the folded ones.
func (v crumbsView) Older() []breadcrumbView { return v.Rows[min(len(v.Rows), newestCrumbs):] }

// breadcrumbs shows what a filter lets through.
func (b *budget) breadcrumbs(crumbs []event.Breadcrumb, filter string) *crumbsView {
	if len(crumbs) == 0 {
		return nil
	}
	all := make([]breadcrumbView, 0, len(crumbs))
	for i := len(crumbs) - 1; i >= 0 && b.row(); i-- {
		c := crumbs[i]
		all = append(all, breadcrumbView{
			At: c.Timestamp, Level: c.Level,
			Type:     b.text(c.Type, maxLine),
			Category: b.text(c.Category, maxLine),
			Message:  b.text(c.Message, maxValue),
			Data:     b.fields(c.Data, maxLine),
		})
	}
	view := &crumbsView{Filters: crumbFilters(all)}
	for i := range view.Filters {
		f := &view.Filters[i]
		if f.Current = f.Name == filter; f.Current {
			view.Filter = filter
		}
	}
	if view.Filter == "" && len(view.Filters) > 0 {
		view.Filters[0].Current = true // one that is not there is none
	}
	for _, c := range all {
		if lets(view.Filter, c) {
			view.Rows = append(view.Rows, c)
		}
	}
	view.Hidden = len(all) - len(view.Rows)
	for _, f := range view.Filters {
		b.left -= rowCost/2 + 3*len(f.Text)
	}
	b.left = max(b.left, 0)
	return view
}

// lets reports whether a filter lets a crumb through.
func lets(filter string, c breadcrumbView) bool {
	kind, byKind := strings.CutPrefix(filter, kindPrefix)
	switch {
	case filter == "":
		return true
	case byKind:
		return c.Kind() == kind
	}
	return c.Notable()
}

// crumbFilters returns the choices, the most frequent kind first; none if there
// is one kind only.
func crumbFilters(crumbs []breadcrumbView) []crumbFilter {
	var kinds []crumbFilter
	notable := 0
	for _, c := range crumbs {
		if c.Notable() {
			notable++
		}
		at := slices.IndexFunc(kinds, func(f crumbFilter) bool { return f.Text == c.Kind() })
		if at < 0 && len(kinds) == maxKinds {
			continue
		}
		if at < 0 {
			at = len(kinds)
			kinds = append(kinds, crumbFilter{Name: kindPrefix + c.Kind(), Text: c.Kind()})
		}
		kinds[at].Count++
	}
	kinds = slices.DeleteFunc(kinds, func(f crumbFilter) bool { return f.Text == "" })
	slices.SortStableFunc(kinds, func(a, b crumbFilter) int { return b.Count - a.Count })
	filters := []crumbFilter{{Text: "All", Count: len(crumbs)}}
	if notable > 0 && notable < len(crumbs) {
		filters = append(filters, crumbFilter{Name: notableCrumbs, Text: "Warnings and errors", Count: notable})
	}
	if len(kinds) > 1 {
		filters = append(filters, kinds[:min(len(kinds), maxFilters)]...)
	}
	if len(filters) == 1 {
		return nil
	}
	return filters
}
