package api

import (
	"errors"
	"fmt"
	"net/http"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/sandbox"
)

// sqlRoutes are about SQL. Sentry has nothing of the kind.
func (a *API) sqlRoutes() {
	const path = "/organizations/{org}/sql/"
	read(a, path+"schema/", access.ReadEvents, anyone, Doc{Tag: "SQL", Summary: "The tables that a statement can read"}, a.sqlSchema)
	raw[SQLQuery, SQLAnswer](a, http.MethodPost, path, access.ReadEvents, anyone, Doc{
		Tag: "SQL", Summary: "Run one SELECT",
		Text: "SQLite's SQL, over the rows that the token may see. A statement may take about 5 seconds; two run at the same time. " +
			"400: SQLite's words about what is wrong. 422: it took too long, or too much memory. 429: others run; try again.",
	}, a.sqlAsk)
	a.savedQueryRoutes()
}

// SQLQuery is a statement to run.
type SQLQuery struct {
	Query string `json:"query"`
	Limit int    `json:"limit"` // rows; 0: 1,000; at most 10,000
}

// SQLAnswer is what it found.
type SQLAnswer struct {
	Columns   List[SQLColumn] `json:"columns"`
	Rows      List[[]any]     `json:"rows"` // numbers, texts and null; a BLOB is its hexadecimal text
	Truncated bool            `json:"truncated"`
	ElapsedMS int64           `json:"elapsed_ms"`
}

// SQLColumn is a column of an answer.
type SQLColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // of its first value: integer, real, text, blob; null if it has none
}

// SQLTable is a table that a statement can read.
type SQLTable struct {
	Name        string               `json:"name"`
	Description string               `json:"description"`
	Columns     List[SQLTableColumn] `json:"columns"`
}

// SQLTableColumn is one of its columns.
type SQLTableColumn struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (a *API) sqlSchema(_ *store.Rx, r *request) (List[SQLTable], error) {
	var all List[SQLTable]
	for _, t := range store.StatementTables(r.person) {
		table := SQLTable{Name: t.Name, Description: t.Words}
		for _, c := range t.Columns {
			table.Columns = append(table.Columns, SQLTableColumn{Name: c.Name, Description: c.Words})
		}
		all = append(all, table)
	}
	return all, nil
}

func (a *API) sqlAsk(w http.ResponseWriter, r *request) error {
	in, err := decode[SQLQuery](w, r)
	if err != nil {
		return err
	}
	return a.answerSQL(w, r, in.Query, in.Limit)
}

// answerSQL runs a statement and answers with what it found.
func (a *API) answerSQL(w http.ResponseWriter, r *request, statement string, limit int) error {
	answer, err := a.cfg.Replica.Ask(r.Context(), r.person, statement, limit)
	a.cfg.Log.Debug().Int64("user_id", r.person.ID).Int64("token_id", r.token.ID).Int("rows", len(answer.Rows)).Dur("took", answer.Took).Bool("refused", err != nil).Msg("SQL")
	if err != nil {
		return sqlProblem(statement, err)
	}
	out := SQLAnswer{Rows: answer.Plain(), Truncated: answer.Cut, ElapsedMS: answer.Took.Milliseconds()}
	for _, c := range answer.Columns {
		out.Columns = append(out.Columns, SQLColumn{Name: c.Name, Type: string(c.Type)})
	}
	r.send(w, out)
	return nil
}

// sqlProblem says what a program is to do about an error of a statement. No status that
// tools repeat by themselves.
func sqlProblem(statement string, err error) error {
	var refused *sandbox.Error
	switch {
	case errors.As(err, &refused):
		words := refused.Words
		if line, column, ok := refused.Place(statement); ok {
			words = fmt.Sprintf("%s (line %d, column %d)", words, line, column)
		}
		if errors.Is(err, sandbox.ErrStatement) {
			return bad(words)
		}
		return &Problem{http.StatusUnprocessableEntity, words}
	case errors.Is(err, store.ErrAsking), errors.Is(err, store.ErrCut):
		return &Problem{http.StatusTooManyRequests, "Other statements run at the moment; try again"}
	case errors.Is(err, store.ErrNoStatements):
		return &Problem{http.StatusNotFound, "SQL needs a database file, and this installation's is on a libSQL server: ask a dashboard that follows a backup, or the server itself"}
	}
	return err
}
