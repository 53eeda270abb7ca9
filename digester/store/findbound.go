package store

import (
	"database/sql"
	"time"
)

// mayWalkFar reports whether a walk may go through many issues before a page is full.
func (f *finder) mayWalkFar() bool {
	return len(f.where) > 0 || !f.Before.IsZero() && f.Sort != SortLastSeen
}

// found says how far the search looked, if that matters; full: a page was filled.
func (f *finder) found(full bool) Found {
	found := Found{More: full}
	ranked := f.Sort == SortUsers || f.Sort == SortTrend
	if !f.unsure || full && !ranked {
		return found
	}
	found.Looked = f.most
	if f.Sort == SortLastSeen {
		found.Since = time.UnixMilli((f.above + 1) * seenStepMS)
	}
	return found
}

// end returns the step of the walk's order at which it ends: of the issues above it
// there are at most f.most, or they are all in one step. -1: there are not more in
// all. It is searched for by halves, in lists that indexes have: what is between half
// of f.most and f.most is good enough.
func (f *finder) end() (int64, error) {
	o := f.walkedBy().order()
	all, err := f.countAbove(o, -1)
	if err != nil || all <= f.most {
		return -1, err
	}
	low, high, err := f.steps(o) // above low are too many, above high are none
	if err != nil {
		return 0, err
	}
	low--
	for low < high-1 {
		middle := low + (high-low)/2
		n, err := f.countAbove(o, middle)
		if err != nil {
			return 0, err
		}
		switch {
		case n > f.most:
			low = middle
		case n >= f.most/2:
			return middle, nil
		default:
			high = middle
		}
	}
	if n, err := f.countAbove(o, high); err != nil || n > 0 {
		return high, err
	}
	return low, nil
}

// walkedBy is the order in which issues are walked, where the sort itself has none.
func (f *finder) walkedBy() IssueSort {
	if f.Sort == SortUsers || f.Sort == SortTrend {
		return SortEvents
	}
	return f.Sort
}

// inList restricts the order's lists to when issues were last seen, where that is the
// order.
func (f *finder) inList() fragment {
	if f.walkedBy() == SortLastSeen {
		return f.seenRange()
	}
	return sqlf("TRUE")
}

// countAbove counts the issues above a step, to f.most and one more.
func (f *finder) countAbove(o order, step int64) (n int64, err error) {
	q := join([]fragment{
		sqlf(`SELECT count(*) FROM (SELECT 1 FROM json_each(?) p CROSS JOIN json_each(?) s CROSS JOIN issues x INDEXED BY `+o.index+`
			WHERE x.project_id = p.value AND x.state = s.value AND x.`+o.step+` > ? AND `, f.projects(), jsonOf(f.states), step),
		f.inList(), sqlf(` LIMIT ?)`, f.most+1),
	}, "")
	err = f.rx.q.QueryRowContext(f.rx.ctx, q.sql, q.args...).Scan(&n)
	return n, err
}

// steps returns the lowest and the highest step of the walk's order.
func (f *finder) steps(o order) (low, high int64, err error) {
	edge := func(direction string) fragment {
		return join([]fragment{
			sqlf(`(SELECT x.` + o.step + ` FROM issues x INDEXED BY ` + o.index + ` WHERE x.project_id = p.value AND x.state = s.value AND `),
			f.inList(), sqlf(` ORDER BY x.` + o.step + ` ` + direction + ` LIMIT 1)`),
		}, "")
	}
	q := join([]fragment{
		sqlf(`SELECT min(`), edge("ASC"), sqlf(`), max(`), edge("DESC"), sqlf(`) FROM json_each(?) p CROSS JOIN json_each(?) s`, f.projects(), jsonOf(f.states)),
	}, "")
	var l, h sql.NullInt64
	err = f.rx.q.QueryRowContext(f.rx.ctx, q.sql, q.args...).Scan(&l, &h)
	return l.Int64, h.Int64, err
}
