package dashboard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sundew/digester/access"
	"sundew/digester/store"
	"sundew/digester/store/storetest"
)

// TestSQL has statements run, shown and refused.
func TestSQL(t *testing.T) {
	s := newSiteOn(t, storetest.OpenFile, nil)
	s.message("one", testNow)
	s.message("=two", testNow)
	run := func(form url.Values) (*http.Response, string) {
		t.Helper()
		resp := s.post("/sql", form.Encode())
		return resp, bodyOf(t, resp)
	}
	const statement = "SELECT id, title, NULL AS missing FROM issues ORDER BY id"
	page := s.mustGet("/sql?q=" + url.QueryEscape(statement))
	mustContain(t, page, ">\n"+statement+"<", "release_counts", "New issues of the last week")
	mustLack(t, page, ">NULL<") // it is not run

	resp, page := run(url.Values{"q": {statement}})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	mustContain(t, page, "2 rows", `<td class="number">1</td>`, "<td>=two</td>", ">NULL<", statement)
	resp, csv := run(url.Values{"q": {statement}, "as": {"csv"}})
	if want := "id,title,missing\n1,one,\n2,'=two,\n"; csv != want || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("CSV %q, want %q; %s", csv, want, resp.Header)
	}
	if _, json := run(url.Values{"q": {statement}, "as": {"json"}}); !strings.HasPrefix(json, `{"columns":[{"name":"id","type":"integer"},{"name":"title","type":"text"},{"name":"missing","type":"null"}],"rows":[[1,"one",null],[2,"=two",null]],"truncated":false,`) {
		t.Errorf("JSON %s", json)
	}
	if resp, _ := run(url.Values{"q": {statement}, "as": {"xml"}}); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("as something else: status %d", resp.StatusCode)
	}
	for _, e := range sqlExamples() {
		if resp, page := run(url.Values{"q": {e.Statement}}); resp.StatusCode != http.StatusOK {
			t.Errorf("the example %s: status %d: %s", e.Name, resp.StatusCode, page)
		}
	}
	_, page = run(url.Values{"q": {"SELECT printf('%.*c', 400, 'x') FROM issues LIMIT 1"}})
	mustContain(t, page, strings.Repeat("x", 300)+`<span class="muted" title="Cut`)
	for bad, words := range map[string]string{
		"SELECT 1,\n wrong": "No such column: wrong. (line 2, character 2)", "SELECT * FROM sessions": "There is no table sessions to read here.",
		"DELETE FROM issues": "Only SELECT works here",
	} {
		for _, as := range []string{"", "csv"} {
			resp, page := run(url.Values{"q": {bad}, "as": {as}})
			if resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%q: status %d", bad, resp.StatusCode)
			}
			mustContain(t, page, words, `aria-invalid="true"`)
		}
	}
	_, page = run(url.Values{"q": {"SELECT 1 AS one WHERE 0"}})
	mustContain(t, page, "0 rows", "Columns: one")
	if strings.Contains(s.log.String(), "FROM issues") {
		t.Error("the log has statements")
	}
}

func TestSavedSQL(t *testing.T) {
	s := newSiteOn(t, storetest.OpenFile, nil)
	s.message("one", testNow)
	save := func(form string, want int) string {
		t.Helper()
		resp := s.post("/sql/queries", form)
		if resp.StatusCode != want {
			t.Fatalf("saving %s: status %d, want %d", form, resp.StatusCode, want)
		}
		return resp.Header.Get("Location")
	}
	own := save("name=Titles&q=SELECT+title+FROM+issues", http.StatusSeeOther)
	mustContain(t, s.mustGet(own), ">\nSELECT title FROM issues<", `value="Titles"`)
	mustContain(t, bodyOf(t, s.post("/sql", "saved=1")), "<td>one</td>", "SELECT title FROM issues")
	mustContain(t, bodyOf(t, s.post("/sql", "q=SELECT+1&name=Titles")), `value="Titles"`)
	for form, want := range map[string]string{
		"as=csv&saved=1": "Titles.csv", "as=json&q=SELECT+1&name=..%2FNew+issues,+by+%22day%22%0D%0A": `"-New issues, by _day_.json"`, "as=csv&q=SELECT+1&name=+.": "query.csv",
	} {
		if got := s.post("/sql", form).Header.Get("Content-Disposition"); got != "attachment; filename="+want {
			t.Errorf("%s: %s, want %s", form, got, want)
		}
	}
	save("name=Ours&q=SELECT+2&share=all", http.StatusSeeOther)
	mustContain(t, bodyOf(t, s.post("/sql/queries", "name=+&q=SELECT+3&share=all")), "It was not saved", "SELECT 3", `<option value="all" selected>`)
	save("name=x&q=+", http.StatusUnprocessableEntity)
	save("name=x&q=SELECT+1&share=99", http.StatusNotFound)
	save("name=x&q=SELECT+1&share=x", http.StatusBadRequest)
	mustContain(t, s.mustGet("/audit"), "Ours")

	owner := s.session
	s.signInAs("guest@example.com", access.None)
	page := s.mustGet("/sql")
	mustContain(t, page, ">Ours<", "everybody", "by owner@example.com")
	mustLack(t, page, ">Titles<", "/sql/queries/2/delete", `value="all"`)
	save("name=x&q=SELECT+1&share=all", http.StatusForbidden)
	for path, want := range map[string]int{"/sql/queries/1/delete": 404, "/sql/queries/2/delete": 403, "/sql/queries/9/delete": 404} {
		if got := s.post(path, "").StatusCode; got != want {
			t.Errorf("%s: status %d, want %d", path, got, want)
		}
	}
	if got := s.get("/sql?query=1").StatusCode; got != http.StatusNotFound {
		t.Errorf("another's query: status %d", got)
	}
	if got := s.post("/sql", "saved=1").StatusCode; got != http.StatusNotFound {
		t.Errorf("running another's query: status %d", got)
	}
	mustContain(t, bodyOf(t, s.post("/sql", "q=SELECT+count(*)+AS+n+FROM+issues")), `<td class="number">0</td>`) // a guest has no projects

	s.session = owner
	to := s.post("/sql/queries/2/delete", "").Header.Get("Location")
	page = s.mustGet(to)
	mustContain(t, page, "“Ours” was deleted", ">\nSELECT 2<")
	mustLack(t, page, ">Ours<")
	var left []store.SavedQuery
	if err := s.replica.Read(t.Context(), func(rx *store.Rx) (err error) {
		left, err = rx.SavedQueries(access.Person{ID: 1})
		return err
	}); err != nil || len(left) != 1 {
		t.Errorf("%v are left, %v", left, err)
	}
}

// TestSQLOnAServer has the page say why no SQL of one's own runs on a libSQL server.
func TestSQLOnAServer(t *testing.T) {
	if !storetest.OnServer {
		t.Skip("make test-sqld runs it")
	}
	s := newSite(t, nil)
	s.message("one", testNow)
	mustContain(t, s.mustGet("/sql"), "SQL of one's own needs a file")
	resp := s.post("/sql", "q=SELECT+title+FROM+issues")
	page := bodyOf(t, resp)
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d", resp.StatusCode)
	}
	mustContain(t, page, "SQL of one's own needs a file")
	mustLack(t, page, "<td>one</td>")
}
