package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sundew/digester/queue/local"
	"sundew/schema/event"
	"sundew/schema/wire"
)

// bury puts messages of a kind that nobody knows into a queue and has them
// delivered too often.
func bury(t *testing.T, dir string, n int) {
	t.Helper()
	now := time.Now()
	q, err := local.Open(t.Context(), local.Config{Path: filepath.Join(dir, "queue.db"), MaxReceives: 1, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := q.Send(t.Context(), []*wire.Message{{Kind: 77, Project: 1, EventID: event.ID{0xab, byte(i)}, ReceivedAt: now}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := q.Receive(t.Context(), n, 0); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if err := q.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// TestDeadCommand lists and puts back with the command line, beside a running
// process and without one.
func TestDeadCommand(t *testing.T) {
	dir := t.TempDir()
	dead := func(want int, contains string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if code := run(t.Context(), append([]string{"dead"}, args...), envOf(dir), &out, &out); code != want || !strings.Contains(out.String(), contains) {
			t.Errorf("dead %v: exit code %d, want %d and %q\n%s", args, code, want, contains, out.String())
		}
	}
	dead(exitFailed, "there is no queue", "list")
	bury(t, dir, 5)
	dead(exitOK, "ab030000000000000000000000000000", "list")
	dead(exitUsage, "takes ids, or --all", "retry")
	dead(exitUsage, "takes ids, or --all", "retry", "--all", "1")
	dead(exitUsage, "no dead bury", "bury")

	r := startService(t, dir)
	dead(exitOK, "ab000000000000000000000000000000", "list")
	dead(exitFailed, "/dead-letters, or stop it first", "retry", "--all")
	status, page := r.get("/dead-letters")
	if status != 200 || strings.Count(page, "Message of kind 77") != 5 || !strings.Contains(page, "newer than this digester") {
		t.Errorf("the dashboard's page: status %d\n%s", status, page)
	}
	if _, ready := r.get("/health/ready"); !strings.Contains(ready, "/dead-letters says why") {
		t.Errorf("the health does not tell: %s", ready)
	}
	r.stop()

	dead(exitOK, "put back 2;", "retry", "1", "3")
	dead(exitFailed, "1 of the 2 are no dead letters", "retry", "1", "2")
	dead(exitOK, "put back 2;", "retry", "--all")
	dead(exitOK, "there are no dead letters", "list")
	mustCheck(t, envOf(dir))
}
