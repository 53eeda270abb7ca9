package dashboard

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"sundew/digester/access"
	"sundew/digester/deed"
	"sundew/digester/store"
	"sundew/digester/store/sandbox"
)

const (
	// maxCell is how many characters of a value the page shows; downloads have all.
	maxCell = 300

	// shownRows is how many rows the page shows, and savedRows how many a download has.
	shownRows = 1_000
	savedRows = 10_000
)

// sqlPage is where people write statements of their own.
type sqlPage struct {
	shell
	Possible  bool // there is a database file to ask
	Statement string
	Name      string // of the saved query that is shown, or as typed
	Error     string // why there is no answer
	Unsaved   string // why the query was not saved
	Result    *sqlResult
	Saved     []savedQueryRow
	Shares    []option // with whom a query can be shared
	Gone      string   // the name of a query that was just deleted
	Tables    []store.StatementTable
	Examples  []sqlExample
}

// sqlResult is an answer as a table.
type sqlResult struct {
	Columns []sandbox.Column
	Rows    [][]sqlCell
	Count   string // how many rows, in words
	Cut     bool
	Took    string
}

// sqlCell is one of its values.
type sqlCell struct {
	Text   string
	Number bool
	Null   bool
	Cut    bool
}

// savedQueryRow is a saved query in the list.
type savedQueryRow struct {
	store.SavedQuery
	With      string // who has it besides; empty: nobody
	Own       bool
	MayDelete bool
}

// sqlExample is a statement to begin with.
type sqlExample struct{ Name, Statement string }

func sqlExamples() []sqlExample {
	return []sqlExample{
		{"New issues of the last week", "SELECT short_id, title, events, users, first_seen\nFROM issues\nWHERE first_seen >= datetime('now', '-7 days')\nORDER BY first_seen DESC"},
		{"Issues that met most users this week, by release", "SELECT i.short_id, i.title, e.release, count(DISTINCT e.user) AS users\nFROM events e JOIN issues i ON i.id = e.issue_id\nWHERE e.received_at >= datetime('now', '-7 days')\nGROUP BY i.id, e.release\nORDER BY users DESC\nLIMIT 20"},
		{"What happened to a user", "SELECT e.received_at, i.short_id, e.title, e.release\nFROM events e JOIN issues i ON i.id = e.issue_id\nWHERE e.user LIKE '%17'\nORDER BY e.received_at DESC\nLIMIT 50"},
		{"Events by day and project", "SELECT date(o.hour) AS day, p.slug, sum(o.quantity) AS events\nFROM outcomes o JOIN projects p ON p.id = o.project_id\nWHERE o.outcome = 'stored'\nGROUP BY 1, 2\nORDER BY 1 DESC, 3 DESC"},
		{"Which browsers an issue happens in", "SELECT t.value, sum(t.count) AS events\nFROM issue_tags t JOIN issues i ON i.id = t.issue_id\nWHERE i.short_id = 'SHOP-1' AND t.key = 'browser'\nGROUP BY 1\nORDER BY 2 DESC"},
		{"Addresses with the most events", "SELECT payload ->> '$.request.url' AS url, count(*) AS events\nFROM payloads\nGROUP BY 1\nORDER BY 2 DESC\nLIMIT 20"},
		{"How good releases are", "SELECT r.version, r.new_issues, sum(c.events) AS events, min(c.first_seen) AS since\nFROM releases r JOIN release_counts c ON c.project_id = r.project_id AND c.release = r.version\nGROUP BY r.id\nORDER BY r.id DESC\nLIMIT 20"},
	}
}

// sqlRoutes are the page of SQL and its forms, and where the whole database is had. A copy answers them itself but for what
// is saved: it has the file that is asked.
func (d *Dashboard) sqlRoutes() {
	d.get("/sql", signedIn, d.showSQL)
	d.handle("POST /sql", d.runSQL)
	d.post("/sql/queries", "save query", signedIn, d.saveQuery)                 // whom it may be shared with it asks itself,
	d.post("/sql/queries/{id}/delete", "delete query", signedIn, d.deleteQuery) // and whose query it is
	d.databaseRoutes()
}

// sqlPage returns the page without a statement.
func (d *Dashboard) sqlPage(rx *store.Rx, p access.Person) (sqlPage, error) {
	page := sqlPage{
		shell: shell{Title: "SQL"}, Possible: d.cfg.Replica.MayAsk(),
		Tables: store.StatementTables(p), Examples: sqlExamples(), Shares: []option{{Value: "", Text: "only me", Selected: true}},
	}
	teams, err := rx.Teams()
	if err != nil {
		return page, err
	}
	names := make(map[int64]string)
	for _, t := range teams {
		names[t.ID] = t.Name
		if p.OfTeam(t.ID) >= access.Member {
			page.Shares = append(page.Shares, option{Value: strconv.FormatInt(t.ID, 10), Text: "the team " + t.Name})
		}
	}
	if p.Role >= access.Admin {
		page.Shares = append(page.Shares, option{Value: "all", Text: "everybody"})
	}
	queries, err := rx.SavedQueries(p)
	for _, q := range queries {
		row := savedQueryRow{SavedQuery: q, Own: q.UserID == p.ID, MayDelete: deed.MayDeleteQuery(p, q), With: names[q.TeamID]}
		if q.Everybody {
			row.With = "everybody"
		}
		page.Saved = append(page.Saved, row)
	}
	return page, err
}

// showSQL is GET /sql. An address may bring a statement (q) or name a saved one (query):
// that is shown and not run, because whoever follows a link has not decided to run what
// somebody else wrote.
func (d *Dashboard) showSQL(rx *store.Rx, r *http.Request) (reply, error) {
	page, err := d.sqlPage(rx, who(r))
	if err != nil {
		return reply{}, err
	}
	q := r.URL.Query()
	page.Statement, page.Gone = q.Get("q"), q.Get("deleted")
	if id, err := strconv.ParseInt(q.Get("query"), 10, 64); err == nil {
		at := slices.IndexFunc(page.Saved, func(s savedQueryRow) bool { return s.ID == id })
		if at < 0 {
			return reply{}, store.ErrNotFound
		}
		page.show(page.Saved[at])
	}
	return show("sql", page), nil
}

// show puts a saved query into the form.
func (p *sqlPage) show(s savedQueryRow) {
	p.Statement, p.Name = s.Statement, s.Name
	share := ""
	switch {
	case s.Everybody:
		share = "all"
	case s.TeamID != 0:
		share = strconv.FormatInt(s.TeamID, 10)
	}
	p.choose(share)
}

func (p *sqlPage) choose(share string) {
	for i := range p.Shares {
		p.Shares[i].Selected = p.Shares[i].Value == share
	}
}

// runSQL is POST /sql: a statement, or the number of a saved one. It runs between two
// transactions, not in one.
func (d *Dashboard) runSQL(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		d.fail(w, r, err)
		return
	}
	var saved savedQueryRow
	statement := r.PostFormValue("q")
	d.guarded(func(rx *store.Rx, r *http.Request) error {
		if err := signedIn(rx, r); err != nil || r.PostFormValue("saved") == "" {
			return err
		}
		var err error
		saved, err = d.savedQuery(rx, who(r), r.PostFormValue("saved"))
		statement = saved.Statement
		return err
	}, func(w http.ResponseWriter, r *http.Request) {
		as := r.PostFormValue("as")
		rows := shownRows
		if as != "" {
			rows = savedRows
		}
		answer, err := d.cfg.Replica.Ask(r.Context(), who(r), statement, rows)
		d.cfg.Log.Debug().Int64("user_id", who(r).ID).Int("rows", len(answer.Rows)).Dur("took", answer.Took).Bool("refused", err != nil).Msg("SQL")
		words, err := sqlWords(statement, err)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		name := cmp.Or(saved.Name, r.PostFormValue("name")) // a saved query's is in the form that shows it
		if words == "" && as != "" {
			doc, err := sqlDocument(answer, as, name)
			d.answer(w, r, reply{document: doc}, err)
			return
		}
		d.readHere(w, r, signedIn, func(rx *store.Rx, r *http.Request) (reply, error) {
			page, err := d.sqlPage(rx, who(r))
			if saved.ID != 0 {
				page.show(saved)
			}
			page.Statement, page.Name, page.Error = statement, name, words
			if words != "" {
				return returned("sql", page), err
			}
			page.Result = newSQLResult(answer)
			return show("sql", page), err
		}, d.changedAt(r))
	})(w, r)
}

// savedQuery returns a saved query that a person has.
func (d *Dashboard) savedQuery(rx *store.Rx, p access.Person, id string) (savedQueryRow, error) {
	page, err := d.sqlPage(rx, p)
	if err != nil {
		return savedQueryRow{}, err
	}
	at := slices.IndexFunc(page.Saved, func(s savedQueryRow) bool { return strconv.FormatInt(s.ID, 10) == id })
	if at < 0 {
		return savedQueryRow{}, store.ErrNotFound
	}
	return page.Saved[at], nil
}

// sqlWords says why a statement has no answer, if the page can say it; an error is of
// another kind.
func sqlWords(statement string, err error) (string, error) {
	var refused *sandbox.Error
	switch {
	case errors.As(err, &refused):
		if line, column, ok := refused.Place(statement); ok {
			return fmt.Sprintf("%s (line %d, character %d)", refused.Words, line, column), nil
		}
		return refused.Words, nil
	case errors.Is(err, store.ErrAsking), errors.Is(err, store.ErrCut):
		return "Other statements run at the moment. Try again.", nil
	case errors.Is(err, store.ErrNoStatements):
		return sqlImpossible, nil
	}
	return "", err
}

// sqlImpossible is said where there is no file.
const sqlImpossible = "The database of these pages is on a libSQL server, and SQL of one's own needs a file. A dashboard that follows a file's backup has it (SUNDEW_FOLLOW), and whoever runs the server can ask that."

func newSQLResult(answer sandbox.Answer) *sqlResult {
	result := &sqlResult{Columns: answer.Columns, Count: formatCounted(int64(len(answer.Rows)), "row"), Cut: answer.Cut, Took: fmt.Sprintf("%d ms", answer.Took.Milliseconds())}
	for _, row := range answer.Rows {
		cells := make([]sqlCell, len(row))
		for i, value := range row {
			cells[i] = newSQLCell(value)
		}
		result.Rows = append(result.Rows, cells)
	}
	return result
}

func newSQLCell(value sandbox.Value) sqlCell {
	cell := sqlCell{Text: sqlText(value), Null: value == nil}
	switch value.(type) {
	case int64, float64:
		cell.Number = true
	}
	if utf8.RuneCountInString(cell.Text) > maxCell {
		cell.Text, cell.Cut = string([]rune(cell.Text)[:maxCell]), true
	}
	return cell
}

// sqlText writes a value; NULL is empty, a BLOB its hexadecimal text.
func sqlText(value sandbox.Value) string {
	switch v := value.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []byte:
		return hex.EncodeToString(v)
	case string:
		return v
	}
	return ""
}

// Lines is how high the field for a statement is.
func (p sqlPage) Lines() int { return min(max(strings.Count(p.Statement, "\n")+2, 6), 20) }
