package store

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sundew/digester/search"
)

// listedStates are the states that lists show.
func listedStates() []IssueState { return []IssueState{StateOpen, StateResolved, StateMuted} }

// compile turns the terms of the query into conditions.
func (f *finder) compile() error {
	f.states, f.seen = listedStates(), span{0, math.MaxInt64}
	for _, t := range f.Query {
		if err := f.term(t); err != nil {
			return err
		}
	}
	if len(f.phrases) > 0 {
		f.add(search.Term{}, inText(f.phrases))
		f.sources = append(f.sources, source{ids: textsWith(f.phrases), place: len(f.where) - 1})
	}
	return nil
}

func (f *finder) term(t search.Term) error {
	switch c := t.Cond.(type) {
	case search.Text:
		f.text(t, c)
	case search.Is:
		f.is(t, c)
	case search.AssignedTo:
		return f.assigned(t, c)
	case search.Level:
		f.add(t, sqlf(`x.level IN (SELECT value FROM json_each(?))`, jsonOf(toInts(c.Any))))
	case search.Tag:
		f.tags(t, c)
	case search.Release:
		return f.release(t, c)
	case search.User:
		f.tags(t, c.Tags()...)
	case search.Has:
		f.has(t, c)
	case search.FirstRelease:
		f.add(t, anyOf("x.first_release", withVersions(c.Any)))
	case search.Match:
		f.match(t, c)
	case search.Count:
		f.count(t, c)
	case search.When:
		f.when(t, c)
	default:
		return fmt.Errorf("a search for %T", t.Cond)
	}
	return nil
}

// add adds a condition, or its contrary.
func (f *finder) add(t search.Term, c fragment) {
	if t.Not {
		c.sql = "(" + c.sql + ") IS NOT TRUE" // what compares with NULL does not hold
	}
	f.where = append(f.where, c)
}

// drive adds a condition for which an index has exactly the issues.
func (f *finder) drive(t search.Term, c, ids fragment) {
	f.add(t, c)
	if !t.Not {
		f.sources = append(f.sources, source{ids: ids, place: len(f.where) - 1})
	}
}

// among is the condition that an issue or one of its members is among some.
func among(ids fragment) fragment {
	return sqlf(`x.id IN (`+ids.sql+` UNION ALL
		SELECT merged_into FROM issues INDEXED BY issues_by_head WHERE merged_into IS NOT NULL AND id IN (`+ids.sql+`))`,
		append(append([]any{}, ids.args...), ids.args...)...)
}

// text asks for phrases. Those that are too short for the index are looked for in
// title and culprit.
func (f *finder) text(t search.Term, c search.Text) {
	var long []string
	var all []fragment
	for _, phrase := range c.Phrases {
		if utf8.RuneCountInString(phrase) >= search.MinPhrase {
			long = append(long, search.Fold(phrase))
			continue
		}
		like := likePattern(search.Pattern{"", phrase, ""})
		all = append(all, sqlf(`(x.title LIKE ? ESCAPE '\' OR x.culprit LIKE ? ESCAPE '\')`, like, like))
	}
	if !t.Not {
		f.phrases = append(f.phrases, long...)
		f.where = append(f.where, all...)
		return
	}
	if len(long) > 0 { // nearly all texts may have them: to ask each issue would take long
		all = append(all, among(textsWith(long)))
	}
	f.add(t, join(all, " AND "))
}

// inText is the condition that the text of the issue x, or of one of its members, has
// all phrases.
func inText(phrases []string) fragment {
	var own []fragment
	for _, p := range phrases {
		own = append(own, sqlf(`instr(t.text, ?) > 0`, p))
	}
	return existsOfStrands("issue_texts t", "t.rowid", join(own, " AND "))
}

// textsWith looks up the issues whose texts have all phrases.
func textsWith(phrases []string) fragment {
	quoted := make([]string, len(phrases))
	for i, p := range phrases {
		quoted[i] = `"` + strings.ReplaceAll(p, `"`, `""`) + `"`
	}
	return sqlf(`SELECT rowid FROM issue_texts WHERE issue_texts MATCH ?`, strings.Join(quoted, " AND "))
}

// is restricts the states where it can, since lists are kept by state.
func (f *finder) is(t search.Term, c search.Is) {
	var states []IssueState
	var any []fragment
	for _, p := range c.Any {
		switch p {
		case search.Open:
			states = append(states, StateOpen)
		case search.Resolved:
			states = append(states, StateResolved)
		case search.Muted:
			states = append(states, StateMuted)
		default:
			any = append(any, f.property(p))
		}
	}
	if len(any) == 0 {
		f.states = slices.DeleteFunc(f.states, func(s IssueState) bool { return slices.Contains(states, s) == t.Not })
		return
	}
	if len(states) > 0 {
		any = append(any, sqlf(`x.state IN (SELECT value FROM json_each(?))`, jsonOf(states)))
	}
	if len(c.Any) == 1 && c.Any[0] == search.Regressed {
		f.add(t, any[0])
		if !t.Not {
			f.sources = append(f.sources, source{place: -1, ids: sqlf(`
				SELECT issue_id FROM history INDEXED BY history_regressed WHERE kind = 'regressed' AND at >= ?`, ms(f.Now.Add(-search.NewFor)))})
		}
		return
	}
	f.add(t, parens(join(any, " OR ")))
}

func (f *finder) property(p search.Property) fragment {
	since := ms(f.Now.Add(-search.NewFor))
	switch p {
	case search.Assigned:
		return sqlf(`(x.assignee_user_id IS NOT NULL OR x.assignee_team_id IS NOT NULL)`)
	case search.Unassigned:
		return sqlf(`(x.assignee_user_id IS NULL AND x.assignee_team_id IS NULL)`)
	case search.New:
		return sqlf(`(x.total_first_seen >= ?)`, since)
	default: // Regressed
		back := existsOfStrands("history h", "h.issue_id", sqlf(`h.kind = 'regressed' AND h.at >= ?`, since))
		return sqlf(`(x.state = 0 AND `+back.sql+`)`, back.args...)
	}
}

func (f *finder) assigned(t search.Term, c search.AssignedTo) error {
	var any, ids []fragment
	for _, a := range c.Any {
		column, id := "assignee_user_id", f.Me
		var err error
		switch {
		case a.Nobody:
			any = append(any, f.property(search.Unassigned))
			ids = nil
			continue
		case a.Email != "":
			if id, err = f.named(t, "there is nobody with the address "+a.Email, `SELECT id FROM users WHERE email = ?`, a.Email); err != nil {
				return err
			}
		case a.Team != "":
			column = "assignee_team_id"
			if id, err = f.named(t, "there is no team #"+a.Team, `SELECT id FROM teams WHERE slug = ?`, a.Team); err != nil {
				return err
			}
		}
		any = append(any, sqlf(`x.`+column+` = ?`, id))
		ids = append(ids, sqlf(`SELECT id FROM issues WHERE `+column+` = ?`, id))
	}
	cond := parens(join(any, " OR "))
	if len(ids) == len(any) {
		f.drive(t, cond, join(ids, " UNION ALL "))
	} else {
		f.add(t, cond)
	}
	return nil
}

// named returns the id that a term names, or says that there is none.
func (f *finder) named(t search.Term, says, query, name string) (int64, error) {
	rows, err := f.rx.q.QueryContext(f.rx.ctx, query, name)
	ids, err := collect(rows, err, func(id *int64) []any { return []any{id} })
	if err == nil && len(ids) == 0 {
		return 0, search.NewError(f.Text, t.At, t.End, "%s", says)
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// tags looks up values of tags, one of which is enough. An issue that is asked has its
// few values of a key in the table's own order; a certain value is where the index of
// values has it, too.
func (f *finder) tags(t search.Term, any ...search.Tag) {
	var either, ids []fragment
	for _, c := range any {
		for _, p := range c.Any {
			cond, lookup := tagged(c.Key, p)
			either, ids = append(either, cond), append(ids, lookup)
		}
	}
	f.drive(t, parens(join(either, " OR ")), join(ids, " UNION ALL "))
}

// tagged is the condition that the issue x has a value of a tag, and looks up those that
// have it.
func tagged(key string, p search.Pattern) (cond, ids fragment) {
	if value, exact := p.Exact(); exact {
		return existsOfStrands("issue_tags t INDEXED BY issue_tags_by_value", "t.issue_id", sqlf(`t.key = ? AND t.value = ? COLLATE NOCASE`, key, value)),
			sqlf(`SELECT issue_id FROM issue_tags INDEXED BY issue_tags_by_value WHERE key = ? AND value = ? COLLATE NOCASE`, key, value)
	}
	like := likePattern(p)
	return existsOfStrands(tagsOfIssue, "t.issue_id", sqlf(`t.key = ? AND t.value LIKE ? ESCAPE '\'`, key, like)),
		sqlf(`SELECT issue_id FROM issue_tags INDEXED BY issue_tags_by_value
			WHERE key = ? AND value >= ? COLLATE NOCASE AND value < ? COLLATE NOCASE AND value LIKE ? ESCAPE '\'`, key, p[0], p[0]+string(utf8.MaxRune), like)
}

// has asks for any value of a tag.
func (f *finder) has(t search.Term, c search.Has) {
	f.drive(t, existsOfStrands(tagsOfIssue, "t.issue_id", sqlf(`t.key = ?`, c.Key)),
		sqlf(`SELECT issue_id FROM issue_tags INDEXED BY issue_tags_by_value WHERE key = ?`, c.Key))
}

// tagsOfIssue is issue_tags read by its primary key, whatever else there is.
const tagsOfIssue = "issue_tags t INDEXED BY sqlite_autoindex_issue_tags_1"

// existsOfStrands is the condition that the issue x or one of its members, if it has
// any, has a row.
func existsOfStrands(table, issue string, of fragment) fragment {
	return sqlf(`(EXISTS (SELECT 1 FROM `+table+` WHERE `+issue+` = x.id AND `+of.sql+`) OR x.merged_first_seen IS NOT NULL AND
		EXISTS (SELECT 1 FROM issues m CROSS JOIN `+table+` WHERE m.merged_into = x.id AND `+issue+` = m.id AND `+of.sql+`))`,
		append(append([]any{}, of.args...), of.args...)...)
}

// anyOf is the condition that a column has one of some values.
func anyOf(column string, patterns []search.Pattern) fragment {
	var any []fragment
	for _, p := range patterns {
		any = append(any, sqlf(column+` LIKE ? ESCAPE '\'`, likePattern(p)))
	}
	return parens(join(any, " OR "))
}

func (f *finder) match(t search.Term, c search.Match) {
	switch c.Column {
	case search.Title:
		f.add(t, anyOf("x.title", c.Any))
	case search.Culprit:
		f.add(t, anyOf("x.culprit", c.Any))
	case search.Platform:
		f.add(t, anyOf("x.platform", c.Any))
	case search.Project:
		of := anyOf("slug", c.Any)
		f.add(t, sqlf(`x.project_id IN (SELECT id FROM projects WHERE `+of.sql+`)`, of.args...))
	case search.ShortID:
		f.shortID(t, c)
	}
}

// shortID finds issues by SHOP-42.
func (f *finder) shortID(t search.Term, c search.Match) {
	var any, ids []fragment
	for _, p := range c.Any {
		slug, digits := "", ""
		if text, exact := p.Exact(); exact {
			if i := strings.LastIndexByte(text, '-'); i >= 0 {
				slug, digits = strings.ToLower(text[:i]), text[i+1:]
			}
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			number = 0 // no issue has it
		}
		any = append(any, sqlf(`(x.number = ? AND x.project_id IN (`+projectsBySlug+`))`, number, slug, slug))
		ids = append(ids, sqlf(`SELECT id FROM issues WHERE project_id IN (`+projectsBySlug+`) AND number = ?`, slug, slug, number))
	}
	f.drive(t, parens(join(any, " OR ")), join(ids, " UNION ALL "))
}

func (f *finder) count(t search.Term, c search.Count) {
	column := "x.total_events"
	if c.Of == search.Users {
		column = "x.total_users"
	}
	cond := sqlf(column+` `+sqlOp(c.Op)+` ?`, c.N)
	f.add(t, cond)
	if !t.Not && (c.Op == search.More || c.Op == search.AtLeast || c.Op == search.Equal) { // nobody has more users than events
		f.sources = append(f.sources, source{place: -1, ids: sqlf(`SELECT i.id FROM json_each(?) p CROSS JOIN json_each(?) s
			CROSS JOIN issues i INDEXED BY issues_by_count WHERE i.project_id = p.value AND i.state = s.value AND i.count_step >= ?`,
			f.projects(), jsonOf(listedStates()), countStep(c.N))})
	}
}

// when compares a time. What was first seen after a moment was last seen after it.
func (f *finder) when(t search.Term, c search.When) {
	column := "x.total_last_seen"
	if c.Of == search.FirstSeen {
		column = "x.total_first_seen"
	}
	at := c.To.At
	if c.To.Ago != 0 {
		at = f.Now.Add(-c.To.Ago)
	}
	if c.Op == search.Equal {
		length := time.Second
		if c.To.Day {
			length = 24 * time.Hour
		}
		f.add(t, sqlf(`(`+column+` >= ? AND `+column+` < ?)`, ms(at), ms(at.Add(length))))
	} else {
		f.add(t, sqlf(column+` `+sqlOp(c.Op)+` ?`, ms(at)))
	}
	if t.Not {
		return
	}
	switch later := c.Op != search.Less && c.Op != search.AtMost; {
	case later:
		f.seen.from = max(f.seen.from, ms(at))
	case c.Of == search.LastSeen:
		f.seen.to = min(f.seen.to, ms(at))
	}
}

// sqlOp returns the sign of a comparison.
func sqlOp(o search.Op) string {
	if o == search.Equal {
		return "="
	}
	return o.String()
}

func parens(c fragment) fragment { return fragment{"(" + c.sql + ")", c.args} }

func toInts[T ~uint8](values []T) []int {
	ints := make([]int, len(values))
	for i, v := range values {
		ints[i] = int(v)
	}
	return ints
}
