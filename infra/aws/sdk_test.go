//go:build aws

package aws

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getsentry/sentry-go"
)

// TestSDKs lets programs with real SDKs fail. All they know of Sundew is a DSN that
// names the function's URL; the dashboard shows what broke.
func TestSDKs(t *testing.T) {
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	f := startFront(t, c.Region(home), 2)
	dsn := strings.Replace(f.url, "http://", "http://"+p.Key+"@", 1) + "/1"

	e2e, err := filepath.Abs("../e2e")
	if err != nil {
		t.Fatal(err)
	}
	reported := map[string][]string{ // ids of events, with what their pages show
		reportGo(t, dsn): {"order 1001 cannot be checked out", "reportGo"},
	}
	for _, mode := range []string{"handled", "unhandled"} {
		shows := []string{"StockError", "order 1001 cannot be checked out"}
		if mode == "unhandled" {
			shows = []string{"TypeError", "renderInvoice"}
		}
		reported[runProgram(t, dsn, filepath.Join(e2e, "node"), "node", "--import", "./instrument.mjs", "app.mjs", mode)] = shows
		if mode == "unhandled" {
			shows = []string{"ZeroDivisionError", "average_price"}
		}
		reported[runProgram(t, dsn, filepath.Join(e2e, "python"), filepath.Join(e2e, ".venv/bin/python"), "app.py", mode)] = shows
	}
	for id, shows := range reported {
		eventually(t, "event "+id+" has a page", func() bool {
			status, _ := p.get(t, "/events/"+id)
			return status == http.StatusOK
		})
		_, page := p.get(t, "/events/"+id)
		for _, want := range shows {
			if !strings.Contains(html.UnescapeString(page), want) {
				t.Errorf("the page of event %s does not show %q", id, want)
			}
		}
	}
	_, issues := p.get(t, "/projects/1/issues")
	for _, want := range []string{"TypeError", "ZeroDivisionError"} {
		if !strings.Contains(issues, want) {
			t.Errorf("the list of issues does not show %q", want)
		}
	}
	if b := p.settle(t, len(reported)); b.Digested != int64(len(reported)) || b.Lost != 0 {
		t.Errorf("the books after %d events: %+v", len(reported), b)
	}
	p.Terminate(t)
	mustRun(t, command(dir, c, "check"))
}

// reportGo reports an error with sentry-go from this process.
func reportGo(t *testing.T, dsn string) string {
	t.Helper()
	client, err := sentry.NewClient(sentry.ClientOptions{Dsn: dsn, Release: "shop@1.2.0", AttachStacktrace: true})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	hub := sentry.NewHub(client, sentry.NewScope())
	id := hub.CaptureException(fmt.Errorf("order 1001 cannot be checked out: %w", errors.New("only 2 left")))
	if id == nil || !hub.Flush(5*time.Second) {
		t.Fatal("sentry-go did not send the error")
	}
	return string(*id)
}

// eventLine is what the programs print when they send an event.
var eventLine = regexp.MustCompile(`(?m)^event ([0-9a-f]{32})$`)

// runProgram runs a program that fails and returns the id of the one event that it
// sent.
func runProgram(t *testing.T, dsn, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8",
		"SENTRY_DSN=" + dsn, "SENTRY_RELEASE=shop@1.2.0", "SENTRY_ENVIRONMENT=aws"}
	out, err := cmd.CombinedOutput() // an error that is not handled ends the program with one
	events := eventLine.FindAllSubmatch(out, -1)
	if len(events) != 1 {
		t.Fatalf("%v sent %d events, want 1 (infra/e2e/setup.sh installs the SDKs): %v\n%s", args, len(events), err, out)
	}
	return string(events[0][1])
}
