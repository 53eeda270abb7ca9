package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/digester/access"
	"sundew/digester/store"
)

// TestAuditLog pages and filters.
func TestAuditLog(t *testing.T) {
	r := newRig(t, nil)
	_, admin := r.with("admin", access.None, access.Admin)
	r.must(http.StatusCreated, "POST", "/organizations/x/teams/", `{"name":"Ops"}`)
	r.now = testNow.Add(time.Hour)
	r.must(http.StatusCreated, "POST", "/projects/x/other/teams/ops/", "")
	mustStatus(t, r.do("PUT", Root+"/users/me/", r.viewerToken, `{"name":"Ada"}`), http.StatusOK)
	r.mustWrite(func(tx *store.Tx) error {
		return tx.Audit(access.Person{}, store.AuditEntry{Action: "session.refuse", Subject: "x@example.com", Project: r.web.ID})
	})
	const path = "/organizations/x/audit-logs/"
	log := func(token, query string) AuditLog {
		t.Helper()
		return mustRead[AuditLog](t, mustStatus(t, r.do("GET", Root+path+"?"+query, token, ""), http.StatusOK))
	}
	for _, c := range []struct {
		token, query string
		want         []string
	}{
		{r.ownerToken, "", []string{"session.refuse", "account.name", "project.transfer", "team.create"}},
		{r.ownerToken, "event=team.create", []string{"team.create"}},
		{r.ownerToken, "actor=me", []string{"project.transfer", "team.create"}},
		{r.ownerToken, "actor=" + number(r.viewer.ID), []string{"account.name"}},
		{r.ownerToken, "end=2026-03-04T12:45:00", []string{"team.create"}},
		{r.ownerToken, "start=2026-03-04T12:45:00&event=project.transfer", []string{"project.transfer"}},
		{r.ownerToken, "statsPeriod=30m", []string{"session.refuse", "account.name", "project.transfer"}},
		{r.ownerToken, "project=other", []string{"project.transfer"}},
		{admin, "project=web-shop", []string{"session.refuse"}},
		{r.otherToken, "project=" + projectNumber(r.other.ID), []string{"project.transfer"}},
	} {
		var got []string
		for _, row := range log(c.token, c.query).Rows {
			got = append(got, row.Event)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
	all := log(r.ownerToken, "")
	moved := all.Rows[2]
	if moved.Actor == nil || moved.Actor.Email != "owner@example.com" || moved.Note != "gave to another team the project Other (to Ops)" || moved.IPAddress == "" ||
		moved.Data.Project != projectNumber(r.other.ID) || moved.Data.Token == "" || all.Rows[0].Actor != nil || !slices.Contains(all.Options, "team.create") {
		t.Errorf("rows %+v", all.Rows)
	}
	second := log(r.ownerToken, "per_page=3&cursor="+all.Rows[2].ID+":0:0")
	if len(second.Rows) != 1 || second.Rows[0].Event != "team.create" {
		t.Errorf("the second page has %+v", second.Rows)
	}
	for query, words := range map[string]string{"actor=ada": "number of a person", "start=soon": "ISO 8601", "statsPeriod=x": "statsPeriod", "project=other&project=web-shop": "once"} {
		r.refused(http.StatusBadRequest, r.ownerToken, "GET", path+"?"+query, "", words)
	}
	r.refused(http.StatusForbidden, admin, "GET", path, "", "your role")
	r.refused(http.StatusForbidden, r.memberToken, "GET", path+"?project=web-shop", "", "your role")
	r.refused(http.StatusNotFound, admin, "GET", path+"?project=other", "", "does not exist")
	r.refused(http.StatusForbidden, r.token(r.owner.ID, access.WriteProjects), "GET", path, "", "org:write")
}
