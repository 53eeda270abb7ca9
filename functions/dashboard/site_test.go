package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/digester/store/storetest"
	"sundew/functions/lambdahttp"
)

// seen is what a primary is handed.
type seen struct {
	query  string
	header http.Header
}

// newSite returns a site of a file's replica, and the requests that its primary gets.
func newSite(t *testing.T, open func(*store.Replica) (*store.Replica, error)) (*site, *store.DB, chan seen) {
	t.Helper()
	handed := make(chan seen, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handed <- seen{r.URL.RawQuery, r.Header}
		w.Write([]byte("from the primary"))
	}))
	t.Cleanup(server.Close)
	primary, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	db, replica := storetest.Open(t, time.Now)
	return &site{
		cfg:  Config{URL: server.URL, Primary: primary},
		open: func(context.Context, store.RemoteConfig) (*store.Replica, error) { return open(replica) },
		now:  time.Now, log: zerolog.New(zerolog.NewTestWriter(t)),
	}, db, handed
}

func answers(replica *store.Replica) (*store.Replica, error) { return replica, nil }

// TestAway checks that a replica that does not answer is said to be away, and is
// asked again.
func TestAway(t *testing.T) {
	away := true
	s, _, _ := newSite(t, func(r *store.Replica) (*store.Replica, error) {
		if away {
			return nil, store.ErrReplicaAway
		}
		return r, nil
	})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), s.cfg.Primary.String()) {
		t.Errorf("away: %d %v %q", w.Code, w.Header(), w.Body)
	}
	away = false
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/sign-in", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Nobody owns this installation yet") {
		t.Errorf("there again: %d %q", w.Code, w.Body)
	}
}

// TestUnsigned checks that what AWS has signed a request with goes no further.
func TestUnsigned(t *testing.T) {
	s, _, handed := newSite(t, answers)
	r := httptest.NewRequest("POST", "/projects?a=1&X-Amz-Signature=secret&X-Amz-Security-Token=secret", strings.NewReader("name=Shop"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=secret")
	r.Header.Set("X-Amz-Security-Token", "secret")
	r.Header.Set("X-Kept", "yes")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	got := <-handed
	var all bytes.Buffer
	if err := got.header.Write(&all); err != nil {
		t.Fatal(err)
	}
	if w.Body.String() != "from the primary" || got.query != "a=1" || strings.Contains(all.String(), "secret") || got.header.Get("X-Kept") != "yes" {
		t.Errorf("answered %q; the primary got %q with\n%s", w.Body, got.query, &all)
	}
	r.Header.Set("Authorization", "Basic bWU6c2VjcmV0")
	r.Body = http.NoBody
	s.ServeHTTP(httptest.NewRecorder(), r)
	if got := <-handed; got.header.Get("Authorization") == "" {
		t.Error("the primary's own authorization is gone, too")
	}
}

// TestWaitFor checks that a page waits for a change of its reader's, and not longer
// than it may.
func TestWaitFor(t *testing.T) {
	s, db, handed := newSite(t, answers)
	get := func(position string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: "sundew_position", Value: position})
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Body.String()
	}
	if page := get("1000000"); page != "from the primary" {
		t.Fatalf("a change that does not come: %q", page)
	}
	<-handed
	changed := make(chan error, 1)
	time.AfterFunc(2*askEvery, func() {
		changed <- db.Write(context.WithoutCancel(t.Context()), "test", func(*store.Tx) error { return nil })
	})
	if page := get("1"); !strings.Contains(page, "<html") {
		t.Errorf("a change that comes: %q", page)
	}
	if err := <-changed; err != nil {
		t.Error(err)
	}
}

func TestRefuse(t *testing.T) {
	for err, want := range map[error]int{
		lambdahttp.ErrEvent: 400, lambdahttp.ErrAborted: 502, lambdahttp.ErrTooLarge: 500, lambdahttp.ErrPanic: 500, errors.New("secret"): 500,
	} {
		w := httptest.NewRecorder()
		refuse(w, httptest.NewRequest("GET", "/", nil), err)
		if w.Code != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: %d %v %q", err, w.Code, w.Header(), w.Body)
		}
	}
}
