//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sundew/infra/visitor"
)

// product is the program under test.
type product struct {
	binary string
	env    []string
	url    string // without a slash at its end
	proc   *process
	owner  *http.Client // signed in
}

// readyLine is what serve prints once it can be used.
var readyLine = regexp.MustCompile(`^Sundew is ready\. Dashboard: (http://(?:127\.0\.0\.1|localhost):\d+)/  DSN: http://[0-9a-f]{32}@(?:127\.0\.0\.1|localhost):\d+/1$`)

// ownerLine is what it prints then if nobody owns it yet.
var ownerLine = regexp.MustCompile(`^Nobody owns this installation yet\. .*: (http://127\.0\.0\.1:\d+/setup/\S+)$`)

// startProduct builds the program and runs it with an owner, and what else is to be in
// its environment.
func startProduct(ctx context.Context, t *testing.T, more ...string) *product {
	t.Helper()
	p := serveProduct(ctx, t, append(visitor.Env(), more...))
	p.signIn(ctx, t)
	return p
}

// startNewProduct builds the program and runs it as somebody does who has just
// downloaded it; whoever opens the link becomes the owner.
func startNewProduct(ctx context.Context, t *testing.T) (p *product, link string) {
	t.Helper()
	p = serveProduct(ctx, t, nil)
	line := p.proc.line(ctx, t)
	match := ownerLine.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("serve printed %q, want %v", line, ownerLine)
	}
	return p, match[1]
}

// signIn signs the owner in.
func (p *product) signIn(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := visitor.SignIn(ctx, p.owner, p.url); err != nil {
		t.Fatal(err)
	}
}

// serveProduct builds the program and runs it with a data directory of its own.
func serveProduct(ctx context.Context, t *testing.T, env []string) *product {
	t.Helper()
	dir := t.TempDir()
	p := &product{
		binary: filepath.Join(dir, "digester"),
		env:    append([]string{"SUNDEW_DATA=" + filepath.Join(dir, "data"), "SUNDEW_LISTEN=127.0.0.1:0"}, env...),
		owner:  visitor.New(),
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", p.binary, "sundew/digester").CombinedOutput(); err != nil {
		t.Fatalf("building the product: %v\n%s", err, out)
	}
	p.proc = startProcess(t, "digester serve", newCommand(ctx, t, p.env, p.binary, "serve"))
	line := p.proc.line(ctx, t)
	match := readyLine.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("serve printed %q, want %v", line, readyLine)
	}
	p.url = match[1]
	return p
}

// run runs another command on the same data and returns its standard output.
func (p *product) run(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	var stderr output
	cmd := newCommand(ctx, t, append(p.env, "SUNDEW_URL="+p.url), p.binary, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("digester %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.tail())
	}
	return strings.TrimSpace(string(out))
}

// createProject makes a project beside the running program and returns its DSN.
func (p *product) createProject(ctx context.Context, t *testing.T, name string) string {
	t.Helper()
	return p.run(ctx, t, "project", "create", name)
}

// check verifies every invariant of the data.
func (p *product) check(ctx context.Context, t *testing.T) {
	t.Helper()
	p.run(ctx, t, "check")
}

// stop asks the program to end, which it must do without an error.
func (p *product) stop(t *testing.T) {
	t.Helper()
	if err := p.proc.stop(); err != nil {
		t.Errorf("digester serve ended after SIGTERM with %v", err)
	}
}

// waitVisible fails the test unless the event has a page in time.
func (p *product) waitVisible(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	began := time.Now()
	waitFor(ctx, t, visibleWithin, "the page of event "+id, func() bool {
		return p.get(ctx, t, "/events/"+id, nil) == http.StatusOK
	})
	t.Logf("visible %v after it was sent", time.Since(began).Round(time.Millisecond))
}

// books are the numbers that must balance.
type books struct {
	Accepted  int64            `json:"accepted"`
	Digested  int64            `json:"digested"`
	Duplicate int64            `json:"duplicate"`
	Dropped   map[string]int64 `json:"dropped"`
	InFlight  int64            `json:"in_flight"`
}

// requireBooks waits until nothing is in flight and fails the test unless the
// numbers are then the wanted ones, and balanced all the time until then.
func (p *product) requireBooks(ctx context.Context, t *testing.T, want books) {
	t.Helper()
	var got books
	defer func() {
		if t.Failed() {
			t.Logf("books at last: %+v", got)
		}
	}()
	waitFor(ctx, t, visibleWithin, "an empty queue", func() bool {
		got = books{}
		if status := p.get(ctx, t, "/ledger.json", &got); status != http.StatusOK {
			t.Fatalf("/ledger.json: status %d", status)
		}
		decided := got.Digested + got.Duplicate
		for _, n := range got.Dropped {
			decided += n
		}
		if got.Accepted != decided+got.InFlight {
			t.Fatalf("the books do not balance: %+v", got)
		}
		return got.InFlight == 0 && got.Accepted >= want.Accepted
	})
	want.Dropped = map[string]int64{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
}

// get returns the status of a page and, unless into is nil, its JSON.
func (p *product) get(ctx context.Context, t *testing.T, path string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.owner.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	defer res.Body.Close()
	if into != nil {
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			t.Fatalf("GET %s: %v", path, err)
		}
	}
	return res.StatusCode
}
