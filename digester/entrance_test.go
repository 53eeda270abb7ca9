package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever reports does not wait for the database. While it cannot be opened events are
// accepted, and the process says what is wrong; once it can, they are digested.
func TestIntakeWithoutDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const key = "0123456789abcdef0123456789abcdef"
	createProjects(t, envOf(dir), 1, key)
	database, aside := filepath.Join(dir, "sundew.db"), filepath.Join(dir, "aside.db")
	if err := os.Rename(database, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(database, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, ready := beginService(t, map[string]string{"SUNDEW_DATA": dir, "SUNDEW_LISTEN": "127.0.0.1:0"})
	waitFor(t, "it says that there is no database", func() bool {
		_, body := r.get("/health/ready")
		return strings.Contains(body, "the database cannot be opened")
	})
	const id = "9ec79c33ec9942ab8353589fcb2e04dc"
	r.post("/api/1/store/?sentry_key="+key, `{"event_id":"`+id+`","message":"it broke"}`, http.StatusOK)
	for path, want := range map[string]struct {
		status int
		has    string
	}{
		"/health/live":  {http.StatusOK, "ok"},
		"/health/ready": {http.StatusServiceUnavailable, "not a database"},
		"/":             {http.StatusServiceUnavailable, "Events are accepted"},
		"/api/0/":       {http.StatusServiceUnavailable, `"detail": "Sundew is not ready: the database cannot be opened"`},
	} {
		if status, body := r.get(path); status != want.status || !strings.Contains(body, want.has) {
			t.Errorf("%s answered %d, want %d with %q:\n%s", path, status, want.status, want.has, body)
		}
	}

	if err := os.Rename(aside, database); err != nil {
		t.Fatal(err)
	}
	ready()
	waitFor(t, "the event is digested", func() bool { return r.books().Digested == 1 })
	if status, page := r.get("/events/" + id); status != http.StatusOK || !strings.Contains(page, "it broke") {
		t.Errorf("the event's page answered %d", status)
	}
	// What programs and agents ask is answered beside, and what belongs to intake is not.
	for path, has := range map[string]string{"//api/0/": `{"detail":"Authentication credentials`, "/mcp": `{"detail":"Authentication credentials`, "/api/1/nowhere/": ""} {
		want := http.StatusUnauthorized
		if has == "" {
			want = http.StatusNotFound
		}
		if status, body := r.get(path); status != want || !strings.Contains(body, has) {
			t.Errorf("%s answered %d: %s", path, status, body)
		}
	}
	r.stop()
	mustCheck(t, envOf(dir))
}
