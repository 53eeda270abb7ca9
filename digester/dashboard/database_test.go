package dashboard

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

func TestDownloadDatabase(t *testing.T) {
	now := testNow
	var problem error
	s := newSite(t, nil)
	made := s.dash.cfg.Snapshot
	s.dash.cfg.Now = func() time.Time { return now }
	s.dash.cfg.Snapshot = func(ctx context.Context) (*Snapshot, error) {
		if problem != nil {
			return nil, problem
		}
		return made(ctx)
	}
	mustContain(t, s.mustGet("/system"), "/system/database")
	mustContain(t, s.mustGet("/system/database"), "One SQLite file with everything")

	resp := s.post("/system/database", "")
	if body := bodyOf(t, resp); body != "a copy" || resp.ContentLength != 6 || resp.Header.Get("Content-Disposition") != "attachment; filename=copy.db" {
		t.Errorf("%q, %v", body, resp.Header)
	}
	mustContain(t, s.mustGet("/audit"), "downloaded the database")
	for why, want := range map[error]int{ErrSnapshotUnderWay: 422, errors.Join(ErrNoRoom, errors.New("x")): 422, errors.New("broken"): 500} {
		problem = why
		if resp := s.post("/system/database", ""); resp.StatusCode != want {
			t.Errorf("%v: status %d, want %d", why, resp.StatusCode, want)
		}
	}
	problem = nil
	now = now.Add(recent + time.Second)
	if resp := s.post("/system/database", ""); resp.StatusCode != http.StatusForbidden {
		t.Errorf("long after signing in: status %d", resp.StatusCode)
	}
	s.dash.cfg.Snapshot = nil
	mustContain(t, s.mustGet("/system/database"), "libSQL server")
}
