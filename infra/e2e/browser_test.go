//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pictures is the directory that they are left in.
const pictures = "output"

// chromium is the distribution's; pages/session.mjs starts it.
const chromium = "/usr/bin/chromium"

// browser drives pages/session.mjs, which has one Chromium for the whole test.
type browser struct {
	url   string // of the product
	plain bool   // without JavaScript
	proc  *process
	stdin io.Writer
}

// command is what session.mjs is told to do. Which fields count depends on Do.
type command struct {
	Do        string            `json:"do"`
	Person    *person           `json:"person,omitempty"`
	URL       string            `json:"url,omitempty"`
	Plain     bool              `json:"plain,omitempty"`
	Name      string            `json:"name,omitempty"`
	Want      *expectation      `json:"want,omitempty"`
	Issue     string            `json:"issue,omitempty"`
	Issues    string            `json:"issues,omitempty"`
	Button    string            `json:"button,omitempty"`
	State     string            `json:"state,omitempty"`
	History   string            `json:"history,omitempty"`
	Value     string            `json:"value,omitempty"`
	Pages     map[string]string `json:"pages,omitempty"`
	Directory string            `json:"directory,omitempty"`
	Text      string            `json:"text,omitempty"`
	Email     string            `json:"email,omitempty"`
	Password  string            `json:"password,omitempty"`
	Refusal   string            `json:"refusal,omitempty"`
	Role      string            `json:"role,omitempty"`
	Searches  []searched        `json:"searches,omitempty"`
	Titles    []string          `json:"titles,omitempty"`
	Project   string            `json:"project,omitempty"`
	Release   string            `json:"release,omitempty"`
	Deletes   bool              `json:"deletes,omitempty"`
	Stranger  bool              `json:"stranger,omitempty"` // nobody is signed in
}

// answer is what it says: what it found, and sentences about what is wrong.
type answer struct {
	seen
	Problems []string          `json:"problems"`
	DSN      string            `json:"dsn"`
	Link     string            `json:"link"`
	At       string            `json:"at"` // the page where it ended
	EventIDs []string          `json:"eventIds"`
	Files    map[string][]byte `json:"files"` // what was downloaded, by its name
}

// startBrowser starts a browser in which the product's owner is signed in.
func startBrowser(ctx context.Context, t *testing.T, p *product) *browser {
	t.Helper()
	b := openBrowser(ctx, t, p)
	b.signIn(ctx, t, p)
	return b
}

// signIn has whoever uses the browser from now on be the product's owner.
func (b *browser) signIn(ctx context.Context, t *testing.T, p *product) {
	t.Helper()
	at, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.owner.Jar.Cookies(at) {
		b.do(ctx, t, command{Do: "keepCookie", URL: p.url, Name: c.Name, Value: c.Value})
	}
}

// openBrowser starts a browser in which nobody is signed in.
func openBrowser(ctx context.Context, t *testing.T, p *product) *browser {
	t.Helper()
	cmd := newCommand(ctx, t, nil, "node", "pages/session.mjs")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{url: p.url, proc: startProcess(t, "pages/session.mjs", cmd), stdin: stdin}
	t.Cleanup(func() { stdin.Close() }) // its way to end; a signal alone only closes Chromium
	return b
}

// withoutJavaScript returns the same browser with scripts turned off.
func (b *browser) withoutJavaScript() *browser {
	plain := *b
	plain.plain = true
	return &plain
}

// do has one command done; each problem is an error of the test.
func (b *browser) do(ctx context.Context, t *testing.T, c command) answer {
	t.Helper()
	c.Plain = b.plain
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.stdin.Write(append(line, '\n')); err != nil {
		t.Fatalf("pages/session.mjs does not listen: %v", err)
	}
	var a answer
	if err := json.Unmarshal([]byte(b.proc.line(ctx, t)), &a); err != nil {
		t.Fatalf("answer of pages/session.mjs: %v", err)
	}
	for _, problem := range a.Problems {
		t.Error(problem)
	}
	return a
}

// createProject makes a project on the start page and returns the DSN shown.
func (b *browser) createProject(ctx context.Context, t *testing.T, name string) string {
	t.Helper()
	return b.do(ctx, t, command{Do: "createProject", URL: b.url, Name: name}).DSN
}

// readEvent looks an event up and reads it, its place in the list and its issue.
func (b *browser) readEvent(ctx context.Context, t *testing.T, want expectation) seen {
	t.Helper()
	return b.do(ctx, t, command{Do: "readEvent", URL: b.url, Want: &want}).seen
}

// press presses the issue's button, which must lead to state.
func (b *browser) press(ctx context.Context, t *testing.T, s seen, button, state string) {
	t.Helper()
	b.do(ctx, t, command{Do: "setState", Issue: s.Issue, Issues: s.Issues, Button: button, State: state})
}

// readState reads an issue's state and the newest entry of its history.
func (b *browser) readState(ctx context.Context, t *testing.T, s seen, state, history string) {
	t.Helper()
	b.do(ctx, t, command{Do: "readState", Issue: s.Issue, Issues: s.Issues, State: state, History: history})
}

// takePictures leaves pictures of every kind of page in output.
func (b *browser) takePictures(ctx context.Context, t *testing.T, s seen) {
	t.Helper()
	b.do(ctx, t, command{Do: "takePictures", Directory: pictures, Pages: map[string]string{
		"projects": b.url + "/",
		"setup":    strings.TrimSuffix(s.Issues, "issues") + "setup",
		"issues":   s.Issues,
		"issue":    s.Issue,
		"event":    s.Event,
		"events":   s.Issue + "/events",
		"feedback": strings.TrimSuffix(s.Issues, "issues") + "feedback",
		"ledger":   b.url + "/ledger",
		"security": b.url + "/account/security",
		"tokens":   b.url + "/account/tokens",
	}})
}

// browserShop is a page that reports with @sentry/browser, from an origin of its
// own: what it sends has to pass the browser's rules for that.
type browserShop struct {
	b   *browser
	url string
}

// serveBrowserShop bundles the page as its authors would, with a source map.
func serveBrowserShop(ctx context.Context, t *testing.T, b *browser, dsn string) *browserShop {
	t.Helper()
	dir := t.TempDir()
	html, err := os.ReadFile("browser/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), html, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "node_modules/.bin/esbuild", "browser/app.js",
		"--bundle", "--sourcemap", "--log-level=warning", "--outfile="+filepath.Join(dir, "app.js"),
		fmt.Sprintf("--define:DSN=%q", dsn), fmt.Sprintf("--define:RELEASE=%q", release), fmt.Sprintf("--define:ENVIRONMENT=%q", environment))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("bundling browser/app.js: %v\n%s", err, out)
	}
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return &browserShop{b: b, url: server.URL}
}

// press presses a button and returns the id of the one event it led to.
func (s *browserShop) press(ctx context.Context, t *testing.T, button string) string {
	t.Helper()
	ids := s.b.do(ctx, t, command{Do: "pressButton", URL: s.url, Button: button}).EventIDs
	if len(ids) != 1 {
		t.Fatalf("button %s: %d events, want 1", button, len(ids))
	}
	return ids[0]
}

func (s *browserShop) handled(ctx context.Context, t *testing.T) expectation {
	t.Helper()
	return s.expect(expectation{
		EventID: s.press(ctx, t, "handled"),
		Type:    "Error", Value: "order 1001 cannot be checked out",
		Cause: "StockError", CauseValue: "only 2 of blue-kettle left",
		Handled: "handled", Function: "checkOut",
	})
}

func (s *browserShop) unhandled(ctx context.Context, t *testing.T) expectation {
	t.Helper()
	return s.expect(expectation{
		EventID: s.press(ctx, t, "unhandled"),
		Type:    "TypeError", Value: "Cannot read properties of undefined (reading 'street')",
		Handled: "unhandled", Function: "renderInvoice",
	})
}

func (s *browserShop) rejection(ctx context.Context, t *testing.T) expectation {
	t.Helper()
	return s.expect(expectation{
		EventID: s.press(ctx, t, "rejection"),
		Type:    "StockError", Value: "the cart cannot be saved",
		Handled: "unhandled", Function: "saveCart",
	})
}

// expect adds what is true of all events of the page.
func (s *browserShop) expect(want expectation) expectation {
	want.Request = s.url
	return want.reportedBy("sentry.javascript.browser 11.", "error")
}
