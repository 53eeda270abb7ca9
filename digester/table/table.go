// Package table answers questions about stored events as a table: which columns, of
// which events, summed up how.
//
// It exists so that what can be asked is decided in one place, before anything is
// read: New makes a Question of the names of columns and of a query (digester/search),
// or an error that says what is not understood. A question tells its reader what it
// needs (Needs): the fewer columns it is about, the fewer rows does the database have
// to hand out, and only some questions need what the events brought themselves.
//
// The package is pure. Rows stand for one event, or for several that are the same in
// all that was asked for.
package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sundew/digester/search"
	"sundew/schema/event"
)

// Bounds of a question.
const (
	maxColumns = 20
	maxOrders  = 5
)

// Row is what there is to know about an event, or about several that are the same in
// what a question needs.
type Row struct {
	ID      int64    // in digest order; 0: the row is of several
	EventID event.ID // zero: likewise

	Project     event.ProjectID
	ProjectSlug string
	Issue       int64 // that the event is of, with what was merged
	ShortID     string
	Culprit     string          // of the issue
	Platform    string          // likewise
	State       search.Property // of the issue: Open, Resolved or Muted
	Assigned    bool            // the issue, to anybody
	Title       string
	Level       event.Level
	Release     string
	Environment string
	User        string    // one identifier, as in "id:42"
	Bucket      time.Time // when the stretch of time began, if the question is about such

	First, Last time.Time // when the events happened
	Count       int64

	Event *event.Event // what the event brought; nil: it was not asked for, or is gone
}

// Needs is what a question needs to know of events. What rows have is Issue and
// Project, the times and the count, and what is needed beside them.
type Needs uint

// The needs.
const (
	EachEvent Needs = 1 << iota // one row for each event, with all but its body
	Body                        // what the event brought
	Title
	Level
	Release
	Environment
	User
	Hour // rows are told apart by hours, too
)

// Error says what is wrong with a question, for whoever asked.
type Error struct{ Words string }

// Error returns the words.
func (e *Error) Error() string { return e.Words }

func wrong(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Question is what is asked about events.
type Question struct {
	columns []column
	where   []condition
	orders  []order

	// Issues is the part of the query that is about issues: the events of those for
	// which it holds are meant.
	Issues search.Query
	// Narrow is what follows about issues from the rest of the query: only issues for
	// which it holds can have such events.
	Narrow search.Query
	// From and To are when events can have happened, by the query; zero: it does not say.
	From, To time.Time
}

// order is a column by which rows are sorted.
type order struct {
	at   int // of Question.columns
	down bool
}

// New makes a question of names of columns and aggregates, a query that was read from
// text, and by what to sort: names with - in front for the largest first. now is what
// times ago count from. Its errors are *Error.
func New(names []string, query search.Query, sorted []string, now time.Time) (*Question, error) {
	q := &Question{}
	if len(names) == 0 || len(names) > maxColumns {
		return nil, wrong("Name 1 to %d columns: field=title&field=count().", maxColumns)
	}
	for _, name := range names {
		c, err := columnOf(name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(q.columns, func(o column) bool { return o.name == c.name }) {
			q.columns = append(q.columns, c)
		}
	}
	for _, t := range query {
		if err := q.term(t, now); err != nil {
			return nil, err
		}
	}
	if len(sorted) > maxOrders {
		return nil, wrong("A table is sorted by at most %d columns.", maxOrders)
	}
	for _, text := range sorted {
		name, down := strings.CutPrefix(text, "-")
		at := slices.IndexFunc(q.columns, func(c column) bool {
			return c.name == name || c.sum != nil && plainName(c.name) == plainName(name)
		})
		if at < 0 && text == "-timestamp" && !q.Summed() {
			continue // it is the usual order
		}
		if at < 0 {
			return nil, wrong("The table is sorted by %.60q, which is not one of its columns: ask for it with field.", name)
		}
		q.orders = append(q.orders, order{at, down})
	}
	return q, nil
}

// plainName is an aggregate's name as tools write it where they sort: count_unique_user
// for count_unique(user).
func plainName(name string) string {
	name = strings.NewReplacer("(", "_", ")", "", ".", "_", ",", "_", " ", "").Replace(name)
	return strings.TrimSuffix(name, "_")
}

// Summed reports whether the question has aggregates: its rows are groups of events.
func (q *Question) Summed() bool {
	return slices.ContainsFunc(q.columns, func(c column) bool { return c.sum != nil })
}

// Sorted reports whether the question says an order other than the newest event first.
func (q *Question) Sorted() bool {
	newest := len(q.orders) == 1 && q.orders[0].down && q.columns[q.orders[0].at].name == "timestamp"
	return len(q.orders) > 0 && !newest
}

// Needs is all that the question needs to know.
func (q *Question) Needs() Needs {
	n := q.whereNeeds()
	for _, c := range q.columns {
		n |= c.needs
	}
	if n&Body != 0 || !q.Summed() {
		n |= EachEvent
	}
	return n
}

// WhereBody reports whether the query can be answered only with what events brought.
func (q *Question) WhereBody() bool { return q.whereNeeds()&Body != 0 }

func (q *Question) whereNeeds() (n Needs) {
	for _, c := range q.where {
		n |= c.needs
	}
	return n
}

// Passes reports whether the part of the query that needs no body holds for a row.
func (q *Question) Passes(r *Row) bool {
	return q.hold(r, func(c condition) bool { return c.needs&Body == 0 })
}

// Holds reports whether the query holds for a row that has all that is needed.
func (q *Question) Holds(r *Row) bool { return q.hold(r, func(condition) bool { return true }) }

func (q *Question) hold(r *Row, asked func(condition) bool) bool {
	for _, c := range q.where {
		if asked(c) && c.holds(r) == c.not {
			return false
		}
	}
	return true
}
