//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sundew/infra/visitor"
)

// TestPrivacy sets what is secret as people do, at a desk, with a phone and without
// JavaScript, and reports with a real SDK: its secrets are on no page and in no file.
func TestPrivacy(t *testing.T) {
	requireSetup(t)
	ctx := withinDeadline(t)
	p, link := startNewProduct(ctx, t)
	ada := &person{Name: "Ada Example", Look: "light"}
	w := &walk{product: p, b: openBrowser(ctx, t, p), ada: ada}
	w.do(ctx, t, ada, command{Do: "become", URL: link, Email: visitor.Email, Password: visitor.Password})
	p.signIn(ctx, t)
	w.b.signIn(ctx, t, p)
	for _, who := range []*person{
		ada, {Name: "Ada Example, phone", Look: "night"}, {Name: "Ada Example, plain", Look: "light", Plain: true},
	} {
		made := w.do(ctx, t, ada, command{Do: "startProject", URL: w.url, Name: "App of " + who.Name})
		project := strings.TrimSuffix(made.At, "/setup")
		w.do(ctx, t, who, command{Do: "setPrivacy", Project: project, Name: "patient"})
		id := w.reportSecrets(ctx, t, made.DSN)
		p.waitVisible(ctx, t, id)
		w.do(ctx, t, who, command{Do: "readFiltered", URL: w.url + "/events/" + id, Titles: []string{"order A-17", "12.50", "password="}})
	}
	w.requireNowhere(t, "swordfish")
	p.stop(t)
	w.requireNowhere(t, "swordfish")
}

// reportSecrets has a program report, whose SDK is a real one, and returns the event's id.
func (w *walk) reportSecrets(ctx context.Context, t *testing.T, dsn string) string {
	t.Helper()
	out, err := newCommand(ctx, t, []string{"SENTRY_DSN=" + dsn}, "node", "node/secrets.mjs").Output()
	if err != nil {
		t.Fatalf("node/secrets.mjs: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// requireNowhere fails if a word is in a file of the data directory.
func (w *walk) requireNowhere(t *testing.T, word string) {
	t.Helper()
	for _, variable := range w.env {
		dir, ok := strings.CutPrefix(variable, "SUNDEW_DATA=")
		if !ok {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%v in %s: %v", files, dir, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s has a secret in it", filepath.Base(file))
			}
		}
	}
}
