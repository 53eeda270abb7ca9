package api

import (
	"net/http"
	"strings"
	"testing"

	"sundew/digester/store"
)

// Searches are saved beside a list, changed and deleted, as in the dashboard.
func TestSavedSearches(t *testing.T) {
	r := newRig(t, nil)
	const at = "/organizations/x/searches/"
	mine := mustRead[SavedSearch](t, r.must(http.StatusCreated, "POST", at, `{"name":" mine ","query":"level:fatal","sort":"freq"}`))
	if mine.Name != "mine" || mine.Sort != "freq" || mine.Visibility != "owner" || mine.Project != nil || mine.Team != nil {
		t.Errorf("saved %+v", mine)
	}
	if got := r.lastAudit(); strings.HasPrefix(got, "search.") {
		t.Errorf("one's own search is in the audit log: %s", got)
	}
	shared := mustRead[SavedSearch](t, mustStatus(t, r.do("POST", Root+at, r.memberToken, `{"name":"fatal","query":"level:fatal","visibility":"organization","project":"web-shop"}`), http.StatusCreated))
	r.wantAudit("search.save fatal level:fatal")
	list := func(token, query string) string {
		t.Helper()
		var names []string
		for _, s := range mustRead[[]SavedSearch](t, mustStatus(t, r.do("GET", Root+at+query, token, ""), http.StatusOK)) {
			names = append(names, s.Name)
		}
		return strings.Join(names, " ")
	}
	for who, c := range map[string]struct{ token, query, want string }{
		"the owner":          {r.ownerToken, "", "mine fatal"},
		"a viewer":           {r.viewerToken, "", "fatal"},
		"beside the project": {r.ownerToken, "?project=web-shop", "fatal"},
		"beside the team":    {r.ownerToken, "?team=shop", ""},
		"another's token":    {r.otherToken, "", ""},
	} {
		if got := list(c.token, c.query); got != c.want {
			t.Errorf("%s has %q, want %q", who, got, c.want)
		}
	}
	// Beside the list the dashboard has them, too.
	err := r.replica.Read(t.Context(), func(rx *store.Rx) error {
		all, err := rx.SavedSearches(store.SearchPlace{Project: r.web.ID}, r.viewer.ID)
		if len(all) != 1 || all[0].Query != "level:fatal" || all[0].UserID != r.member.ID || all[0].Sort != "" {
			t.Errorf("the store has %+v", all)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	one := at + shared.ID + "/"
	mustStatus(t, r.do("PUT", Root+one, r.viewerToken, `{"name":"x"}`), http.StatusForbidden)
	mustStatus(t, r.do("DELETE", Root+one, r.viewerToken, ""), http.StatusForbidden)
	mustStatus(t, r.do("GET", Root+one, r.otherToken, ""), http.StatusNotFound)
	mustStatus(t, r.do("GET", Root+at+mine.ID+"/", r.memberToken, ""), http.StatusNotFound)
	changed := mustRead[SavedSearch](t, r.must(http.StatusOK, "PUT", one, `{"query":"level:error","sort":"new"}`))
	if changed.Name != "fatal" || changed.Query != "level:error" || changed.Sort != "new" || changed.Visibility != "organization" || changed.Owner != number(r.member.ID) {
		t.Errorf("changed %+v", changed)
	}
	r.wantAudit("search.save fatal level:error")
	r.must(http.StatusOK, "PUT", one, `{"visibility":"owner"}`)
	r.wantAudit("search.delete fatal level:error")
	mustStatus(t, r.do("DELETE", Root+one, r.memberToken, ""), http.StatusNoContent)
	mustStatus(t, r.do("GET", Root+one, r.memberToken, ""), http.StatusNotFound)
}

// What cannot be saved is refused in words.
func TestSavedSearchWords(t *testing.T) {
	r := newRig(t, nil)
	const at = "/organizations/x/searches/"
	r.must(http.StatusCreated, "POST", at, `{"name":"taken","query":"a"}`)
	mine := mustRead[SavedSearch](t, r.must(http.StatusCreated, "POST", at, `{"name":"mine","query":"a"}`))
	for body, want := range map[string]string{
		`{}`:                                                          "needs a name and a query",
		`{"name":"","query":"a"}`:                                     "1 to 60 printable characters",
		`{"name":"a","query":"is:x"}`:                                 "Column 4",
		`{"name":"a","query":"a","sort":"x"}`:                         "sort is date",
		`{"name":"a","query":"a","type":1}`:                           "type: searches are of issues",
		`{"name":"a","query":"a","visibility":"everybody"}`:           "visibility is owner",
		`{"name":"a","query":"a","visibility":"organization"}`:        "theirs alone",
		`{"name":"a","query":"a","project":"web-shop","team":"shop"}`: "not of both",
	} {
		if text := r.must(http.StatusBadRequest, "POST", at, body); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", body, text, want)
		}
	}
	r.must(http.StatusNotFound, "POST", at, `{"name":"a","query":"a","project":"nowhere"}`)
	mustStatus(t, r.do("POST", Root+at, r.viewerToken, `{"name":"a","query":"a","project":"web-shop","visibility":"organization"}`), http.StatusForbidden)
	for body, want := range map[string]string{`{"name":"taken"}`: "taken", `{"project":"web-shop"}`: "stays"} {
		if text := r.must(http.StatusBadRequest, "PUT", at+mine.ID+"/", body); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", body, text, want)
		}
	}
}
