package dashboard

import (
	"fmt"
	"strconv"
	"strings"

	"sundew/digester/grouping"
	"sundew/schema/event"
)

// exceptionView is one exception of a chain or of a group.
type exceptionView struct {
	Index     int    // in the event; its anchor has it
	Depth     int    // in groups: how many are around it
	Open      bool   // of those in groups, which can be folded
	Relation  string // to the one that it belongs to: "Caused by"; empty for the thrown one
	Type      string
	Value     string
	Module    string
	Handled   string // "handled", "unhandled", or empty when the SDK did not say so, or said the same of the thrown one
	Mechanism fieldList
	HelpLink  string
	Stack     *stackView
}

const (
	// maxDepth is how far exceptions in groups are indented.
	maxDepth = 4

	// openMembers is how many exceptions of an event with groups are unfolded.
	openMembers = 4
)

// exceptions shows the thrown exception first, then what it hangs together with:
// the order in which people ask.
func (b *budget) exceptions(ev *event.Event, order frameOrder, group grouping.Result) []exceptionView {
	var views []exceptionView
	for _, l := range arrange(ev.Exceptions) {
		if !b.row() {
			break
		}
		e := ev.Exceptions[l.index]
		view := exceptionView{
			Index: l.index, Depth: l.depth, Open: len(views) < openMembers,
			Type:      b.text(e.Type, maxLine),
			Value:     b.text(e.Value, maxBody),
			Module:    b.text(e.Module, maxLine),
			Handled:   handled(e.Mechanism.Handled),
			Mechanism: b.mechanism(e.Mechanism),
			HelpLink:  webLink(b.text(e.Mechanism.HelpLink, maxLine)),
			Relation:  l.relation(ev.Exceptions),
		}
		if e.Stacktrace != nil && len(e.Stacktrace.Frames) > 0 {
			var grouped []int
			if group.Exception == l.index {
				grouped = group.Frames
			}
			stack := b.stack(e.Stacktrace, order, grouped)
			view.Stack = &stack
		}
		if len(views) > 0 && view.Handled == views[0].Handled {
			view.Handled = "" // SDKs say it of each
		}
		views = append(views, view)
	}
	return views
}

// link is the place of an exception among the others.
type link struct {
	index  int // in the event
	parent int // the one that it hangs on; -1: on none
	depth  int // how many groups it is in
	member int // as the how many'th of its group, from 1
	of     int // members of that group; 0: it is in none
}

// arrange orders exceptions for reading: each in front of what caused it, groups
// in front of their members, every one once. What numbers say that contradict
// each other, or that name exceptions which are not there, does not count.
func arrange(all []event.Exception) []link {
	children := make([][]int, len(all))
	parents := parentsOf(all)
	for i := len(all) - 1; i >= 0; i-- {
		if p := parents[i]; p >= 0 {
			children[p] = append(children[p], i)
		}
	}
	links := make([]link, 0, len(all))
	seen := make([]bool, len(all))
	var visit func(link)
	visit = func(l link) {
		if seen[l.index] {
			return
		}
		seen[l.index] = true
		links = append(links, l)
		members, of := 0, 0
		for _, c := range children[l.index] {
			if isMember(all, c, l.index) {
				of++
			}
		}
		for _, c := range children[l.index] {
			next := link{index: c, parent: l.index, depth: l.depth}
			if isMember(all, c, l.index) {
				members++
				next.member, next.of, next.depth = members, of, min(l.depth+1, maxDepth)
			}
			visit(next)
		}
	}
	for i := len(all) - 1; i >= 0; i-- { // beyond the first only those in circles
		visit(link{index: i, parent: -1})
	}
	return links
}

// parentsOf returns the place of the exception that each hangs on, -1 for the
// thrown one. Without numbers it is the one behind: SDKs that have none send
// plain chains of causes.
func parentsOf(all []event.Exception) []int {
	byID := make(map[int]int, len(all))
	for i, e := range all {
		if id := e.Mechanism.ExceptionID; id != nil {
			byID[*id] = i // the last one of an id counts: the thrown one is last
		}
	}
	parents := make([]int, len(all))
	for i := range all {
		parents[i] = i + 1
		if id := all[i].Mechanism.ParentID; id != nil {
			if p, ok := byID[*id]; ok && p != i {
				parents[i] = p
			}
		}
	}
	if len(all) > 0 {
		parents[len(all)-1] = -1
	}
	return parents
}

// isMember reports whether an exception is one of those that a group holds, and
// not what caused the group.
func isMember(all []event.Exception, child, parent int) bool {
	switch all[child].Mechanism.Source {
	case "cause", "__cause__", "__context__":
		return false
	}
	return all[parent].Mechanism.IsGroup && all[child].Mechanism.ParentID != nil
}

// relation says how an exception belongs to the one that it hangs on; the thrown
// one has none.
func (l link) relation(all []event.Exception) string {
	m := all[l.index].Mechanism
	switch {
	case l.index == len(all)-1:
		return ""
	case l.parent < 0:
		return "Also in the event"
	case l.of > 0:
		return fmt.Sprintf("In the group, %d of %d", l.member, l.of)
	case m.Type == "suppressed":
		return "Suppressed"
	case m.Source == "__context__":
		return "While handling"
	}
	return "Caused by"
}

func handled(h *bool) string {
	switch {
	case h == nil:
		return ""
	case *h:
		return "handled"
	}
	return "unhandled"
}

// mechanism says how an exception was caught. What its place on the page shows, that
// it is part of a chain or of a group, is left out.
func (b *budget) mechanism(m event.Mechanism) fieldList {
	var pairs []event.Pair
	if m.Type != "chained" && m.Type != "generic" {
		pairs = append(pairs, event.Pair{Key: "Mechanism", Value: m.Type})
	}
	if !isRelation(m.Source) {
		pairs = append(pairs, event.Pair{Key: "Source", Value: m.Source})
	}
	pairs = append(pairs, event.Pair{Key: "Description", Value: m.Description})
	if m.Synthetic {
		pairs = append(pairs, event.Pair{Key: "Synthetic", Value: "yes"})
	}
	fields := b.known(pairs)
	if len(m.Data) > 2 { // more than {}
		fields = append(fields, b.field("Data", b.value(m.Data, maxValue)))
	}
	return fields
}

// isRelation reports whether a mechanism's source says how the exception hangs on
// its parent, in one of the ways that SDKs have.
func isRelation(source string) bool {
	switch source {
	case "cause", "__cause__", "__context__", "unwrap":
		return true
	}
	return strings.HasPrefix(source, "errors[") || strings.HasPrefix(source, "exceptions[")
}

// Anchor is the exception's place on the page, for links.
func (e exceptionView) Anchor() string { return "exception-" + strconv.Itoa(e.Index) }
