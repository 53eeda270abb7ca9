//go:build e2e

package e2e

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cli is one version of sentry-cli, set up as a build is: with a token and the name of
// a project. Where the installation is the token says.
type cli struct {
	path string
	dir  string // where it is run
	env  []string
}

// cliPaths are the versions that are run.
func cliPaths() map[string]string {
	return map[string]string{
		"3.8.0":  "node_modules/@sentry/cli/bin/sentry-cli",
		"2.58.6": "node_modules/sentry-cli-2/bin/sentry-cli",
	}
}

// run runs a command and returns all that it wrote; it has to succeed and to write
// every text of want.
func (c cli) run(ctx context.Context, t *testing.T, want []string, args ...string) string {
	t.Helper()
	out, err := c.try(ctx, t, args...)
	if err != nil {
		t.Fatalf("sentry-cli %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	c.wrote(t, out, want, args)
	return out
}

// refused runs a command that has to fail, with every text of want.
func (c cli) refused(ctx context.Context, t *testing.T, want []string, args ...string) {
	t.Helper()
	out, err := c.try(ctx, t, args...)
	if err == nil {
		t.Errorf("sentry-cli %s succeeded:\n%s", strings.Join(args, " "), out)
	}
	c.wrote(t, out, want, args)
}

func (c cli) try(ctx context.Context, t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := newCommand(ctx, t, c.env, c.path, args...)
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c cli) wrote(t *testing.T, out string, want, args []string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(out, text) {
			t.Errorf("sentry-cli %s did not write %q:\n%s", strings.Join(args, " "), text, out)
		}
	}
}

// project is one of the running program that a build reports to.
type project struct {
	id, slug, dsn string
}

// newProject makes a project beside the running program.
func (p *product) newProject(ctx context.Context, t *testing.T, name, slug string) project {
	t.Helper()
	dsn := p.createProject(ctx, t, name)
	return project{id: dsn[strings.LastIndexByte(dsn, '/')+1:], slug: slug, dsn: dsn}
}

// tokenForTools makes one of a project on its page.
func (p *product) tokenForTools(ctx context.Context, t *testing.T, of project, scopes ...string) string {
	t.Helper()
	form := url.Values{"name": {"Build server"}, "scope": scopes, "for": {"tools"}}
	page := p.send(ctx, t, http.MethodPost, "/projects/"+of.id+"/tokens", form)
	made := regexp.MustCompile(`id="new-token" class="select">([^<]+)<`).FindStringSubmatch(page)
	if made == nil {
		t.Fatal("the page shows no token")
	}
	return html.UnescapeString(made[1])
}

// page returns a page as the owner sees it, with characters as they are.
func (p *product) page(ctx context.Context, t *testing.T, path string) string {
	t.Helper()
	return html.UnescapeString(p.send(ctx, t, http.MethodGet, path, nil))
}

func (p *product) send(ctx context.Context, t *testing.T, method, path string, form url.Values) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.owner.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v", method, path, res.StatusCode, err)
	}
	return string(body)
}

// newRepository returns the directory of a repository with some commits.
func newRepository(ctx context.Context, t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	git("init", "--quiet")
	for _, subject := range []string{"Begin the shop", "Sell kettles", "Count what is left"} {
		if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte(subject), 0o600); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "--quiet", "--message", subject+"\n\nAs agreed.")
	}
	return dir
}

// TestSentryCLI has builds tell of releases with sentry-cli, and upload files.
func TestSentryCLI(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	repository := newRepository(ctx, t)
	for version, path := range cliPaths() {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		slug := "web-" + strings.ReplaceAll(version, ".", "-")
		at := p.newProject(ctx, t, "Web "+version, slug)
		token := p.tokenForTools(ctx, t, at, "project:releases", "project:read", "org:read", "event:read", "event:write")
		c := cli{path: path, dir: repository, env: []string{"SENTRY_AUTH_TOKEN=" + token, "SENTRY_PROJECT=" + at.slug, "SENTRY_DSN=" + at.dsn}}
		t.Run(version, func(t *testing.T) {
			t.Run("info", func(t *testing.T) { c.run(ctx, t, []string{p.url, "project:releases"}, "info") })
			t.Run("releases", func(t *testing.T) { testReleases(ctx, t, p, c, at) })
			t.Run("events", func(t *testing.T) { testSentEvents(ctx, t, p, c, at) })
			t.Run("what is not there", func(t *testing.T) { testNothing(ctx, t, c, version) })
			t.Run("source maps", func(t *testing.T) {
				testUpload(ctx, t, c, buildShop(ctx, t, shopBuild{release: "web@1.0.0", dsn: at.dsn}))
			})
			t.Run("debug files", func(t *testing.T) { testDebugFiles(ctx, t, c, version) })
			t.Run("a token that does not work", func(t *testing.T) {
				c.env = append(c.env, "SENTRY_AUTH_TOKEN="+token[:len(token)-4]+"AAAA")
				c.refused(ctx, t, []string{"Invalid token"}, "releases", "new", "x")
			})
		})
	}
	p.stop(t)
	p.check(ctx, t)
}

func testReleases(ctx context.Context, t *testing.T, p *product, c cli, at project) {
	const version = "web@1.0.0+7"
	page := func() string { return p.page(ctx, t, "/projects/"+at.id+"/release?version="+url.QueryEscape(version)) }
	shows := func(want ...string) {
		t.Helper()
		for _, text := range want {
			if !strings.Contains(page(), text) {
				t.Errorf("the release's page does not show %q", text)
			}
		}
	}
	c.run(ctx, t, []string{"Created release"}, "releases", "new", version, "--url", "https://shop.example/1.0.0")
	shows("No event of this release", "https://shop.example/1.0.0")
	c.run(ctx, t, []string{"Success!"}, "releases", "set-commits", version, "--auto")
	shows("Count what is left", "Sell kettles", "Begin the shop", "Ada Lovelace")
	c.run(ctx, t, []string{"Success!"}, "releases", "set-commits", version, "--local")
	c.run(ctx, t, []string{"Success!"}, "releases", "set-commits", version, "--commit", "shop/web@HEAD")
	shows("Count what is left")
	c.run(ctx, t, []string{"Finalized release"}, "releases", "finalize", version)
	shows("Finalized")
	c.run(ctx, t, []string{"Created new deploy blue"}, "deploys", "new", "--release", version, "--env", "production", "--name", "blue", "--url", "https://shop.example")
	c.run(ctx, t, []string{"production", "blue"}, "deploys", "list", "--release", version)
	shows("production", "https://shop.example")
	c.run(ctx, t, []string{"Archived"}, "releases", "archive", version)
	shows("archived")
	c.run(ctx, t, []string{"Restored"}, "releases", "restore", version)
	if strings.Contains(page(), "archived") {
		t.Error("the release is still archived")
	}
	c.run(ctx, t, []string{version}, "releases", "info", version)
	c.run(ctx, t, []string{version, "seconds ago"}, "releases", "list")
	c.run(ctx, t, nil, "releases", "new", "web@1.0.1")
	c.run(ctx, t, []string{"Deleted release"}, "releases", "delete", "web@1.0.1")
	c.run(ctx, t, []string{"does not exist"}, "releases", "delete", "web@1.0.1")
	if out := c.run(ctx, t, nil, "releases", "list"); strings.Contains(out, "web@1.0.1") {
		t.Errorf("the list has a release that was deleted:\n%s", out)
	}
}

func testSentEvents(ctx context.Context, t *testing.T, p *product, c cli, at project) {
	out := c.run(ctx, t, nil, "send-event", "--message", "The nightly job failed", "--release", "web@1.0.2", "--no-environ")
	id := regexp.MustCompile(`[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}`).FindString(out)
	p.waitVisible(ctx, t, strings.ReplaceAll(id, "-", ""))
	c.run(ctx, t, []string{"The nightly job failed", "unresolved"}, "issues", "list")
	c.refused(ctx, t, []string{"events named this release"}, "releases", "delete", "web@1.0.2")
	c.run(ctx, t, nil, "issues", "resolve", "--all")
	c.run(ctx, t, []string{"The nightly job failed", "resolved"}, "issues", "list", "--status", "resolved")
	c.run(ctx, t, []string{"The nightly job failed"}, "events", "list")
}

func testNothing(ctx context.Context, t *testing.T, c cli, version string) {
	c.run(ctx, t, []string{"Sundew"}, "organizations", "list")
	c.run(ctx, t, []string{"Web"}, "projects", "list")
	c.run(ctx, t, nil, "monitors", "list")
	c.run(ctx, t, []string{"No repos found"}, "repos", "list")
	if !strings.HasPrefix(version, "3.") {
		return
	}
	mappings := filepath.Join(t.TempDir(), "mappings.json")
	if err := os.WriteFile(mappings, []byte(`[{"stackRoot":"com/example","sourceRoot":"src/com/example"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	c.refused(ctx, t, []string{"Sundew has no code mappings"}, "code-mappings", "upload", "--repo", "shop/web", "--default-branch", "main", mappings)
}

// testUpload uploads built files, and then again, when there is nothing to upload.
func testUpload(ctx context.Context, t *testing.T, c cli, dist string) {
	c.run(ctx, t, []string{"Debug ID Injection Report"}, "sourcemaps", "inject", dist)
	upload := []string{"sourcemaps", "upload", "--release", "web@1.0.0", "--dist", "7", "--url-prefix", "~/static", "--wait", dist}
	c.run(ctx, t, []string{"File processing complete", "~/static/main.js"}, upload...)
	c.run(ctx, t, []string{"Nothing to upload"}, upload...)
}

// testDebugFiles uploads what other platforms need.
func testDebugFiles(ctx context.Context, t *testing.T, c cli, version string) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	program := filepath.Join(dir, "program")
	mapping := filepath.Join(dir, "mapping.txt")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mapping, []byte("com.example.Cart -> a.a:\n    1:1:int total():5:5 -> b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("building a program: %v\n%s", err, out)
	}
	c.run(ctx, t, []string{"program"}, "debug-files", "upload", "--wait", program)
	c.run(ctx, t, []string{"Nothing to upload"}, "debug-files", "upload", "--wait", program)
	if !strings.HasPrefix(version, "3.") { // it sends an archive unless it is told otherwise
		c.refused(ctx, t, []string{"SENTRY_EXPERIMENTAL_PROGUARD_CHUNK_UPLOAD=1"}, "upload-proguard", mapping)
		c.env = append(c.env, "SENTRY_EXPERIMENTAL_PROGUARD_CHUNK_UPLOAD=1")
	}
	c.run(ctx, t, nil, "upload-proguard", mapping)
}
