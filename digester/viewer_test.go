package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/store"
	"sundew/infra/visitor"
)

// browser follows redirects and keeps cookies.
type browser struct {
	t      *testing.T
	client *http.Client
	url    string
}

func newBrowser(t *testing.T, url string) *browser {
	t.Helper()
	return &browser{t: t, client: visitor.New(), url: url}
}

// signIn makes the browser the owner's.
func (b *browser) signIn() {
	b.t.Helper()
	if err := visitor.SignIn(b.t.Context(), b.client, b.url); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) read(answer *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	return b.read(b.client.Get(b.url + path))
}

// post sends a form as a browser does.
func (b *browser) post(path string, form url.Values) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.url)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.read(b.client.Do(req))
}

// waitUntilReady waits until there are pages.
func (b *browser) waitUntilReady() {
	b.t.Helper()
	waitFor(b.t, "there is a copy", func() bool {
		status, _ := b.get("/health/ready")
		return status == http.StatusOK
	})
}

// startViewer runs a dashboard of a copy inside of the test's process.
func startViewer(t *testing.T, env map[string]string) (url string, stop func()) {
	t.Helper()
	cfg, err := configFromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{cfg: cfg, log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel), moved: make(chan struct{})}
	if err := v.open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- v.run(ctx, io.Discard) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("running: %v", err)
		}
		if err := v.close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	t.Cleanup(stop)
	return v.url, stop
}

// A dashboard of a copy: its pages say how old they are, a form is the primary's
// to answer, the next page shows what it did, and with the primary down pages are
// there and nothing typed is lost.
func TestDashboardRole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	primary := startServiceWith(t, map[string]string{
		"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_BACKUP": "file://" + dir + "/backup?every=20ms"})
	const id = "9ec79c33ec9942ab8353589fcb2e04dc"
	key := strings.TrimPrefix(primary.dsn(), "http://")[:32]
	primary.post("/api/1/store/?sentry_key="+key, `{"event_id":"`+id+`","message":"it broke"}`, 200)
	copyURL, _ := startViewer(t, map[string]string{
		"SUNDEW_DATA": filepath.Join(dir, "copy"), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_FOLLOW": "file://" + dir + "/backup",
		"SUNDEW_PRIMARY_URL": primary.url})
	b := newBrowser(t, copyURL)
	b.waitUntilReady()
	b.signIn()
	var page string
	waitFor(t, "the event is in the copy", func() (ok bool) {
		var status int
		status, page = b.get("/events/" + id)
		return status == http.StatusOK
	})
	if !strings.Contains(page, "it broke") || !strings.Contains(page, "A copy, as of") || strings.Contains(page, "heard nothing") {
		t.Errorf("the copy's page:\n%s", page)
	}
	for i := range 10 {
		if status, page := b.post("/issues/1/resolve", nil); status != http.StatusOK || !strings.Contains(page, "/issues/1/reopen") || !strings.Contains(page, "A copy, as of") {
			t.Fatalf("round %d: after resolving: %d\n%s", i, status, page)
		}
		if status, page := b.post("/issues/1/reopen", nil); status != http.StatusOK || !strings.Contains(page, "/issues/1/resolve") {
			t.Fatalf("round %d: after reopening: %d\n%s", i, status, page)
		}
	}
	if status, body := b.get("/health/ready"); status != http.StatusOK || !strings.Contains(body, `"status": "ok"`) {
		t.Errorf("/health/ready answered %d: %s", status, body)
	}
	if status, body := b.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "sundew_copy_lag_seconds") {
		t.Errorf("/metrics answered %d: %s", status, body)
	}
	if status, body := primary.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "sundew_backup_failing 0") {
		t.Errorf("the primary's /metrics answered %d: %s", status, body)
	}
	if _, page := b.get("/projects/1/setup"); !strings.Contains(page, primary.dsn()) {
		t.Errorf("the copy's set-up page names another DSN than %s:\n%s", primary.dsn(), page)
	}
	for _, path := range []string{"/ledger", "/dead-letters"} { // the queue's side only the primary knows
		if status, page := b.get(path); status != http.StatusOK || strings.Contains(page, "A copy, as of") {
			t.Errorf("%s answered %d:\n%s", path, status, page)
		}
	}
	if status, page := b.post("/projects/1/quiet", url.Values{"before": {"0"}}); status != http.StatusOK || !strings.Contains(page, "No issue was resolved") {
		t.Errorf("resolving quiet issues: %d\n%s", status, page)
	}
	primary.stop()
	if status, page := b.get("/ledger"); status != http.StatusBadGateway || !strings.Contains(page, "The primary does not answer") {
		t.Errorf("the ledger with the primary down: %d\n%s", status, page)
	}
	if status, page := b.get("/issues/1"); status != http.StatusOK || !strings.Contains(page, "it broke") {
		t.Errorf("with the primary down: %d\n%s", status, page)
	}
	status, page := b.post("/projects", url.Values{"name": {"Typed & kept"}})
	if status != http.StatusBadGateway || !strings.Contains(page, "Typed &amp; kept") || !strings.Contains(page, primary.url) {
		t.Errorf("a form with the primary down: %d\n%s", status, page)
	}
}

// A browser that comes from a write which the copy lacks gets its page from the
// primary; where that is not known, a page that says so.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := startService(t, dir) // who signs in here is signed in on the copy, too
	before.stop()
	primary := startServiceWith(t, map[string]string{
		"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_BACKUP": "file://" + dir + "/backup?every=1h"}) // copied at the start, then not
	for known, want := range map[string]string{primary.url: "New here", "": "not in this copy yet"} {
		copyURL, stop := startViewer(t, map[string]string{
			"SUNDEW_DATA": filepath.Join(dir, "copy"), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_FOLLOW": "file://" + dir + "/backup",
			"SUNDEW_PRIMARY_URL": known})
		writer := &browser{t: t, client: before.client, url: copyURL}
		writer.waitUntilReady()
		writer.url = primary.url
		if status, _ := writer.post("/projects", url.Values{"name": {"New here"}}); status != http.StatusOK {
			t.Fatalf("creating a project answered %d", status)
		}
		// Both are hosts of one name, so that the cookie goes to both.
		writer.url = copyURL
		status, page := writer.get("/")
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("with the primary %q: %d, not %q:\n%s", known, status, want, page)
		}
		if known == "" {
			status, page := writer.post("/projects", url.Values{"name": {"Typed & kept"}})
			if status != http.StatusForbidden || !strings.Contains(page, "Typed &amp; kept") || strings.Contains(page, "/ledger") {
				t.Errorf("a form: %d\n%s", status, page)
			}
			if status, _ := writer.get("/ledger"); status != http.StatusNotFound {
				t.Errorf("the ledger without a primary: %d", status)
			}
		}
		stop()
	}
}

// Work under load, a lost disk, and the database of a second before: what an
// operator does with the program.
func TestRestoreCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"SUNDEW_DATA": filepath.Join(dir, "data"), "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_BACKUP": "file://" + dir + "/backup?every=20ms"}
	getenv := func(name string) string { return env[name] }
	r := startServiceWith(t, env)
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	send := func(from, to int) {
		for i := from; i < to; i++ {
			r.post("/api/1/store/?sentry_key="+key, fmt.Sprintf(`{"event_id":"%032x","message":"it broke"}`, i+1), 200)
		}
		waitFor(t, "all is stored", func() bool { return r.books().InFlight == 0 })
	}
	send(0, 20)
	waitFor(t, "it is copied", func() bool { return time.Since(r.service.backup.Health().LastCopy) < 10*time.Millisecond })
	pause := time.NewTimer(time.Until(time.Now().Truncate(time.Second).Add(2 * time.Second)))
	second := <-pause.C
	send(20, 50)
	r.stop()
	if err := os.RemoveAll(env["SUNDEW_DATA"]); err != nil {
		t.Fatal(err)
	}
	empty, _ := beginService(t, env)
	waitFor(t, "it says what to do where there is nothing beside a backup", func() bool {
		_, body := empty.get("/health/ready")
		return strings.Contains(body, "digester restore --to")
	})
	empty.stop()
	var out strings.Builder
	if err := os.RemoveAll(env["SUNDEW_DATA"]); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int64
	}{{nil, 50}, {[]string{"--at", second.UTC().Format(time.RFC3339)}, 20}} {
		data := t.TempDir()
		out.Reset()
		args := append([]string{"restore", "--to", filepath.Join(data, "sundew.db")}, c.args...)
		if code := run(t.Context(), args, getenv, &out, &out); code != exitOK || !strings.Contains(out.String(), "every invariant holds") {
			t.Fatalf("%v: exit code %d\n%s", args, code, out.String())
		}
		if code := run(t.Context(), args, getenv, &out, &out); code != exitFailed || !strings.Contains(out.String(), "nothing is overwritten") {
			t.Errorf("again: exit code %d\n%s", code, out.String())
		}
		then := startService(t, data)
		if got := then.books().StoredEvents; got != c.want {
			t.Errorf("%v: %d events, want %d", args, got, c.want)
		}
		then.stop()
	}
}

// A copy that gets all and gets it later and later says so; a slow moment does not
// count, nor does what is over.
func TestBehind(t *testing.T) {
	v := &viewer{source: &serverSource{}, moved: make(chan struct{})}
	var pages http.Handler = http.NotFoundHandler()
	v.pages.Store(&pages)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		after time.Duration // since the step before
		lag   time.Duration
		want  string
	}{
		{0, 100 * time.Millisecond, "ok"},
		{time.Second, 3 * time.Second, "ok"},
		{9 * time.Second, 4 * time.Second, "ok"},
		{2 * time.Second, 5 * time.Second, "behind"},
		{time.Second, 2 * time.Second, "ok"},
		{time.Second, 3 * time.Second, "ok"},
		{11 * time.Second, 3 * time.Second, "behind"},
	} {
		now = now.Add(step.after)
		v.note(store.Position{Number: int64(i + 1), At: now.Add(-step.lag)}, now)
		if s := v.state(now); s.Status != step.want || (s.Warning != "") != (step.want == "behind") {
			t.Errorf("step %d: %q, %q", i, s.Status, s.Warning)
		}
	}
}
