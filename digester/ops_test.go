package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"sundew/digester/vitals"
)

// ready asks one of the health endpoints.
func (r *running) ready(which string) (status int, answer readiness) {
	r.t.Helper()
	status, body := r.get("/health/ready" + which)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		r.t.Fatalf("/health/ready%s: %v\n%s", which, err, body)
	}
	return status, answer
}

// A disk that fills up makes digesting not ready, by words and numbers; intake goes
// on, and says so at an address of its own.
func TestReadyDisk(t *testing.T) {
	r := startService(t, t.TempDir())
	if status, answer := r.ready(""); status != http.StatusOK || answer.DiskFree == 0 || answer.DiskTotal < answer.DiskFree {
		t.Fatalf("at first it answered %d: %+v", status, answer)
	}
	r.service.diskFree = func(string) (int64, int64, error) { return 100 << 20, 20 << 30, nil }
	status, answer := r.ready("")
	if status != http.StatusServiceUnavailable || !strings.Contains(answer.Status, "almost full") ||
		!strings.Contains(answer.Advice, "Make room") || answer.DiskFree != 100<<20 || answer.ReadyForDigest || !answer.ReadyForIntake {
		t.Errorf("with 100 MiB it answered %d: %+v", status, answer)
	}
	if status, _ := r.ready("/intake"); status != http.StatusOK {
		t.Errorf("intake answered %d", status)
	}
	if status, _ := r.ready("/digest"); status != http.StatusServiceUnavailable {
		t.Errorf("digest answered %d", status)
	}
	if status, page := r.get("/system"); status != http.StatusOK || !strings.Contains(page, "almost full") {
		t.Errorf("the page of the system answered %d without that", status)
	}
	r.service.diskFree = func(string) (int64, int64, error) { return 0, 0, errors.ErrUnsupported }
	if status, answer := r.ready(""); status != http.StatusOK || len(answer.Problems) != 1 || answer.Problems[0].Part != "disk" {
		t.Errorf("of an unknown disk it answered %d: %+v", status, answer)
	}
}

// A database that cannot be read is said, and is not a queue without messages.
func TestReadyDatabase(t *testing.T) {
	r := startService(t, t.TempDir())
	replica := r.service.replica
	if err := replica.Close(); err != nil {
		t.Fatal(err)
	}
	// Signing in reads too, so the health alone answers.
	status, answer := r.ready("")
	if status != http.StatusServiceUnavailable || answer.Status != "the books cannot be read" || answer.DatabaseAnswer == "ok" || answer.ReadyForDigest {
		t.Errorf("it answered %d: %+v", status, answer)
	}
}

// Dashboards elsewhere are asked; one that is late or away is a warning.
func TestReadyCopies(t *testing.T) {
	lag := "1.5"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/errors/health/ready" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(`{"status":"ok","age_seconds":` + lag + `}`))
	}))
	defer elsewhere.Close()
	address, err := url.Parse(elsewhere.URL + "/errors")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := url.Parse(elsewhere.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := newCopyWatch([]CopyConfig{{"tokyo", address}, {"lima", wrong}}, time.Now)
	w.round(t.Context())
	got := w.states()
	if got[0].Age != 1500*time.Millisecond || got[0].Failing != (vitals.Trouble{}) || got[0].Asked.IsZero() {
		t.Errorf("tokyo: %+v", got[0])
	}
	if !strings.Contains(got[1].Failing.What, "404") || !got[1].Asked.IsZero() {
		t.Errorf("lima: %+v", got[1])
	}
	lag = `90,"warning":"it does not keep up"`
	w.round(t.Context())
	if got := w.states(); got[0].Age != 90*time.Second || got[0].Failing.What != "it does not keep up" {
		t.Errorf("tokyo, late: %+v", got[0])
	}
	elsewhere.Close()
	w.round(t.Context())
	if got := w.states(); got[0].Failing == (vitals.Trouble{}) || got[0].Age != 90*time.Second {
		t.Errorf("tokyo, away: %+v", got[0])
	}
}

func TestParseCopies(t *testing.T) {
	got, err := parseCopies("tokyo=https://tokyo.example.com/errors, lima=http://lima.example.com:8000")
	if err != nil || len(got) != 2 || got[0].URL.Path != "/errors" || got[1].Name != "lima" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "tokyo", "=https://a.example.com", "a=ftp://a.example.com", "a=https://a.example.com,a=https://b.example.com"} {
		if _, err := parseCopies(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// metricName finds the names of metrics in the source and in the documentation.
var metricName = regexp.MustCompile("[\"`](sundew_[a-z_]+)[\"`{]")

func metricsIn(t *testing.T, pattern string, skip string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	found := make(map[string]bool)
	for _, file := range files {
		if strings.HasSuffix(file, skip) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			if strings.HasSuffix(file, ".md") && !strings.HasPrefix(line, "| `sundew_") {
				continue
			}
			for _, m := range metricName.FindAllStringSubmatch(line, -1) {
				found[m[1]] = true
			}
		}
	}
	return found
}

// The table in infra/README.md has every metric of the program, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	want, got := metricsIn(t, "*.go", "_test.go"), metricsIn(t, "../infra/README.md", "-")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the program's metrics and those of the table differ (-program +table):\n%s", diff)
	}
}

// What /metrics answers keeps Prometheus's conventions.
func TestMetrics(t *testing.T) {
	r := startService(t, t.TempDir())
	r.post("/api/1/store/?sentry_key="+strings.TrimPrefix(r.dsn(), "http://")[:32], `{"message":"it broke"}`, http.StatusOK)
	waitFor(t, "a batch is digested", func() bool { return r.service.digester.Health().Stored == 1 })
	status, text := r.get("/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics answered %d: %s", status, text)
	}
	for _, want := range []string{
		`sundew_ready{for="intake"} 1`, `sundew_ready{for="digest"} 1`, `sundew_problems{part="disk"} 0`, `sundew_mails{state="waiting"} 0`, `sundew_notifications{state="given_up"} 0`,
		`sundew_accepted_total{project="1"} 1`, `sundew_request_seconds_count{class="2xx",part="intake"} 1`, "sundew_disk_free_bytes ", "sundew_last_batch_timestamp_seconds ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "sundew_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
