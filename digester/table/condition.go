package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sundew/digester/search"
)

// condition is a part of a query that is asked of each row.
type condition struct {
	not   bool
	needs Needs
	holds func(*Row) bool
}

// term adds a part of a query. What is about issues is left to a search of these.
func (q *Question) term(t search.Term, now time.Time) error {
	switch c := t.Cond.(type) {
	case search.Is:
		q.is(t, c)
		return nil
	case search.AssignedTo, search.FirstRelease, search.Count, search.When:
		q.Issues = append(q.Issues, t)
		return nil
	case search.Text:
		q.add(t, Title, func(r *Row) bool {
			title := search.Fold(search.Plain(r.Title))
			return !slices.ContainsFunc(c.Phrases, func(p string) bool { return !strings.Contains(title, search.Fold(p)) })
		})
		return nil
	case search.Level:
		q.add(t, Level, func(r *Row) bool { return slices.Contains(c.Any, r.Level) })
		return nil
	case search.Match:
		return q.match(t, c)
	case search.Release:
		q.narrow(t)
		any := slices.Clone(c.Any)
		for _, p := range c.Any {
			if version, ok := p.Version(); ok {
				any = append(any, search.Pattern{"", "@" + version})
			}
		}
		q.add(t, Release, func(r *Row) bool { return r.Release != "" && anyMatch(any, r.Release) })
		return nil
	case search.User:
		q.narrow(t)
		return q.user(t, c)
	case search.Has:
		col, err := columnOf(tagName(c.Key))
		if err != nil {
			return err
		}
		if taggedAs(c.Key) {
			q.narrow(t)
		}
		q.add(t, col.needs, func(r *Row) bool { return !col.get(r).IsZero() })
		return nil
	case search.Tag:
		return q.tag(t, c, now)
	}
	return fmt.Errorf("a question with %T", t.Cond)
}

// is asks for properties of issues: of rows, as far as these know them.
func (q *Question) is(t search.Term, c search.Is) {
	if slices.Contains(c.Any, search.New) || slices.Contains(c.Any, search.Regressed) {
		q.Issues = append(q.Issues, t)
		return
	}
	q.add(t, 0, func(r *Row) bool {
		return slices.Contains(c.Any, r.State) || r.Assigned && slices.Contains(c.Any, search.Assigned) || !r.Assigned && slices.Contains(c.Any, search.Unassigned)
	})
}

func (q *Question) add(t search.Term, needs Needs, holds func(*Row) bool) {
	q.where = append(q.where, condition{t.Not, needs, holds})
}

// narrow says that only issues can be meant for which a term holds.
func (q *Question) narrow(t search.Term) {
	if !t.Not {
		q.Narrow = append(q.Narrow, t)
	}
}

func (q *Question) match(t search.Term, c search.Match) error {
	name := [...]string{"title", "culprit", "platform", "project", "issue"}[c.Column]
	col, err := columnOf(name)
	if err != nil {
		return err
	}
	if c.Column == search.ShortID || c.Column == search.Project {
		q.narrow(t)
	}
	q.add(t, col.needs, func(r *Row) bool { return anyMatch(c.Any, col.get(r).texts()...) })
	return nil
}

// user asks who an event happened to. By their id is the one way that needs no body,
// since it comes before all others by which a user may be told.
func (q *Question) user(t search.Term, c search.User) error {
	tags := c.Tags()
	first, rest := tags[0], tags[1:]
	if c.By == "id" {
		q.add(t, User, func(r *Row) bool { return r.User != "" && anyMatch(first.Any, r.User) })
		return nil
	}
	var columns []column
	for _, tag := range rest {
		col, err := columnOf(tag.Key)
		if err != nil {
			return err
		}
		columns = append(columns, col)
	}
	q.add(t, EachEvent|Body|User, func(r *Row) bool {
		if r.User != "" && anyMatch(first.Any, r.User) {
			return true
		}
		for i, col := range columns {
			if anyMatch(rest[i].Any, col.get(r).texts()...) {
				return true
			}
		}
		return false
	})
	return nil
}

// tag asks for a value of a column, or of the tag of that name.
func (q *Question) tag(t search.Term, c search.Tag, now time.Time) error {
	if strings.HasPrefix(c.Key, "timestamp") {
		return q.when(t, c, now)
	}
	if c.Key == "handled" { // error.handled, to a search for issues
		c.Key = "error.handled"
	}
	col, err := columnOf(tagName(c.Key))
	if err != nil {
		return err
	}
	any := c.Any
	if col.kind == Boolean {
		any = booleans(c.Any)
	} else if taggedAs(c.Key) && c.Key != "environment" { // a tag of that name may say another than the event does
		q.narrow(t)
	}
	q.add(t, col.needs, func(r *Row) bool { return anyMatch(any, col.get(r).texts()...) })
	return nil
}

// taggedAs reports whether issues know what a key of a query asks for as a tag of their
// events, of that very name.
func taggedAs(key string) bool {
	switch key {
	case "environment", "release", "level", "user":
		return true
	}
	_, row := rowColumn(key)
	_, body := bodyColumn(key)
	return !row && !body && !strings.HasPrefix(key, "tags[")
}

// tagName is how a key of a query is called as a column.
func tagName(key string) string {
	if strings.ContainsAny(key, "()| ") {
		return "tags[" + key + "]"
	}
	return key
}

// booleans are patterns in the words of a column that is true or false.
func booleans(any []search.Pattern) []search.Pattern {
	words := map[string]string{"yes": "true", "1": "true", "no": "false", "0": "false"}
	all := slices.Clone(any)
	for i, p := range all {
		if text, exact := p.Exact(); exact && words[strings.ToLower(text)] != "" {
			all[i] = search.Pattern{words[strings.ToLower(text)]}
		}
	}
	return all
}

// when compares when an event happened. How a time is written is what a search for
// issues says of lastSeen.
func (q *Question) when(t search.Term, c search.Tag, now time.Time) error {
	for _, p := range c.Any {
		text, exact := p.Exact()
		parsed, err := search.Parse("lastSeen:" + text)
		if err != nil || !exact || len(c.Any) > 1 || len(parsed) != 1 {
			return wrong("timestamp:%.60s is no time: it can be timestamp:-24h (younger), timestamp:+7d (older) or timestamp:>2026-01-31.", text)
		}
		w, ok := parsed[0].Cond.(search.When)
		if !ok {
			return wrong("timestamp:%.60s is no time.", text)
		}
		at := w.To.At
		if w.To.Ago != 0 {
			at = now.Add(-w.To.Ago)
		}
		length := time.Second
		if w.To.Day {
			length = 24 * time.Hour
		}
		needs := EachEvent
		if !t.Not {
			needs = 0 // no row has others
			q.bound(w.Op, at, length)
		}
		q.add(t, needs, func(r *Row) bool { return compares(w.Op, r.Last, at, length) })
	}
	return nil
}

// bound restricts when events can have happened to what a comparison says, in whole
// milliseconds.
func (q *Question) bound(op search.Op, at time.Time, length time.Duration) {
	from, to := at, at
	switch op {
	case search.Less:
		from, to = time.Time{}, at.Add(-time.Millisecond)
	case search.AtMost:
		from = time.Time{}
	case search.More:
		from, to = at.Add(time.Millisecond), time.Time{}
	case search.AtLeast:
		to = time.Time{}
	default:
		to = at.Add(length - time.Millisecond)
	}
	if from.After(q.From) {
		q.From = from
	}
	if !to.IsZero() && (q.To.IsZero() || to.Before(q.To)) {
		q.To = to
	}
}

// compares reports whether a time is as a comparison says; equal is what lies in the
// length behind the other.
func compares(op search.Op, a, b time.Time, length time.Duration) bool {
	switch op {
	case search.Less:
		return a.Before(b)
	case search.AtMost:
		return !a.After(b)
	case search.More:
		return a.After(b)
	case search.AtLeast:
		return !a.Before(b)
	}
	return !a.Before(b) && a.Before(b.Add(length))
}

// anyMatch reports whether one of some texts matches one of some patterns.
func anyMatch(any []search.Pattern, texts ...string) bool {
	for _, text := range texts {
		for _, p := range any {
			if matches(p, text) {
				return true
			}
		}
	}
	return len(texts) == 0 && slices.ContainsFunc(any, func(p search.Pattern) bool { return len(p) == 1 && p[0] == "" })
}

// matches reports whether a pattern stands for a text. Case does not matter.
func matches(p search.Pattern, text string) bool {
	text = search.Fold(text)
	if len(p) == 1 {
		return search.Fold(p[0]) == text
	}
	first, last := search.Fold(p[0]), search.Fold(p[len(p)-1])
	rest, ok := strings.CutPrefix(text, first)
	if !ok || !strings.HasSuffix(rest, last) {
		return false
	}
	rest = strings.TrimSuffix(rest, last)
	for _, piece := range p[1 : len(p)-1] {
		_, after, found := strings.Cut(rest, search.Fold(piece))
		if !found {
			return false
		}
		rest = after
	}
	return true
}
