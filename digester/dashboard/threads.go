package dashboard

import (
	"slices"

	"sundew/schema/event"
)

// threadView is one thread.
type threadView struct {
	Name  string
	State string   // as the SDK calls it, e.g. "WAITING"
	Notes []string // crashed, current
	Open  bool
	Above bool // its stack is that of the exception
	Stack *stackView
}

// threadsView is all threads, those that matter first.
type threadsView []threadView

// manyThreads is how many threads are shown without unfolding.
const manyThreads = 8

// Shown are the threads seen at once.
func (v threadsView) Shown() threadsView { return v[:min(len(v), manyThreads)] }

// Folded are the others.
func (v threadsView) Folded() threadsView { return v[min(len(v), manyThreads):] }

// threads shows the crashed thread first, then the current one, those with calls,
// and the rest. A lone one without calls says nothing. The one that matters is
// unfolded when there is no exception whose stack says the same.
func (b *budget) threads(ev *event.Event, order frameOrder) threadsView {
	threads := slices.Clone(ev.Threads)
	if len(threads) == 1 && threads[0].Stacktrace == nil {
		return nil
	}
	slices.SortStableFunc(threads, func(a, b event.Thread) int { return threadRank(a) - threadRank(b) })
	var views threadsView
	for _, t := range threads {
		if !b.row() {
			break
		}
		matters := t.Crashed || t.Current
		view := threadView{
			Name: b.text(threadName(t), maxLine), State: b.text(t.State, maxLine),
			Open: len(ev.Exceptions) == 0 && (matters || len(threads) == 1),
		}
		if t.Crashed {
			view.Notes = append(view.Notes, "crashed")
		}
		if t.Current {
			view.Notes = append(view.Notes, "current")
		}
		if t.Stacktrace != nil && len(t.Stacktrace.Frames) > 0 {
			stack := b.stack(t.Stacktrace, order, nil)
			view.Stack = &stack
		} else {
			view.Above = matters && len(ev.Exceptions) > 0
		}
		views = append(views, view)
	}
	return views
}

func threadRank(t event.Thread) int {
	switch {
	case t.Crashed:
		return 0
	case t.Current:
		return 1
	case t.Stacktrace != nil:
		return 2
	}
	return 3
}

func threadName(t event.Thread) string {
	switch {
	case t.Name != "" && t.ID != "":
		return t.Name + " (" + t.ID + ")"
	case t.Name != "":
		return t.Name
	case t.ID != "":
		return "Thread " + t.ID
	}
	return "Thread"
}
