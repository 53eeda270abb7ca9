package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sqlDoors() map[string]door {
	return map[string]door{
		"GET /organizations/{org}/sql/schema/": {path: "/organizations/sundew/sql/schema/"},
		"POST /organizations/{org}/sql/":       {path: "/organizations/sundew/sql/", body: `{"query": "SELECT 1"}`, viewer: http.StatusOK},
	}
}

func TestSQL(t *testing.T) {
	r := newRig(t, nil)
	r.furnish()
	ask := func(token, body string, status int) string {
		t.Helper()
		return mustStatus(t, r.do(http.MethodPost, Root+"/organizations/any/sql/", token, body), status)
	}
	query := `{"query": "SELECT p.slug, count(*) AS n, NULL AS missing, x'00ff' AS b, 1e999 AS endless FROM projects p JOIN events e ON e.project_id = p.id GROUP BY 1 ORDER BY 1", "limit": 1}`
	for token, want := range map[string]SQLAnswer{
		r.ownerToken:  {Rows: List[[]any]{{"other", 1.0, nil, "00ff", nil}}, Truncated: true},
		r.viewerToken: {Rows: List[[]any]{{"web-shop", 2.0, nil, "00ff", nil}}},
		r.otherToken:  {Rows: List[[]any]{{"other", 1.0, nil, "00ff", nil}}},
	} {
		got := mustRead[SQLAnswer](t, ask(token, query, http.StatusOK))
		want.Columns = List[SQLColumn]{{"slug", "text"}, {"n", "integer"}, {"missing", "null"}, {"b", "blob"}, {"endless", "real"}}
		got.ElapsedMS = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for body, want := range map[string]struct {
		status int
		words  string
	}{
		`{"query": "SELECT\n  wrong FROM issues"}`:         {http.StatusBadRequest, "No such column: wrong. (line 2, column 3)"},
		`{"query": "SELECT * FROM api_tokens"}`:            {http.StatusBadRequest, "There is no table api_tokens to read here."},
		`{"query": "DELETE FROM issues"}`:                  {http.StatusBadRequest, "Only SELECT works here"},
		`{"query": ""}`:                                    {http.StatusBadRequest, "There is no statement."},
		`{"query": 1}`:                                     {http.StatusBadRequest, `"query" has a JSON number where there has to be a string`},
		`{"query": "SELECT printf('%.*c', 2000000, 'x')"}`: {http.StatusUnprocessableEntity, "1 MiB"},
	} {
		if got := mustRead[detail](t, ask(r.viewerToken, body, want.status)); !strings.Contains(got.Detail, want.words) {
			t.Errorf("%s: %q, want %q", body, got.Detail, want.words)
		}
	}
	schema := mustRead[List[SQLTable]](t, mustStatus(t, r.do(http.MethodGet, Root+"/organizations/any/sql/schema/", r.viewerToken, ""), http.StatusOK))
	for _, table := range schema {
		if table.Name == "users" {
			t.Error("a viewer is told of users")
		}
		ask(r.viewerToken, `{"query": "SELECT `+table.Columns[0].Name+` FROM `+table.Name+`"}`, http.StatusOK)
	}
}
