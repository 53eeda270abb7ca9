package table

import (
	"slices"
	"strings"
	"time"
)

// accumulator sums up rows.
type accumulator interface {
	add(r *Row)
	value(length time.Duration) Value
}

// aggregateOf is the aggregate that a name means: what it does, and to which column.
func aggregateOf(name, function, of string) (column, error) {
	c := column{name: name, kind: Integer}
	switch {
	case function == "count" && of == "":
		c.sum = func() accumulator { return &counter{} }
	case function == "epm" && of == "":
		c.kind, c.unit, c.sum = Rate, "1/minute", func() accumulator { return &counter{per: time.Minute} }
	case function == "eps" && of == "":
		c.kind, c.unit, c.sum = Rate, "1/second", func() accumulator { return &counter{per: time.Second} }
	case function == "last_seen" && of == "", function == "max" && of == "timestamp":
		c.kind, c.sum = Date, func() accumulator { return &extreme{last: true} }
	case function == "first_seen" && of == "", function == "min" && of == "timestamp":
		c.kind, c.sum = Date, func() accumulator { return &extreme{} }
	case function == "count_unique" && of != "":
		inner, err := columnOf(of)
		if err != nil {
			return c, err
		}
		if inner.sum != nil {
			return c, wrong("count_unique() counts the values of a column: count_unique(user).")
		}
		c.needs = inner.needs
		c.sum = func() accumulator { return &distinct{of: inner, seen: make(map[string]struct{})} }
	default:
		return c, wrong("Sundew keeps errors only, and has no %.60q of them: count(), count_unique(…), last_seen(), first_seen(), min(timestamp), max(timestamp), epm() and eps() are there.", name)
	}
	return c, nil
}

// counter counts events, or how many there are in a time.
type counter struct {
	n   int64
	per time.Duration // 0: all
}

func (c *counter) add(r *Row) { c.n += r.Count }

func (c *counter) value(length time.Duration) Value {
	switch {
	case c.per == 0:
		return integer(c.n)
	case length <= 0:
		return Value{}
	}
	return Value{Kind: Rate, Number: float64(c.n) * float64(c.per) / float64(length)}
}

// extreme is the first or the last time.
type extreme struct {
	last bool
	at   time.Time
}

func (e *extreme) add(r *Row) {
	switch {
	case e.last && r.Last.After(e.at):
		e.at = r.Last
	case !e.last && (e.at.IsZero() || r.First.Before(e.at)):
		e.at = r.First
	}
}

func (e *extreme) value(time.Duration) Value { return moment(e.at) }

// distinct counts values.
type distinct struct {
	of   column
	seen map[string]struct{}
}

func (d *distinct) add(r *Row) {
	if v := d.of.get(r); !v.IsZero() {
		d.seen[v.key()] = struct{}{}
	}
}

func (d *distinct) value(time.Duration) Value { return integer(int64(len(d.seen))) }

// Table is the answer: its columns, and rows with a value for each.
type Table struct {
	Columns []Header
	Rows    [][]Value
}

// Header says what a column is.
type Header struct {
	Name string
	Kind Kind
	Unit string // empty: none
}

// Headers are the question's columns.
func (q *Question) Headers() []Header {
	all := make([]Header, len(q.columns))
	for i, c := range q.columns {
		all[i] = Header{c.name, c.kind, c.unit}
	}
	return all
}

// group is rows that are the same in all columns without aggregates.
type group struct {
	values []Value // nil where an aggregate is
	sums   []accumulator
}

// Answer makes the table of rows, all of which the query holds for, and sorts it.
// length is the stretch of time that they are of. Where the question says no order it
// is that of the rows, or, summed up, the most events first.
func (q *Question) Answer(rows []Row, length time.Duration) Table {
	t := Table{Columns: q.Headers()}
	if q.Summed() {
		t.Rows = q.sums(rows, length)
	} else {
		for i := range rows {
			values := make([]Value, len(q.columns))
			for n, c := range q.columns {
				values[n] = c.get(&rows[i])
			}
			t.Rows = append(t.Rows, values)
		}
	}
	q.sort(t.Rows)
	return t
}

func (q *Question) sums(rows []Row, length time.Duration) [][]Value {
	groups := make(map[string]*group)
	var all []*group
	for i := range rows {
		var key strings.Builder
		values := make([]Value, len(q.columns))
		for n, c := range q.columns {
			if c.sum == nil {
				values[n] = c.get(&rows[i])
				key.WriteString(values[n].key())
				key.WriteByte(2)
			}
		}
		g := groups[key.String()]
		if g == nil {
			g = &group{values: values, sums: make([]accumulator, len(q.columns))}
			for n, c := range q.columns {
				if c.sum != nil {
					g.sums[n] = c.sum()
				}
			}
			groups[key.String()] = g
			all = append(all, g)
		}
		for _, sum := range g.sums {
			if sum != nil {
				sum.add(&rows[i])
			}
		}
	}
	if len(all) == 0 && !slices.ContainsFunc(q.columns, func(c column) bool { return c.sum == nil }) {
		all = append(all, q.nothing()) // a sum of nothing is one
	}
	table := make([][]Value, len(all))
	for i, g := range all {
		for n, sum := range g.sums {
			if sum != nil {
				g.values[n] = sum.value(length)
			}
		}
		table[i] = g.values
	}
	return table
}

// nothing is the group of no rows.
func (q *Question) nothing() *group {
	g := &group{values: make([]Value, len(q.columns)), sums: make([]accumulator, len(q.columns))}
	for n, c := range q.columns {
		g.sums[n] = c.sum()
	}
	return g
}

// sort orders the rows of a table, the usual way if the question does not say how.
func (q *Question) sort(rows [][]Value) {
	orders := q.orders
	if len(orders) == 0 && q.Summed() {
		if at := slices.IndexFunc(q.columns, func(c column) bool { return c.name == "count()" }); at >= 0 {
			orders = []order{{at, true}}
		}
	}
	slices.SortStableFunc(rows, func(a, b []Value) int {
		for _, o := range orders {
			if c := compare(a[o.at], b[o.at]); c != 0 && o.down {
				return -c
			} else if c != 0 {
				return c
			}
		}
		return 0
	})
}

// compare orders values of one column; nothing is before all others.
func compare(a, b Value) int {
	switch {
	case a.IsZero() || b.IsZero():
		return strings.Compare(string(a.Kind), string(b.Kind))
	case a.Kind == Date:
		return a.At.Compare(b.At)
	case a.Kind == Integer || a.Kind == Rate:
		switch {
		case a.Number < b.Number:
			return -1
		case a.Number > b.Number:
			return 1
		}
		return 0
	}
	return strings.Compare(strings.ToLower(strings.Join(a.texts(), "\x00")), strings.ToLower(strings.Join(b.texts(), "\x00")))
}
