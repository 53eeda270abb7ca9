package dashboard

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sundew/digester/search"
	"sundew/digester/store"
)

// openQuery is what an issue list shows when its address says nothing else.
const openQuery = "is:unresolved"

// issueList is what the address of an issue list says. All of it is in the address,
// so that a list can be shared as it is.
type issueList struct {
	Query       string // as typed
	Environment string // empty: all, likewise below
	Release     string
	Since       string    // a name of spans
	Graph       string    // a name of graphSpans; empty: the first
	Sort        string    // a name of issueSorts; empty: the first
	Before      time.Time // only issues last seen before; zero: all
	Page        int       // from 0
}

// choice is one of several values of a field.
type choice struct{ Value, Text string }

// spans are for how long issues may have been seen.
func spans() []choice {
	return []choice{{"24h", "Last 24 hours"}, {"7d", "Last 7 days"}, {"14d", "Last 14 days"}, {"30d", "Last 30 days"}, {"90d", "Last 90 days"}}
}

// issueSorts are the orders, of which the first is the default.
func issueSorts() []choice {
	return []choice{{"seen", "Last seen"}, {"first", "First seen"}, {"events", "Events"}, {"users", "Users"}, {"trend", "Rising"}}
}

// graphSpans are what bar graphs show.
func graphSpans() []choice { return []choice{{"24h", "24 hours"}, {"14d", "14 days"}} }

// known returns a value that is one of the choices, else the empty one.
func known(choices []choice, value string) string {
	for _, c := range choices {
		if c.Value == value {
			return value
		}
	}
	return ""
}

// parseIssueList reads an address. What it does not understand is the default, but
// for the query, which says so itself.
func parseIssueList(r *http.Request) issueList {
	const lastPage = 10_000 // beyond it nobody looks; it bounds the offset
	q := r.URL.Query()
	list := issueList{
		Query: openQuery, Environment: q.Get("env"), Release: q.Get("release"), Since: known(spans(), q.Get("since")),
		Graph: known(graphSpans()[1:], q.Get("graph")), Sort: known(issueSorts()[1:], q.Get("sort")),
		Page: int(queryNumber(r, "page", lastPage, 1)) - 1,
	}
	if before := queryNumber(r, "before", math.MaxInt32, 0); before > 0 {
		list.Before = time.Unix(before, 0)
	}
	if q.Has("q") {
		list.Query = strings.TrimSpace(q.Get("q"))
	}
	return list
}

// query is the inverse of parseIssueList; what is the default is left out.
func (l issueList) query() string {
	q := url.Values{}
	if l.Query != openQuery {
		q.Set("q", l.Query)
	}
	for name, value := range map[string]string{"env": l.Environment, "release": l.Release, "since": l.Since, "graph": l.Graph, "sort": l.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !l.Before.IsZero() {
		q.Set("before", strconv.FormatInt(l.Before.Unix(), 10))
	}
	if l.Page > 0 {
		q.Set("page", strconv.Itoa(l.Page+1))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// sort is the order for the store.
func (l issueList) sort() store.IssueSort {
	switch l.Sort {
	case "first":
		return store.SortFirstSeen
	case "events":
		return store.SortEvents
	case "users":
		return store.SortUsers
	case "trend":
		return store.SortTrend
	}
	return store.SortLastSeen
}

// filters are the terms that the fields beside the query stand for.
func (l issueList) filters() search.Query {
	var q search.Query
	if l.Environment != "" {
		q = append(q, search.Term{Cond: search.Tag{Key: "environment", Any: []search.Pattern{{l.Environment}}}})
	}
	if l.Release != "" {
		q = append(q, search.Term{Cond: search.Tag{Key: "release", Any: []search.Pattern{{l.Release}}}})
	}
	for i, days := range []int{1, 7, 14, 30, 90} {
		if l.Since == spans()[i].Value {
			q = append(q, search.Term{Cond: search.When{Of: search.LastSeen, Op: search.AtLeast, To: search.Instant{Ago: time.Duration(days) * 24 * time.Hour}}})
		}
	}
	return q
}

// whole is the query with what the fields beside it say, to be saved.
func (l issueList) whole() string {
	return strings.TrimSpace(l.Query + " " + l.filters().String())
}

// states are the states that the query asks for by a term of its own, and the query
// without that term.
func states(text string, q search.Query) (asked string, rest string) {
	rest = text
	for i := len(q) - 1; i >= 0; i-- {
		is, ok := q[i].Cond.(search.Is)
		if !ok || q[i].Not || !onlyStates(is) {
			continue
		}
		asked = is.Any[0].String()
		if len(is.Any) > 1 {
			asked = "several"
		}
		rest = strings.TrimRight(rest[:q[i].At], " ") + " " + strings.TrimLeft(rest[q[i].End:], " ")
	}
	return asked, strings.TrimSpace(rest)
}

func onlyStates(is search.Is) bool {
	for _, p := range is.Any {
		if p != search.Open && p != search.Resolved && p != search.Muted {
			return false
		}
	}
	return true
}
