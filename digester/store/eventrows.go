package store

import (
	"cmp"
	"database/sql"
	"errors"
	"math"
	"strings"
	"time"

	"sundew/schema/event"
)

// Bounds of what one question about events reads.
const (
	// maxEventsAsked is how many events are gone past to sum them up. Half a million took
	// 1.3 to 2.5 s, whichever the way.
	maxEventsAsked = 300_000

	// maxEventRows is how many rows are handed out.
	maxEventRows = 20_000

	// maxAskedIssues is how many issues a question can be restricted to.
	maxAskedIssues = 1000

	// clockSlack is how much earlier than it happened an event can have been digested,
	// by clocks that differ.
	clockSlack = time.Hour
)

// ErrTooMany is a question about more events than one answer may cost.
var ErrTooMany = errors.New("too many events")

// EventColumns are what rows of events are told apart by, beside their issue.
type EventColumns uint

// The columns.
const (
	EventTitle EventColumns = 1 << iota
	EventLevel
	EventRelease
	EventEnvironment
	EventUser
)

// EventScan says which events are asked about, and how they are summed up.
type EventScan struct {
	Projects     []event.ProjectID
	Environments []string // empty: all
	Issues       []int64  // only those of them and their members; nil: of all
	From, To     time.Time
	By           EventColumns
	Step         time.Duration // rows are told apart by such stretches of time, too; 0: they are not

	most int64 // events that are gone past; 0: maxEventsAsked
}

func (s EventScan) bound() int64 { return cmp.Or(s.most, maxEventsAsked) }

// EventRow is events that are the same in what a scan tells apart. What it does not is
// zero.
type EventRow struct {
	Project     event.ProjectID
	Issue       int64 // as stored: perhaps a member of another
	Title       string
	Level       event.Level
	Release     string
	Environment string
	User        string
	Bucket      time.Time
	First, Last time.Time
	Count       int64
}

// reach is which ids a scan has to look at, and by which way.
type reach struct {
	above, below int64
	byIssue      bool // they are many, and the issues few
}

// EventRows sums up events. The error is ErrTooMany where that would take too long, or
// the rows would be too many.
func (rx *Rx) EventRows(s EventScan) ([]EventRow, error) {
	r, err := rx.reach(s, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	return rx.eventRows(s, r)
}

func (rx *Rx) eventRows(s EventScan, r reach) ([]EventRow, error) {
	columns := map[EventColumns]string{EventTitle: "e.title", EventLevel: "e.level", EventRelease: "e.release", EventEnvironment: "e.environment", EventUser: "e.user"}
	selected, grouped := []string{"e.project_id", "e.issue_id"}, []string{"1", "2"}
	for i, empty := range []string{"''", "0", "''", "''", "''"} {
		by := EventColumns(1) << i
		if s.By&by == 0 {
			selected = append(selected, empty)
			continue
		}
		selected = append(selected, columns[by])
		grouped = append(grouped, columns[by])
	}
	bucket := sqlf("0")
	if s.Step > 0 {
		bucket = sqlf("e.occurred_at / ? * ?", s.Step.Milliseconds(), s.Step.Milliseconds())
		grouped = append(grouped, "8")
	}
	q := join([]fragment{
		sqlf(`SELECT ` + strings.Join(selected, ", ") + `, `), bucket, sqlf(`, min(e.occurred_at), max(e.occurred_at), count(*) FROM `), rx.scanned(s, r),
		sqlf(` GROUP BY `+strings.Join(grouped, ", ")+` LIMIT ?`, maxEventRows+1),
	}, "")
	rows, err := rx.q.QueryContext(rx.ctx, q.sql, q.args...)
	var start, first, last sql.NullInt64
	all, err := collectThen(rows, err, func(e *EventRow) []any {
		return []any{&e.Project, &e.Issue, &e.Title, &e.Level, &e.Release, &e.Environment, &e.User, &start, &first, &last, &e.Count}
	}, func(e *EventRow) {
		e.First, e.Last = fromMS(first), fromMS(last)
		if s.Step > 0 {
			e.Bucket = fromMS(start)
		}
	})
	if len(all) > maxEventRows {
		return nil, ErrTooMany
	}
	return all, err
}

// ScannedEvents returns events of a scan with ids below one, 0: the newest, as they came
// in, the newest first. next is where to go on, 0 if there is nothing more: it may come
// with a list that is not full, or empty.
func (rx *Rx) ScannedEvents(s EventScan, before int64, limit int) (events []Event, next int64, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	r, err := rx.reach(s, before)
	end := int64(0) // where the scan has to be taken up again
	if errors.Is(err, ErrTooMany) {
		if err = rx.q.QueryRowContext(rx.ctx, `SELECT coalesce((SELECT id FROM events WHERE id < ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2), 0)`, before, s.bound()).Scan(&end); err != nil {
			return nil, 0, err
		}
		r = reach{above: end, below: before}
		if end > 0 {
			end++
		}
	}
	if err != nil {
		return nil, 0, err
	}
	q := join([]fragment{sqlf(`SELECT` + eventColumns + `FROM `), rx.scanned(s, r), sqlf(` ORDER BY e.id DESC LIMIT ?`, limit)}, "")
	if events, err = collectEvents(rx.q.QueryContext(rx.ctx, q.sql, q.args...)); len(events) == limit && err == nil {
		end = events[limit-1].ID
	}
	return events, end, err
}

// scanned is the events e of a scan.
func (rx *Rx) scanned(s EventScan, r reach) fragment {
	from := sqlf(`events e WHERE e.id > ? AND e.id < ?`, r.above, r.below)
	if r.byIssue {
		from = sqlf(issueWindows+`
			SELECT id, low FROM halves WHERE low = high) s CROSS JOIN events e ON e.issue_id = s.id AND e.number > s.low AND +e.id < ? WHERE TRUE`,
			jsonOf(s.Issues), r.above, r.below)
	} else if s.Issues != nil {
		from = join([]fragment{from, sqlf(`+e.issue_id IN (SELECT i.value FROM json_each(?1) i UNION ALL SELECT id FROM issues WHERE merged_into IN (SELECT value FROM json_each(?1)))`)}, " AND ")
		from.sql = strings.ReplaceAll(from.sql, "?1", "?")
		from.args = append(from.args, jsonOf(s.Issues), jsonOf(s.Issues))
	}
	all := []fragment{from, sqlf(`+e.project_id IN (SELECT value FROM json_each(?))`, jsonOf(s.Projects)), sqlf(`e.occurred_at BETWEEN ? AND ?`, ms(s.From), ms(s.To))}
	if len(s.Environments) > 0 {
		all = append(all, sqlf(`e.environment IN (SELECT value FROM json_each(?))`, jsonOf(s.Environments)))
	}
	return join(all, " AND ")
}

// issueWindows begins a subquery of the strands of issues ?, each with the number of its
// newest event whose id is not above ?; see untilEvent.
const issueWindows = `(WITH RECURSIVE bounds (ids, above) AS (SELECT ?, ?), halves (id, top, low, high) AS (
	  SELECT i.id, i.event_count + i.moved_events, 0, i.event_count + i.moved_events FROM bounds b CROSS JOIN json_each(b.ids) j CROSS JOIN issues i ON i.id = j.value
	  UNION ALL SELECT i.id, i.event_count + i.moved_events, 0, i.event_count + i.moved_events
	  FROM bounds b CROSS JOIN json_each(b.ids) j CROSS JOIN issues i INDEXED BY issues_by_head ON i.merged_into = j.value
	  UNION ALL
	  SELECT id, top,
	    iif(coalesce((SELECT v.id FROM events v WHERE v.issue_id = h.id AND v.number <= (low + high + 1) / 2 ORDER BY v.number DESC LIMIT 1), 0) <= above, (low + high + 1) / 2, low),
	    iif(coalesce((SELECT v.id FROM events v WHERE v.issue_id = h.id AND v.number <= (low + high + 1) / 2 ORDER BY v.number DESC LIMIT 1), 0) <= above, high, (low + high + 1) / 2 - 1)
	  FROM halves h CROSS JOIN bounds WHERE low < high
	)`

// reach finds out where the events of a scan are: behind the last that was digested before
// its time, in the order of ids, or in that of the numbers of its issues where these have
// fewer. Ids are never given twice, so that their distance bounds how many there are. The
// error is ErrTooMany where it is too far either way.
func (rx *Rx) reach(s EventScan, before int64) (r reach, err error) {
	r = reach{below: before}
	if r.above, err = rx.lastBefore(s.From.Add(-clockSlack)); err != nil {
		return r, err
	}
	var newest int64
	if err := rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(max(id), 0) FROM events`).Scan(&newest); err != nil {
		return r, err
	}
	if min(newest, before-1)-r.above <= s.bound() {
		return r, nil
	}
	if s.Issues == nil {
		return r, ErrTooMany
	}
	n, err := rx.inWindows(s, r.above)
	if r.byIssue = true; err == nil && n > s.bound() {
		err = ErrTooMany
	}
	return r, err
}

// inWindows counts the events that the issues of a scan had behind one, those that are no
// longer stored included.
func (rx *Rx) inWindows(s EventScan, above int64) (n int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `SELECT coalesce(sum(top - low), 0) FROM `+issueWindows+` SELECT top, low FROM halves WHERE low = high)`, jsonOf(s.Issues), above).Scan(&n)
	return n, err
}

// lastBefore returns the id of the last event that was digested before a time, about: by
// halving, since no index has that time, and ids are in the order of digesting.
func (rx *Rx) lastBefore(at time.Time) (id int64, err error) {
	err = rx.q.QueryRowContext(rx.ctx, `
		WITH RECURSIVE halves (low, high) AS (
		  SELECT coalesce(min(id), 1) - 1, (SELECT coalesce(max(id), 0) FROM events) FROM events
		  UNION ALL
		  SELECT
		    iif(coalesce((SELECT digested_at FROM events WHERE id <= (low + high + 1) / 2 ORDER BY id DESC LIMIT 1), 0) < ?1, (low + high + 1) / 2, low),
		    iif(coalesce((SELECT digested_at FROM events WHERE id <= (low + high + 1) / 2 ORDER BY id DESC LIMIT 1), 0) < ?1, high, (low + high + 1) / 2 - 1)
		  FROM halves WHERE low < high
		) SELECT low FROM halves WHERE low >= high LIMIT 1`, ms(at)).Scan(&id)
	return id, err
}

// IssuesOf returns the issues that a search finds, in no order, whatever their number up
// to a thousand; beyond, the error is ErrTooMany.
func (rx *Rx) IssuesOf(s Search) ([]int64, error) {
	f := finder{rx: rx, Search: s, bounds: searchBounds(), above: -1}
	f.Limit, f.Offset, f.Sort = maxAskedIssues, 0, SortLastSeen
	if err := f.compile(); err != nil {
		return nil, err
	}
	if len(f.states) == 0 || len(s.Projects) == 0 {
		return []int64{}, nil
	}
	page, err := f.page()
	if err != nil {
		return nil, err
	}
	rows, err := rx.q.QueryContext(rx.ctx, page.sql, page.args...)
	ids, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err == nil && (len(ids) > maxAskedIssues || f.unsure) {
		return nil, ErrTooMany
	}
	return append([]int64{}, ids...), err
}

// HeadsOf returns for strands what they are strands of: issues as lists show them. Those
// of deleted issues are left out.
func (rx *Rx) HeadsOf(strands []int64) (map[int64]Issue, error) {
	rows, err := rx.q.QueryContext(rx.ctx, `SELECT i.id, coalesce(i.merged_into, i.id) FROM json_each(?) j CROSS JOIN issues i ON i.id = j.value`, jsonOf(strands))
	type strand struct{ id, head int64 }
	all, err := collect(rows, err, func(s *strand) []any { return []any{&s.id, &s.head} })
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, s := range all {
		ids = append(ids, s.head)
	}
	issues, err := rx.issues(`WHERE i.id IN (SELECT value FROM json_each(?)) AND p.deleted_at IS NULL`, jsonOf(ids))
	byID := make(map[int64]Issue, len(issues))
	for _, issue := range issues {
		if issue.State != StateDeleted {
			byID[issue.ID] = issue
		}
	}
	heads := make(map[int64]Issue, len(all))
	for _, s := range all {
		if head, ok := byID[s.head]; ok {
			heads[s.id] = head
		}
	}
	return heads, err
}

// EventBodies returns the payloads of events by their ids; those that are not stored, or
// cannot be unpacked, are left out.
func (rx *Rx) EventBodies(ids []int64) (map[int64]EventBody, error) {
	type row struct {
		id int64
		storedBody
	}
	rows, err := rx.q.QueryContext(rx.ctx, `
		SELECT b.event_id, b.kind, b.encoding, b.meta, b.body, coalesce(s.encoding, 0), s.body
		FROM json_each(?) j CROSS JOIN event_bodies b ON b.event_id = j.value LEFT JOIN event_symbols s ON s.event_id = b.event_id`, jsonOf(ids))
	all, err := collect(rows, err, func(b *row) []any {
		return []any{&b.id, &b.kind, &b.encoding, &b.meta, &b.body, &b.symbols.encoding, &b.symbols.body}
	})
	bodies := make(map[int64]EventBody, len(all))
	for _, b := range all {
		if body, err := rx.readBody(b.storedBody); err == nil {
			bodies[b.id] = body
		}
	}
	return bodies, err
}
