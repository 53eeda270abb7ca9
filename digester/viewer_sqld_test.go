//go:build sqld

package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sundew/infra/sqld"
	"sundew/infra/sqld/sqldtest"
)

const brokeID = "9ec79c33ec9942ab8353589fcb2e04dc"

// address is what a SUNDEW_… variable says of a server.
func address(s *sqld.Server) string { return s.URL() + "?namespace=" + sqld.Namespace }

// replicated is a primary with two replicas and a dashboard process of each.
type replicated struct {
	server    *sqld.Server // the primary's database
	primary   *primary
	authority *sqld.Authority
	networks  [2]*sqld.Proxy // between the primary and each replica
	replicas  [2]*sqld.Server
	browsers  [2]*browser
}

// startReplicated starts all of it, behind networks of a round-trip time, and waits
// until every dashboard shows the event that the primary has.
func startReplicated(t *testing.T, rtt time.Duration) *replicated {
	t.Helper()
	r := new(replicated)
	var err error
	if r.authority, err = sqld.NewAuthority(); err != nil {
		t.Fatal(err)
	}
	r.server = sqldtest.Start(t, sqld.Config{Authority: r.authority, Strong: true})
	r.primary = startPrimary(t, r.server)
	for i := range r.replicas {
		r.networks[i] = sqldtest.Proxy(t, r.server.GRPC, rtt)
		r.replicas[i] = sqldtest.Start(t, sqld.Config{Authority: r.authority, Primary: r.networks[i].Addr})
		at, _ := startViewer(t, map[string]string{
			"SUNDEW_DATA": filepath.Join(t.TempDir(), "none"), "SUNDEW_LISTEN": "127.0.0.1:0",
			"SUNDEW_REPLICA": address(r.replicas[i]), "SUNDEW_PRIMARY_URL": r.primary.url})
		b := newBrowser(t, at)
		r.browsers[i] = b
		b.waitUntilReady()
		b.signIn()
		waitFor(t, "the event is at the replica", func() bool {
			status, page := b.get("/events/" + brokeID)
			return status == http.StatusOK && strings.Contains(page, "it broke") && strings.Contains(page, "A copy, as of")
		})
	}
	return r
}

// ready asks /health/ready.
func (b *browser) ready() (int, string) { return b.get("/health/ready") }

// TestReplicaDashboards: pages come from the replica near them, and through a slow
// network a browser sees what it has just changed.
func TestReplicaDashboards(t *testing.T) {
	r := startReplicated(t, 60*time.Millisecond)
	for i, b := range r.browsers {
		if status, body := b.ready(); status != http.StatusOK || !strings.Contains(body, `"status": "ok"`) {
			t.Errorf("replica %d: /health/ready answered %d: %s", i, status, body)
		}
		if status, body := b.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "sundew_copy_lag_seconds") || !strings.Contains(body, "sundew_copy_failing 0") {
			t.Errorf("replica %d: /metrics answered %d: %s", i, status, body)
		}
		for _, path := range []string{"/", "/projects/1/issues", "/projects/1/setup", "/projects/1/quiet", "/issues/1", "/issues/1/events", "/issues/1/events/1/json"} {
			if status, _ := b.get(path); status != http.StatusOK {
				t.Errorf("replica %d: %s answered %d", i, path, status)
			}
		}
		local := 0
		for range 10 {
			for _, form := range []struct{ path, then string }{{"/issues/1/resolve", "/issues/1/reopen"}, {"/issues/1/reopen", "/issues/1/resolve"}} {
				status, page := b.post(form.path, nil)
				if status != http.StatusOK || !strings.Contains(page, form.then) || strings.Contains(page, "not in this copy yet") {
					t.Fatalf("replica %d: after %s: %d\n%s", i, form.path, status, page)
				}
				if strings.Contains(page, "A copy, as of") {
					local++
				}
			}
		}
		if local < 15 { // of 20; the others had waited for a second
			t.Errorf("replica %d: %d pages came from it", i, local)
		}
	}
}

// TestReplicaBehind: with the network between primary and replica cut, a page that
// lacks its reader's change comes from the primary, then says what it lacks; with
// the network back it has it.
func TestReplicaBehind(t *testing.T) {
	r := startReplicated(t, 2*time.Millisecond)
	b := r.browsers[0]
	r.networks[0].Cut()
	status, page := b.post("/issues/1/resolve", nil)
	if status != http.StatusOK || !strings.Contains(page, "/issues/1/reopen") || strings.Contains(page, "A copy, as of") {
		t.Errorf("the primary's page: %d\n%s", status, page)
	}
	r.primary.stop()
	if status, page := b.get("/issues/1"); status != http.StatusOK || !strings.Contains(page, "/issues/1/resolve") || !strings.Contains(page, "not in this copy yet") {
		t.Errorf("the copy's page: %d\n%s", status, page)
	}
	r.networks[0].Restore()
	waitFor(t, "the replica has caught up", func() bool {
		status, page := b.get("/issues/1")
		return status == http.StatusOK && strings.Contains(page, "/issues/1/reopen") && !strings.Contains(page, "not in this copy yet")
	})
}

// TestReplicaKilled: pages say that their replica is gone, the other's go on, and
// those of the first come back by themselves.
func TestReplicaKilled(t *testing.T) {
	r := startReplicated(t, 2*time.Millisecond)
	if err := r.replicas[0].Kill(); err != nil {
		t.Fatal(err)
	}
	b := r.browsers[0]
	if status, page := b.get("/issues/1"); status != http.StatusServiceUnavailable || !strings.Contains(page, "The database does not answer") {
		t.Errorf("without its replica: %d\n%s", status, page)
	}
	waitFor(t, "the process says so", func() bool {
		status, body := b.ready()
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"status": "away"`)
	})
	if _, body := b.get("/metrics"); !strings.Contains(body, "sundew_copy_failing 1") {
		t.Errorf("/metrics: %s", body)
	}
	if status, page := r.browsers[1].get("/issues/1"); status != http.StatusOK || !strings.Contains(page, "A copy, as of") {
		t.Errorf("the other: %d\n%s", status, page)
	}
	if err := r.replicas[0].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "pages are back", func() bool {
		status, page := b.get("/issues/1")
		ready, _ := b.ready()
		return status == http.StatusOK && strings.Contains(page, "A copy, as of") && ready == http.StatusOK
	})
}

// TestReplicaWithoutPrimary: with the primary gone pages are there and say how old
// they are, forms say that it is gone and keep what was typed, and when it is back
// so are its changes.
func TestReplicaWithoutPrimary(t *testing.T) {
	r := startReplicated(t, 2*time.Millisecond)
	r.primary.stop()
	r.primary.write(t, `UPDATE digest_state SET batch = batch + 1, updated_at = updated_at - 60000`)
	for i, b := range r.browsers {
		waitFor(t, "pages say that they are old", func() bool {
			_, body := b.ready()
			return strings.Contains(body, `"status": "old"`)
		})
		if i == 0 {
			continue
		}
		if err := r.server.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range r.browsers {
		status, page := b.get("/issues/1")
		if status != http.StatusOK || !strings.Contains(page, "it broke") || !strings.Contains(page, "A copy, as of") || !strings.Contains(page, "heard nothing of the primary") {
			t.Errorf("replica %d: %d\n%s", i, status, page)
		}
		if status, page := b.post("/projects", url.Values{"name": {"Typed & kept"}}); status != http.StatusBadGateway || !strings.Contains(page, "Typed &amp; kept") || !strings.Contains(page, r.primary.url) {
			t.Errorf("replica %d: a form: %d\n%s", i, status, page)
		}
		if status, body := b.ready(); status != http.StatusOK {
			t.Errorf("replica %d: /health/ready answered %d: %s", i, status, body)
		}
	}
	if err := r.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.primary.write(t, `UPDATE projects SET name = 'Renamed'`)
	r.primary.write(t, `UPDATE digest_state SET batch = batch + 1, updated_at = `+nowMS())
	for _, b := range r.browsers {
		waitFor(t, "the replica goes on", func() bool {
			_, page := b.get("/")
			return strings.Contains(page, "Renamed") && !strings.Contains(page, "heard nothing")
		})
	}
}

// TestReplicaUnknown: a replica without a certificate of the primary's authority
// gets nothing, so its dashboard has nothing to show and says so.
func TestReplicaUnknown(t *testing.T) {
	authority, err := sqld.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	server := sqldtest.Start(t, sqld.Config{Strong: true, Authority: authority})
	startPrimary(t, server)
	rogue := sqldtest.Start(t, sqld.Config{Primary: server.GRPC})
	at, _ := startViewer(t, map[string]string{"SUNDEW_LISTEN": "127.0.0.1:0", "SUNDEW_REPLICA": address(rogue)})
	b := newBrowser(t, at)
	waitFor(t, "the replica was asked", func() bool {
		_, body := b.ready()
		return strings.Contains(body, "libSQL server does not answer")
	})
	if status, page := b.get("/"); status != http.StatusServiceUnavailable || !strings.Contains(page, "cannot be read here yet") {
		t.Errorf("%d\n%s", status, page)
	}
}
