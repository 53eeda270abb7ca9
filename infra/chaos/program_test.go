//go:build chaos

package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sundew/infra/process/processtest"
	"sundew/infra/visitor"
)

// Bounds of everything that is waited for.
const (
	answersWithin = 15 * time.Second
	happensWithin = 30 * time.Second
)

// program is the digester in a process of its own.
type program struct {
	*processtest.Process
	client *http.Client
}

// command returns the digester with arguments, on a data directory.
func command(dir string, wrapper []string, args ...string) *exec.Cmd {
	line := append(append(append([]string{}, wrapper...), executable), args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(visitor.Env(), "PATH="+os.Getenv("PATH"), "SUNDEW_DATA="+dir, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=warn",
		"SUNDEW_DISK_FREE=0") // the disk of a test is small
	return cmd
}

// start starts the program and waits until it is ready.
func start(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{processtest.Start(t, cmd), visitor.New()}
	p.client.Transport, p.client.Timeout = &http.Transport{}, answersWithin
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

// signIn makes all further requests the owner's.
func (p *program) signIn(t *testing.T) {
	t.Helper()
	if err := visitor.SignIn(t.Context(), p.client, p.URL); err != nil {
		t.Fatal(err)
	}
}

// limitWrites makes every write to a file at or beyond so many bytes fail, as a
// broken disk would; unix.RLIM_INFINITY makes them work again.
func (p *program) limitWrites(t *testing.T, bytes uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.Cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil && !errors.Is(err, unix.ESRCH) {
		t.Fatal(err)
	}
}

// get reads a page as JSON.
func (p *program) get(path string, into any) (status int, err error) {
	answer, err := p.client.Get(p.URL + path)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, json.NewDecoder(answer.Body).Decode(into)
}

// readiness is the part of /health/ready that matters here.
type readiness struct {
	Status   string
	Intake   string
	Digester string
	Advice   string
	InFlight int64 `json:"in_flight"`
}

func (p *program) ready() (r readiness, ok bool) {
	status, err := p.get("/health/ready", &r)
	return r, err == nil && status == http.StatusOK
}

// books are the numbers of /ledger.json.
type books struct {
	Accepted    int64            `json:"accepted"`
	Digested    int64            `json:"digested"`
	Duplicate   int64            `json:"duplicate"`
	Dropped     map[string]int64 `json:"dropped"`
	InFlight    int64            `json:"in_flight"`
	DeadLetters int64            `json:"dead_letters"`
	Redelivered int64            `json:"redelivered"`
	OldestAge   float64          `json:"oldest_message_age"` // 0: the queue is empty
}

func (p *program) books() (b books, ok bool) {
	status, err := p.get("/ledger.json", &b)
	return b, err == nil && status == http.StatusOK
}

// What report returns in place of a status.
const (
	noAnswer = 0  // the event may have arrived
	notSent  = -1 // there was nobody to send it to
)

// report sends one event and returns the status of the answer.
func (p *program) report(ctx context.Context, id, message string) int {
	return p.post(ctx, fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":%q,"release":"shop@1.0"}`, id, message))
}

// reportWithFile is report of an event with an attachment, the same for the same event.
func (p *program) reportWithFile(ctx context.Context, id, message string) int {
	file := strings.Repeat(id, 20)
	return p.post(ctx, fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":%q,"release":"shop@1.0"}`+"\n"+
		`{"type":"attachment","filename":"file.txt","length":%d}`+"\n%s", id, message, len(file), file))
}

func (p *program) post(ctx context.Context, body string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/api/1/envelope/?sentry_key="+p.Key, strings.NewReader(body))
	if err != nil {
		return notSent
	}
	answer, err := p.client.Do(req)
	var failed *net.OpError
	if errors.As(err, &failed) && failed.Op == "dial" {
		return notSent
	}
	if err != nil {
		return noAnswer
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // the status is what counts
	return answer.StatusCode
}

// mustCheck runs `digester check`.
func mustCheck(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("digester check: %v\n%s", err, out)
	}
}

// eventually polls until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	processtest.Eventually(t, happensWithin, what, ok)
}

// pause lets d pass: the random moments of this package are its subject.
func pause(d time.Duration) { <-time.After(d) }
