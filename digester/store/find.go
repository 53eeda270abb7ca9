package store

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sundew/digester/search"
	"sundew/schema/event"
)

// IssueSort is the order of an issue list, always newest or largest first.
type IssueSort int

// The orders.
const (
	SortLastSeen  IssueSort = iota
	SortFirstSeen           // the order in which issues were made
	SortEvents
	SortUsers
	SortTrend // by how many more events there were in the last 24 hours than in the 24 before; issues without any in the last ones are left out
)

// Search selects a page of issues.
type Search struct {
	Projects []event.ProjectID // whose issues
	Query    search.Query
	Text     string // that Query was read from, for errors
	Me       int64  // user id; 0: nobody is "me"
	Sort     IssueSort
	Before   time.Time // only issues last seen before; zero: all. It is how a search goes on, see Found
	Offset   int
	Limit    int // at most 100
	Now      time.Time
}

// Found is a page of issues.
type Found struct {
	Issues []Issue
	More   bool // there are more behind it

	// Looked says that the search did not look at all issues, but at so many or fewer,
	// the first ones in its order; 0: at all that could be on this page.
	Looked int64

	// Since is how far it looked where the order is that of when issues were last seen:
	// a search Before it goes on.
	Since time.Time
}

const (
	// maxIssuePage bounds a page of issues.
	maxIssuePage = 100

	// trendHours is what trends compare with as many before, the current hour included.
	trendHours = 24
)

// bounds keep a search short.
type bounds struct {
	// few is how many issues a condition may hold for to be looked up first. Of more
	// than that, the list is walked in its order and each issue asked: a page is full
	// soon then.
	few int64

	// most is how many issues are asked at most where the list is walked, if all in
	// one step of its order are not more. 120,000 issues that have what none may have
	// took 0.2 to 0.4 s of processor time.
	most int64
}

func searchBounds() bounds { return bounds{few: 10_000, most: 10_000} }

// Find returns a page of issues. A term that names somebody who does not exist is a
// *search.Error.
func (rx *Rx) Find(s Search) (Found, error) {
	return rx.find(s, searchBounds())
}

// find is Find with other bounds.
func (rx *Rx) find(s Search, b bounds) (Found, error) {
	f := finder{rx: rx, Search: s, bounds: b, above: -1}
	f.Limit = min(max(s.Limit, 1), maxIssuePage)
	if err := f.compile(); err != nil {
		return Found{}, err
	}
	if len(f.states) == 0 || len(s.Projects) == 0 {
		return Found{}, nil
	}
	page, err := f.page()
	if err != nil {
		return Found{}, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, page.sql, page.args...)
	ids, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err != nil {
		return Found{}, err
	}
	found := f.found(len(ids) > f.Limit)
	ids = ids[:min(len(ids), f.Limit)]
	found.Issues, err = rx.issues(`WHERE i.id IN (SELECT value FROM json_each(?))`, jsonOf(ids))
	slices.SortFunc(found.Issues, func(a, b Issue) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return found, err
}

// MaxStateCount bounds what CountStates counts: to count 120,000 took half the time of
// a page.
const MaxStateCount = 10_000

// CountStates returns how many issues some projects have in each listed state.
func (rx *Rx) CountStates(projects []event.ProjectID) (c StateCounts, err error) {
	const of = `(SELECT count(*) FROM (SELECT 1 FROM json_each(?1) p CROSS JOIN issues INDEXED BY issues_by_id WHERE project_id = p.value AND state = %d LIMIT ?2))`
	err = rx.q.QueryRowContext(rx.ctx, fmt.Sprintf(`SELECT `+of+`, `+of+`, `+of, StateOpen, StateResolved, StateMuted), jsonOf(projects), MaxStateCount+1).
		Scan(&c.Open, &c.Resolved, &c.Muted)
	return c, err
}

// fragment is a piece of SQL with the values of its parameters.
type fragment struct {
	sql  string
	args []any
}

func sqlf(sql string, args ...any) fragment { return fragment{sql, args} }

// join puts fragments together.
func join(parts []fragment, between string) fragment {
	var all fragment
	for i, p := range parts {
		if i > 0 {
			all.sql += between
		}
		all.sql += p.sql
		all.args = append(all.args, p.args...)
	}
	return all
}

// finder makes the statement of a search.
type finder struct {
	rx *Rx
	Search
	bounds

	states  []IssueState
	where   []fragment // conditions on the issue x
	phrases []string   // that have to be in its text
	sources []source   // conditions for which an index has the issues
	seen    span       // of last_seen, that follows from the conditions
	above   int64      // the walk ends at this step of its order; -1: it does not
	unsure  bool       // what the walk did not look at could have been on the page
}

// source is a condition that an index answers with issues.
type source struct {
	ids   fragment // a query of ids of issues, members of others included
	place int      // of its condition in where; -1: it has more issues than hold for any
}

// span is a range of times in ms, both ends included.
type span struct{ from, to int64 }

// page returns a query of the ids of a page and of the first issue behind it, in
// order.
func (f *finder) page() (fragment, error) {
	if !f.Before.IsZero() {
		f.seen.to = min(f.seen.to, ms(f.Before)/seenStepMS*seenStepMS-1)
	}
	if f.Sort == SortTrend {
		f.seen.from = max(f.seen.from, ms(fromHour(hourOf(f.Now)-trendHours+1)))
	}
	if f.seen.from > 0 {
		f.sources = append(f.sources, source{place: -1, ids: sqlf(`SELECT i.id FROM json_each(?) p CROSS JOIN json_each(?) s
			CROSS JOIN issues i INDEXED BY issues_by_seen WHERE i.project_id = p.value AND i.state = s.value AND i.seen_step BETWEEN ? AND ?`,
			f.projects(), jsonOf(f.states), f.seen.from/seenStepMS, f.seen.to/seenStepMS)})
	}
	best, n, err := f.bestSource()
	if err != nil {
		return fragment{}, err
	}
	if n <= f.few {
		return f.gather(best), nil
	}
	if f.mayWalkFar() {
		if f.above, err = f.end(); err != nil {
			return fragment{}, err
		}
	}
	switch f.Sort {
	case SortUsers, SortTrend:
		return f.rank()
	}
	f.unsure = f.above >= 0
	return f.walk(), nil
}

// bestSource returns the source with the fewest issues; more than f.few: there is
// none to begin with.
func (f *finder) bestSource() (best source, n int64, err error) {
	n = math.MaxInt64
	for _, d := range f.sources {
		var count int64
		args := append(append([]any{}, d.ids.args...), f.few+1)
		if err := f.rx.q.QueryRowContext(f.rx.ctx, `SELECT count(*) FROM (`+d.ids.sql+` LIMIT ?)`, args...).Scan(&count); err != nil {
			return source{}, 0, err
		}
		if count < n {
			best, n = d, count
		}
	}
	return best, n, nil
}

// order is how a sort looks in SQL: the index of lists with its column, and the value
// that orders within a step of the index.
type order struct{ index, step, exact string }

func (s IssueSort) order() order {
	switch s {
	case SortEvents:
		return order{"issues_by_count", "count_step", "total_events"}
	case SortFirstSeen:
		return order{"issues_by_id", "id", "id"}
	}
	return order{"issues_by_seen", "seen_step", "total_last_seen"}
}

// trend is a trend's value for the issue x; its parameters are the last hours that do
// not belong to the day, and to the one before, twice.
const trend = `iif(x.merged_first_seen IS NULL,
	(SELECT coalesce(sum(iif(h.hour > ?, h.count, -h.count)), 0) FROM issue_hours h WHERE h.issue_id = x.id AND h.hour > ?),
	(SELECT coalesce(sum(iif(h.hour > ?, h.count, -h.count)), 0) FROM issue_hours h
	 WHERE h.issue_id IN (SELECT x.id UNION ALL SELECT m.id FROM issues m WHERE m.merged_into = x.id) AND h.hour > ?))`

// rankedBy is what a sort without an index orders by.
func (f *finder) rankedBy() fragment {
	switch f.Sort {
	case SortTrend:
		now := hourOf(f.Now)
		return sqlf(trend, now-trendHours, now-2*trendHours, now-trendHours, now-2*trendHours)
	case SortUsers:
		return sqlf("x.total_users")
	}
	o := f.Sort.order()
	return sqlf("x." + o.exact)
}

// gather looks the issues of a source up and sorts those for which all holds.
func (f *finder) gather(d source) fragment {
	where := f.conditions(d.place)
	where = append([]fragment{among(d.ids),
		sqlf(`+x.project_id IN (SELECT value FROM json_each(?))`, f.projects()),
		sqlf(`+x.state IN (SELECT value FROM json_each(?))`, jsonOf(f.states)),
		sqlf(`+x.seen_step BETWEEN ? AND ?`, f.seen.from/seenStepMS, f.seen.to/seenStepMS)}, where...)
	return f.sorted(sqlf(`issues x`), where)
}

// sorted orders all issues for which the conditions hold.
func (f *finder) sorted(from fragment, where []fragment) fragment {
	tie := ""
	if f.Sort == SortUsers || f.Sort == SortTrend { // many have the same
		tie = "total_last_seen DESC, "
	}
	return join([]fragment{
		sqlf(`SELECT id FROM (SELECT x.id, x.total_last_seen, `), f.rankedBy(), sqlf(` AS rank FROM `), from, sqlf(` WHERE `), join(where, " AND "),
		sqlf(`) ORDER BY rank DESC, `+tie+`id DESC LIMIT ? OFFSET ?`, f.Limit+1, f.Offset),
	}, "")
}

// walk goes through the lists of each project and state in their order until a page is
// full. CROSS JOIN keeps SQLite from any other way.
func (f *finder) walk() fragment {
	o := f.Sort.order()
	where := append([]fragment{sqlf(`x.project_id = p.value AND x.state = s.value`), f.seenRange()}, f.conditions(-1)...)
	if f.above >= 0 {
		where = append(where, sqlf(`x.`+o.step+` > ?`, f.above))
	}
	return join([]fragment{
		sqlf(fmt.Sprintf(`SELECT i.id FROM json_each(?) p CROSS JOIN json_each(?) s CROSS JOIN issues i
			WHERE i.id IN (SELECT x.id FROM issues x INDEXED BY %s WHERE `, o.index), f.projects(), jsonOf(f.states)),
		join(where, " AND "),
		sqlf(fmt.Sprintf(` ORDER BY x.%[1]s DESC, x.%[2]s DESC, x.id DESC LIMIT ?)
			ORDER BY i.%[2]s DESC, i.id DESC LIMIT ? OFFSET ?`, o.step, o.exact), f.Offset+f.Limit+1, f.Limit+1, f.Offset),
	}, "")
}

// seenRange restricts the walk to when issues were last seen.
func (f *finder) seenRange() fragment {
	if f.seen.from == 0 && f.seen.to == math.MaxInt64 {
		return sqlf("TRUE")
	}
	return sqlf(`x.seen_step BETWEEN ? AND ?`, f.seen.from/seenStepMS, f.seen.to/seenStepMS)
}

// rank orders by a value that no index has, but that is at most the number of events:
// the issues with the most events give a bound, below which nobody has to look.
func (f *finder) rank() (fragment, error) {
	first := *f
	first.Sort, first.Offset, first.Limit = SortEvents, 0, max(rankFirst, f.Offset+f.Limit)
	most := first.walk()
	value := f.rankedBy()
	probe := join([]fragment{sqlf(`SELECT coalesce(min(rank), 0) FROM (SELECT `), value, sqlf(` AS rank FROM (`), most,
		sqlf(`) top JOIN issues x ON x.id = top.id ORDER BY rank DESC LIMIT 1 OFFSET ?)`, f.Offset+f.Limit)}, "")
	var bound int64
	if err := f.rx.q.QueryRowContext(f.rx.ctx, probe.sql, probe.args...).Scan(&bound); err != nil {
		return fragment{}, err
	}
	from := sqlf(`json_each(?) p CROSS JOIN json_each(?) s CROSS JOIN issues x INDEXED BY `+f.rankIndex(bound), f.projects(), jsonOf(f.states))
	lowest := countStep(max(bound, 0))
	f.unsure = lowest <= f.above
	where := append([]fragment{
		sqlf(`x.project_id = p.value AND x.state = s.value`), sqlf(`x.count_step >= ?`, max(lowest, f.above+1)), f.seenRange(),
	}, f.conditions(-1)...)
	return f.sorted(from, where), nil
}

// rankFirst is how many issues rank looks at for its bound.
const rankFirst = 500

// rankIndex is the list that rank reads: that of what was seen lately, unless the
// bound says more.
func (f *finder) rankIndex(bound int64) string {
	if bound <= 1 && f.seen.from > 0 {
		return "issues_by_seen"
	}
	return "issues_by_count"
}

// conditions are those on the issue x but the one that a source stands for.
func (f *finder) conditions(without int) []fragment {
	var all []fragment
	for i, c := range f.where {
		if i != without {
			all = append(all, c)
		}
	}
	return all
}

func (f *finder) projects() string { return jsonOf(f.Projects) }

// jsonOf is a list of values that can always be written as JSON, as a parameter for
// json_each.
func jsonOf[T any](values []T) string {
	text, err := json.Marshal(values)
	if err != nil || len(values) == 0 {
		return "[]"
	}
	return string(text)
}

// likePattern writes a pattern for LIKE … ESCAPE '\'.
func likePattern(p search.Pattern) string {
	pieces := make([]string, len(p))
	for i, piece := range p {
		pieces[i] = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(piece)
	}
	return strings.Join(pieces, "%")
}
