//go:build sqld

package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sundew/digester/dashboard"
	"sundew/digester/store"
	"sundew/digester/store/hrana"
	"sundew/functions/lambdatest"
	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

// region is the function as it is deployed: the program in Lambda's place, a libSQL
// replica beside it, and far away the primary.
type region struct {
	function *lambdatest.Function
	replica  *sqld.Server
	network  *sqld.Proxy // between replica and primary
	browser  *http.Client
	url      string
	secret   string           // of the owner's session
	primary  *httptest.Server // its dashboard
}

// newRegion starts everything.
func newRegion(t *testing.T) *region {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := sqld.Token(private, true)
	if err != nil {
		t.Fatal(err)
	}
	far := sqldtest.Start(t, sqld.Config{})
	writer, err := hrana.New(hrana.Config{URL: far.URL(), Namespace: sqld.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	pool := sql.OpenDB(writer.Connector())
	t.Cleanup(func() { pool.Close() })
	r := &region{network: sqldtest.Proxy(t, far.GRPC, time.Millisecond), primary: newPrimary(t, pool), secret: newOwner(t, far)}
	r.replica = sqldtest.Start(t, sqld.Config{Primary: r.network.Addr, Key: public})
	program, err := lambdatest.Build(t.Context(), t.TempDir(), "sundew/functions/dashboard")
	if err != nil {
		t.Fatal(err)
	}
	r.function, err = lambdatest.New(lambdatest.Config{
		Bootstrap: program, Freeze: true, Timeout: 25 * time.Second, Log: t.Output(),
		Env: []string{"SUNDEW_REPLICA=" + r.replica.URL() + "?namespace=" + sqld.Namespace,
			"SUNDEW_REPLICA_TOKEN=" + token, "SUNDEW_PRIMARY_URL=" + r.primary.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.function.Close)
	front := httptest.NewServer(r.function)
	t.Cleanup(front.Close)
	r.url, r.browser = front.URL, new(http.Client)
	r.forget(t)
	return r
}

// forget leaves the browser nothing but the owner's session.
func (r *region) forget(t *testing.T) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, []*http.Cookie{{Name: "sundew_session", Value: r.secret, Path: "/"}})
	r.browser.Jar = jar
}

// newOwner makes the database and its owner, and signs him in.
func newOwner(t *testing.T, server *sqld.Server) (secret string) {
	t.Helper()
	db, err := store.OpenRemote(t.Context(), store.RemoteConfig{URL: server.URL(), Namespace: sqld.Namespace, Relaxed: true}, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	err = db.Write(t.Context(), "owner", func(tx *store.Tx) error {
		owner, err := dashboard.MakeOwner(tx, "owner@example.com", "Owner", "")
		if err == nil {
			secret, err = tx.CreateSession(owner.ID, store.FactorAll, "192.0.2.1", "test")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// newPrimary returns a primary's dashboard as far as one form takes it.
func newPrimary(t *testing.T, pool *sql.DB) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			fmt.Fprint(w, "from the primary")
			return
		}
		if _, err := pool.ExecContext(r.Context(), `INSERT INTO projects (slug, name, created_at) VALUES (?1, ?1, 0)`, r.PostFormValue("name")); err != nil {
			t.Error(err)
		}
		var position int64
		moved := pool.QueryRowContext(r.Context(), `UPDATE digest_state SET batch = batch + 1, updated_at = ? RETURNING batch`, time.Now().UnixMilli())
		if err := moved.Scan(&position); err != nil {
			t.Error(err)
		}
		http.SetCookie(w, &http.Cookie{Name: "sundew_position", Value: fmt.Sprint(position), Path: "/"})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	t.Cleanup(server.Close)
	return server
}

// read returns an answer and its text.
func (r *region) read(t *testing.T, answer *http.Response, err error) (*http.Response, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func (r *region) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	answer, err := r.browser.Get(r.url + path)
	return r.read(t, answer, err)
}

// create sends the form of a new project and returns the page that it leads to.
func (r *region) create(t *testing.T, name string) string {
	t.Helper()
	answer, err := r.browser.PostForm(r.url+"/projects", url.Values{"name": {name}})
	answer, body := r.read(t, answer, err)
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/" {
		t.Errorf("the form led to %s: %d %.300q", answer.Request.URL, answer.StatusCode, body)
	}
	return body
}

var (
	styleSheet = regexp.MustCompile(`/static/sundew\.[0-9a-f]+\.css`)
	asset      = regexp.MustCompile(`/static/[^"]+`)
)

// TestPagesLibSQL: pages come from the replica, in their types, and what changes
// something goes to the primary and is seen on the next page, whether or not the
// replica has it.
func TestPagesLibSQL(t *testing.T) {
	r := newRegion(t)
	if page := r.create(t, "shop"); !strings.Contains(page, "shop") || !strings.Contains(page, "<html") {
		t.Errorf("the page after the form: %.300q", page)
	}
	answer, page := r.get(t, "/projects/1/issues")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" ||
		!answer.Uncompressed || answer.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("a page: %d %v", answer.StatusCode, answer.Header)
	}
	if !styleSheet.MatchString(page) {
		t.Errorf("no style sheet: %.300q", page)
	}
	for _, path := range asset.FindAllString(page, -1) {
		answer, _ := r.get(t, path)
		kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
		want := map[string]string{"css": "text/css", ".js": "text/javascript", "svg": "image/svg+xml"}[path[len(path)-3:]]
		if answer.StatusCode != http.StatusOK || kind != want || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
	}
	if answer, _ := r.get(t, "/projects/7/issues"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a page that is not there: %d", answer.StatusCode)
	}

	r.network.Cut()
	if page := r.create(t, "blog"); page != "from the primary" {
		t.Errorf("the page after a form that the replica does not have: %.300q", page)
	}
	r.network.Restore()
	// The first page that is not the primary's has the change, whenever it comes.
	for page = "from the primary"; page == "from the primary" && t.Context().Err() == nil; {
		_, page = r.get(t, "/")
	}
	if !strings.Contains(page, "blog") {
		t.Errorf("the replica's page: %.300q", page)
	}
	r.primary.Close()
	answer, err := r.browser.PostForm(r.url+"/projects", url.Values{"name": {"typed before"}})
	if answer, page = r.read(t, answer, err); answer.StatusCode != http.StatusBadGateway || !strings.Contains(page, "typed before") {
		t.Errorf("without the primary: %d %.300q", answer.StatusCode, page)
	}
	t.Logf("the program took %v from its start to its first request", r.function.Inits())
}

// TestAwayLibSQL: without the replica a page says so, in an environment that had it
// and in one that starts; when it is back, so are the pages.
func TestAwayLibSQL(t *testing.T) {
	r := newRegion(t)
	r.create(t, "shop")
	if err := r.replica.Kill(); err != nil {
		t.Fatal(err)
	}
	if answer, page := r.get(t, "/projects/1/issues"); page != "from the primary" {
		t.Errorf("with a change of the reader's: %d %.300q", answer.StatusCode, page)
	}
	r.forget(t)
	answer, page := r.get(t, "/")
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "The database does not answer") || !strings.Contains(page, "<html") {
		t.Errorf("an environment that had it: %d %.300q", answer.StatusCode, page)
	}
	r.function.Recycle()
	answer, page = r.get(t, "/")
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, r.primary.URL) ||
		!strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") || answer.Header.Get("Retry-After") == "" {
		t.Errorf("an environment that starts: %d %v %.300q", answer.StatusCode, answer.Header, page)
	}
	if err := r.replica.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for again := time.Now(); ; {
		answer, page = r.get(t, "/")
		if answer.StatusCode == http.StatusOK && strings.Contains(page, "shop") {
			return
		}
		if time.Since(again) > 20*time.Second {
			t.Fatalf("back again: %d %.300q", answer.StatusCode, page)
		}
	}
}
