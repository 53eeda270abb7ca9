package dashboard

import (
	"html/template"
	"net/url"
	"strconv"
)

// sql leads to the page of SQL, with a statement in its form if it is not empty.
func (l links) sql(statement string) string {
	to := l.base + "/sql"
	if statement != "" {
		to += "?" + url.Values{"q": {statement}}.Encode()
	}
	return to
}

// savedSQL leads there with a saved query.
func (l links) savedSQL(id int64) string {
	return l.base + "/sql?query=" + strconv.FormatInt(id, 10)
}

func (l links) saveSQL() string { return l.base + "/sql/queries" }

func (l links) deleteSQL(id int64) string {
	return l.saveSQL() + "/" + strconv.FormatInt(id, 10) + "/delete"
}

// database leads to where the whole database is downloaded.
func (l links) database() string { return l.base + "/system/database" }

// sqlFuncs are what templates call for these.
func (l links) sqlFuncs() template.FuncMap {
	return template.FuncMap{"sqlURL": l.sql, "savedSQLURL": l.savedSQL, "saveSQLURL": l.saveSQL, "deleteSQLURL": l.deleteSQL, "databaseURL": l.database}
}
