package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sundew/digester/ledger"
	"sundew/digester/password"
	"sundew/infra/visitor"
)

// TestMain makes the test binary behave as the program itself when asked to, so
// that tests can kill it.
func TestMain(m *testing.M) {
	if os.Getenv("SUNDEW_TEST_RUN") == "" && !slices.Equal(os.Args[1:], []string{statementCommand}) {
		os.Exit(m.Run())
	}
	main()
}

// running is a whole Sundew inside of the test's process.
type running struct {
	t       *testing.T
	service *service
	url     string
	client  *http.Client // the owner's
	stop    func()
}

// startService runs everything on a directory, stores every event, and stops it, in
// the order of a SIGTERM, when the test ends.
func startService(t *testing.T, dir string) *running {
	t.Helper()
	return startServiceWith(t, map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_SPIKE": "0"})
}

// startServiceWith is startService with an environment of its own.
func startServiceWith(t *testing.T, env map[string]string) *running {
	t.Helper()
	r, ready := beginService(t, env)
	ready()
	return r
}

// beginService is startServiceWith that does not wait for the database; ready does,
// and signs the owner in.
func beginService(t *testing.T, env map[string]string) (r *running, ready func()) {
	t.Helper()
	cfg, err := configFromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	cfg.OwnerEmail, cfg.OwnerPassword = visitor.Email, visitor.Password
	s := &service{cfg: cfg, log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel),
		// The race detector makes the usual cost one of seconds.
		passwords: password.NewHasher(1, password.Cost{KiB: 64, Passes: 1})}
	if err := s.openIntake(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	said, stdout := io.Pipe()
	go func() {
		err := s.run(ctx, stdout)
		stdout.CloseWithError(err)
		ended <- err
	}()
	r = &running{t: t, service: s, url: s.url, client: visitor.New()}
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("running: %v", err)
		}
		if err := s.close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing: %v", err)
		}
		r.stop = func() {}
	}
	t.Cleanup(func() {
		said.Close()
		r.stop()
	})
	return r, func() {
		t.Helper()
		if greeting, err := bufio.NewReader(said).ReadString('\n'); err != nil {
			t.Fatalf("starting: %q, %v", greeting, err)
		}
		said.Close()
		if err := visitor.SignIn(t.Context(), r.client, r.url); err != nil {
			t.Fatal(err)
		}
	}
}

// createProjects makes the projects 1 to n, all with the same key, as an operator
// would.
func createProjects(t *testing.T, env func(string) string, n int, key string) {
	t.Helper()
	for range n {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"project", "create", "Recorded", "--key", key}, env, &out, &out); code != exitOK {
			t.Fatalf("project create: exit code %d\n%s", code, out.String())
		}
	}
}

// get returns a page and its status; redirects are followed.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	answer, err := r.client.Get(r.url + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// books reads /ledger.json.
func (r *running) books() ledger.Books {
	r.t.Helper()
	status, body := r.get("/ledger.json")
	if status != http.StatusOK {
		r.t.Fatalf("/ledger.json answered %d: %s", status, body)
	}
	var b ledger.Books
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

// waitFor polls until ok returns true, and fails the test after a while.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	waitWithin(t, 30*time.Second, what, ok)
}

// waitWithin is waitFor for what takes its time on a machine that is busy.
func waitWithin(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	late := time.After(limit)
	for !ok() {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// mustCheck fails the test unless `digester check` is content with a directory.
func mustCheck(t *testing.T, env func(string) string) {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), []string{"check"}, env, &out, &out); code != exitOK {
		t.Errorf("check: exit code %d\n%s", code, out.String())
	}
}

func envOf(dir string) func(string) string {
	return func(name string) string {
		if name == "SUNDEW_DATA" {
			return dir
		}
		return ""
	}
}

func balance(b ledger.Books) error {
	if b.Accepted != b.Decided()+b.InFlight || b.Mismatch != 0 {
		return fmt.Errorf("the books do not balance: %+v", b.Balance)
	}
	return nil
}

// The numbers after one event, a repetition of it and a session, by every way
// that shows them.
func TestBooks(t *testing.T) {
	dir := t.TempDir()
	r := startService(t, dir)
	const id = "9ec79c33ec9942ab8353589fcb2e04dc"
	key := strings.TrimPrefix(r.dsn(), "http://")[:32]
	for range 2 {
		r.post("/api/1/store/?sentry_key="+key, `{"event_id":"`+id+`","message":"it broke"}`, 200)
	}
	r.post("/api/1/envelope/?sentry_key="+key, "{}\n"+`{"type":"session"}`+"\n{}\n", 200)
	r.post("/api/1/store/?sentry_key="+strings.Repeat("f", 32), `{"message":"it broke"}`, 403)
	waitFor(t, "the counts have arrived", func() bool {
		b := r.books()
		return b.InFlight == 0 && b.Edge["unstored"]["session:unsupported"] == 1 && b.Edge["refused"]["error:auth_unknown"] == 1
	})
	b := r.books()
	if err := balance(b); err != nil || b.Accepted != 2 || b.Digested != 1 || b.Duplicate != 1 || b.StoredEvents != 1 || b.Issues != 1 {
		t.Errorf("books %+v, %v", b, err)
	}
	if status, page := r.get("/events/" + id); status != 200 || !strings.Contains(page, "it broke") {
		t.Errorf("the event's page answered %d", status)
	}
	for path, want := range map[string]string{
		"/health/live":  `"ok"`,
		"/health/ready": `"digester": "ok"`,
		"/metrics":      `sundew_decided_total{outcome="duplicate",project="1",reason=""} 1`,
		"/metrics?":     `sundew_write_seconds_count{stage="transaction",why="batch barrier"}`,
	} {
		if status, body := r.get(path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s answered %d without %s:\n%.2000s", path, status, want, body)
		}
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"stats"}, envOf(dir), &out, &out); code != exitOK {
		t.Errorf("stats: exit code %d\n%s", code, out.String())
	}
	var fromCLI ledger.Books
	if err := json.Unmarshal(out.Bytes(), &fromCLI); err != nil || fromCLI.Accepted != 2 || fromCLI.Digested != 1 {
		t.Errorf("stats %+v, err %v", fromCLI, err)
	}
	r.stop()
	mustCheck(t, envOf(dir))
}

// dsn returns the first project's.
func (r *running) dsn() string {
	dsn, err := r.service.firstDSN(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return dsn
}

func (r *running) post(path, body string, want int) {
	r.t.Helper()
	answer, err := http.Post(r.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != want {
		text, _ := io.ReadAll(answer.Body)
		r.t.Fatalf("%s answered %s: %s", path, answer.Status, text)
	}
}

// A second process on the same directory is refused with words that help.
func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	startService(t, dir)
	var out bytes.Buffer
	getenv := func(name string) string {
		return map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0"}[name]
	}
	if code := run(t.Context(), []string{"serve"}, getenv, &out, &out); code != exitFailed || !strings.Contains(out.String(), "another digester is running") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	const key = "0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		{args: []string{"version"}, want: "sundew"},
		{args: []string{"dance"}, code: exitUsage, want: `no command "dance"`},
		{args: []string{"check"}, code: exitFailed, want: "no database"},
		{args: []string{"project"}, code: exitUsage, want: "project create NAME"},
		{args: []string{"project", "create"}, code: exitUsage, want: "one name"},
		{args: []string{"project", "create", "A", "--key", "xyz"}, code: exitFailed, want: "32 hex digits"},
		{args: []string{"project", "create", "Shop", "--key", key}, want: "http://" + key + "@127.0.0.1:8000/1\n"},
		{args: []string{"project", "create", "--key=" + key, "Shop"}, want: "/2\n"},
		{args: []string{"project", "create", "Shop"}, env: map[string]string{"SUNDEW_URL": "https://errors.example.com/sundew"}, want: "@errors.example.com/sundew/3\n"},
		{args: []string{"check"}, want: "every invariant holds"},
		{args: []string{"stats"}, want: `"accepted": 0`},
		{args: []string{"stats", "more"}, code: exitUsage, want: "no arguments"},
		{args: []string{"serve", "--role", "cook"}, code: exitUsage, want: "everything, digest or dashboard"},
		{args: []string{"serve", "--role", "dashboard"}, code: exitUsage, want: "SUNDEW_FOLLOW"},
		{args: []string{"serve", "--role", "dashboard"}, env: map[string]string{"SUNDEW_FOLLOW": "file://" + dir + "/none", "SUNDEW_REPLICA": "http://127.0.0.1:1"}, code: exitUsage, want: "either SUNDEW_REPLICA"},
		{args: []string{"project", "create", "A"}, env: map[string]string{"SUNDEW_DB": "http://127.0.0.1:1"}, code: exitFailed, want: "opening http://127.0.0.1:1"},
		{args: []string{"check"}, env: map[string]string{"SUNDEW_DB": "http://127.0.0.1:1"}, code: exitFailed, want: "does not answer"},
		{args: []string{"check"}, env: map[string]string{"SUNDEW_DB": "file:" + dir + "/other.db"}, code: exitFailed, want: "no database"},
		{args: []string{"restore"}, code: exitUsage, want: "--to PATH"},
		{args: []string{"restore", "--to", dir + "/x.db"}, code: exitUsage, want: "--from ADDRESS or SUNDEW_BACKUP"},
		{args: []string{"restore", "--to", dir + "/x.db", "--at", "yesterday"}, code: exitUsage, want: "2026-05-04T14:02:31Z"},
		{args: []string{"restore", "--to", dir + "/x.db", "--from", "file://" + dir + "/none"}, code: exitFailed, want: "holds nothing"},
		{args: []string{"serve"}, env: map[string]string{"SUNDEW_BACKUP": "s3://bucket/x"}, code: exitUsage, want: "want the bucket's region"},
		{args: []string{"serve"}, env: map[string]string{"SUNDEW_LISTEN": "here", "SUNDEW_KEY_RATE": "-1"}, code: exitUsage, want: "SUNDEW_KEY_RATE"},
	} {
		var out bytes.Buffer
		code := run(t.Context(), c.args, func(name string) string {
			if v, ok := c.env[name]; ok {
				return v
			}
			return envOf(dir)(name)
		}, &out, &out)
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit code %d, want %d; output lacks %q:\n%s", c.args, code, c.code, c.want, out.String())
		}
	}
}
