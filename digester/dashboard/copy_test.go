package dashboard

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// TestCopyThatGoesBack: a copy said that it has come to a position, and is read behind
// it. The page comes from the primary, not without what its reader has changed.
func TestCopyThatGoesBack(t *testing.T) {
	primary := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from the primary") }))
	t.Cleanup(primary.Close)
	at, err := url.Parse(primary.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(cfg *Config) {
		cfg.Copy = &Copy{Primary: at, Old: time.Hour, Wait: func(context.Context, int64) bool { return true }}
		cfg.DB, cfg.Ledger, cfg.Dead = nil, nil, nil
	})
	ask := func(position string) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: positionCookie, Value: position})
		return bodyOf(t, s.do(r))
	}
	mustContain(t, ask("0"), "Web shop")
	for _, session := range []string{s.session, "one-it-does-not-have-yet"} {
		s.session = session
		if page := ask("1000000"); page != "from the primary" {
			t.Errorf("as %s: %.300q", session, page)
		}
	}
}
