package api

import (
	"net/http"
	"strings"
	"testing"

	"sundew/digester/store"
)

// What events of a release made is what the dashboard's page says.
func TestReleaseStats(t *testing.T) {
	r := newRig(t, nil)
	r.shop()
	r.mustWrite(func(tx *store.Tx) error {
		deltas, err := tx.ReleaseDeltas()
		if err != nil {
			return err
		}
		return tx.CountReleaseHours(deltas)
	})
	got := mustRead[ReleaseStats](t, r.must(http.StatusOK, "GET", "/projects/x/web-shop/releases/shop@2/stats/", ""))
	if got.Events != 2 || got.Day != (Adoption{2, 4}) || len(got.Environments) != 2 || len(got.Days) != statsDays || got.Days[statsDays-1][1] != 2 || len(got.NewIssues)+len(got.RegressedIssues) != 0 {
		t.Errorf("%+v", got)
	}
	first := mustRead[ReleaseStats](t, r.must(http.StatusOK, "GET", "/projects/x/web-shop/releases/shop@1/stats/", ""))
	if len(first.NewIssues) != 1 || first.NewIssues[0].ShortID != "WEB-SHOP-1" || first.NewIssues[0].Project.Slug != "web-shop" {
		t.Errorf("new issues %+v", first.NewIssues)
	}
	r.must(http.StatusNotFound, "GET", "/projects/x/web-shop/releases/unknown/stats/", "")
}

// A deploy that was recorded by mistake is removed, by its release.
func TestRemoveDeploy(t *testing.T) {
	r := newRig(t, nil)
	for _, version := range []string{"1", "2"} {
		r.must(http.StatusCreated, "POST", "/projects/x/web-shop/releases/", `{"version":"`+version+`"}`)
	}
	d := mustRead[Deploy](t, r.must(http.StatusCreated, "POST", "/projects/x/web-shop/releases/1/deploys/", `{"environment":"production"}`))
	r.wantAudit("deploy.add Web shop 1 to production")
	r.must(http.StatusNotFound, "DELETE", "/projects/x/web-shop/releases/2/deploys/"+d.ID+"/", "")
	mustStatus(t, r.do("DELETE", Root+"/organizations/x/releases/1/deploys/"+d.ID+"/", r.viewerToken, ""), http.StatusForbidden)
	r.must(http.StatusNoContent, "DELETE", "/organizations/x/releases/1/deploys/"+d.ID+"/", "")
	r.wantAudit("deploy.remove Web shop 1 to production")
	if left := r.must(http.StatusOK, "GET", "/organizations/x/releases/1/deploys/", ""); strings.TrimSpace(left) != "[]" {
		t.Errorf("left are %s", left)
	}
}
