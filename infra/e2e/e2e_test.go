//go:build e2e

// Package e2e proves the main job: programs with real Sentry SDKs fail, and a
// person finds their errors in the dashboard.
//
// It is a package of tests only. They run the product as users do, the built
// program with a data directory and a DSN, and judge it by what pages show in a
// real browser. sentry-go runs in the test; @sentry/node, the Python sentry-sdk
// and @sentry/browser are programs in node, python and browser; what a person
// does is in pages. setup.sh installs what that needs, and the tag e2e keeps it
// out of `go test ./...`:
//
//	infra/e2e/setup.sh && go test -tags e2e ./infra/e2e
//
// Screenshots of every page are left in output.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// How the programs identify themselves; their code repeats what is not handed
// to them.
const (
	release     = "shop@1.2.0"
	environment = "e2e"
)

// visibleWithin is what the product promises: how long after an SDK has sent an
// event it may take until the event has a page.
const visibleWithin = 2 * time.Second

func TestMain(m *testing.M) {
	if err := os.RemoveAll(pictures); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestRealSDKs(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p := startProduct(ctx, t)
	b := startBrowser(ctx, t, p)
	shop := newGoShop(t, p.createProject(ctx, t, "Shop backend"))

	sent := 0
	var first, richest seen
	read := func(t *testing.T, want expectation) seen {
		t.Helper()
		p.waitVisible(ctx, t, want.EventID)
		sent++
		return b.readEvent(ctx, t, want)
	}

	readAttached := func(t *testing.T, want attached) {
		t.Helper()
		b.readAttached(ctx, t, p, want)
		sent += 1 + want.items
	}

	t.Run("sentry-go", func(t *testing.T) {
		t.Run("handled", func(t *testing.T) { first = read(t, shop.handled(t)) })
		t.Run("unhandled", func(t *testing.T) { read(t, shop.unhandled(t)) })
	})
	t.Run("node", func(t *testing.T) {
		dsn := p.createProject(ctx, t, "Shop API")
		t.Run("handled", func(t *testing.T) { read(t, nodeHandled(ctx, t, dsn)) })
		t.Run("unhandled", func(t *testing.T) { read(t, nodeUnhandled(ctx, t, dsn)) })
		t.Run("attached", func(t *testing.T) { readAttached(t, nodeAttached(ctx, t, dsn)) })
	})
	var recorded recording
	t.Run("python", func(t *testing.T) {
		proxy := newProxy(t, p.url)
		dsn := proxy.dsn(t, p.createProject(ctx, t, "Shop reports"))
		t.Run("handled", func(t *testing.T) { richest = read(t, pythonHandled(ctx, t, dsn)) })
		t.Run("unhandled", func(t *testing.T) { read(t, pythonUnhandled(ctx, t, dsn)) })
		t.Run("attached", func(t *testing.T) { readAttached(t, pythonAttached(ctx, t, dsn)) })
		recorded = proxy.requireBrotli(t)
	})
	t.Run("browser", func(t *testing.T) {
		// This project is made as a new user makes one.
		shop := serveBrowserShop(ctx, t, b, b.createProject(ctx, t, "Shop"))
		t.Run("handled", func(t *testing.T) { read(t, shop.handled(ctx, t)) })
		t.Run("unhandled", func(t *testing.T) { read(t, shop.unhandled(ctx, t)) })
		t.Run("rejection", func(t *testing.T) { read(t, shop.rejection(ctx, t)) })
		t.Run("attached", func(t *testing.T) { readAttached(t, shop.attached(ctx, t)) })
	})
	if first.Issue == "" || richest.Issue == "" || recorded.body == nil {
		t.Fatal("what follows needs these errors")
	}

	t.Run("resolve, regress, reopen", func(t *testing.T) {
		b.press(ctx, t, first, "Resolve", "resolved")
		read(t, shop.handled(t))
		b.readState(ctx, t, first, "open", "Came back after it was resolved")
		b.press(ctx, t, first, "Resolve", "resolved")
		b.press(ctx, t, first, "Reopen", "open")
		b.readState(ctx, t, first, "open", "Reopened")
	})
	t.Run("without JavaScript", func(t *testing.T) {
		plain := b.withoutJavaScript()
		plain.createProject(ctx, t, "Warehouse")
		first = plain.readEvent(ctx, t, shop.sent)
		plain.press(ctx, t, first, "Resolve", "resolved")
		plain.press(ctx, t, first, "Reopen", "open")
	})
	t.Run("pictures", func(t *testing.T) { b.takePictures(ctx, t, richest) })
	t.Run("the books balance", func(t *testing.T) {
		recorded.sendAgain(ctx, t, p.url)
		p.requireBooks(ctx, t, books{Accepted: int64(sent) + 1, Digested: int64(sent), Duplicate: 1})
	})
	t.Run("stop and check", func(t *testing.T) {
		p.stop(t)
		p.check(ctx, t)
	})
}

// requireSetup fails the test unless setup.sh has installed what is listed.
func requireSetup(t *testing.T) {
	t.Helper()
	const advice = "Run infra/e2e/setup.sh first."
	if _, err := os.Stat(chromium); err != nil {
		t.Fatalf("%v\n%s", err, advice)
	}
	for list, installed := range map[string]string{
		"package-lock.json": "node_modules/.installed",
		"requirements.txt":  ".venv/.installed",
	} {
		want, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(installed); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("what %s lists is not installed. %s", list, advice)
		}
	}
}

// withinDeadline returns a context that ends early enough before the test
// binary gives up for everything to be stopped and said.
func withinDeadline(t *testing.T) context.Context {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		return t.Context()
	}
	ctx, cancel := context.WithDeadline(t.Context(), deadline.Add(-20*time.Second))
	t.Cleanup(cancel)
	return ctx
}

// waitFor polls until done is true, and fails the test if that takes longer than
// within.
func waitFor(ctx context.Context, t *testing.T, within time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, within)
		case <-ticker.C:
		}
	}
}

// absolute returns the path for programs that run in another directory.
func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
