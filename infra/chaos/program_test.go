//go:build chaos

package chaos

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of everything that is waited for.
const (
	startsWithin  = 20 * time.Second
	answersWithin = 15 * time.Second
	happensWithin = 30 * time.Second
)

// program is the digester in a process of its own.
type program struct {
	cmd    *exec.Cmd
	url    string
	key    string
	client *http.Client
	stderr tail
	ended  chan struct{} // closed once the process has ended, and then err is set
	err    error
}

var readyLine = regexp.MustCompile(`Dashboard(?: of a copy)?: (http://\S+)/(?:  DSN: http://([0-9a-f]{32})@)?`)

// command returns the digester with arguments, on a data directory.
func command(dir string, wrapper []string, args ...string) *exec.Cmd {
	line := append(append(append([]string{}, wrapper...), executable), args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SUNDEW_DATA=" + dir, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=warn"}
	return cmd
}

// start starts the program and waits for its ready line. It is killed when the
// test ends, if it still runs.
func start(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{cmd: cmd, client: &http.Client{Transport: &http.Transport{}, Timeout: answersWithin}, ended: make(chan struct{})}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = w, &p.stderr
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program wrote to standard error:\n%s", p.stderr.String())
		}
	})
	if err := out.SetReadDeadline(time.Now().Add(startsWithin)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program did not start: %v", err)
	}
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("the program printed %q", line)
	}
	p.url, p.key = found[1], found[2]
	return p
}

// kill ends the program without a warning, as a power cut would, and waits until
// it is gone.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	p.client.CloseIdleConnections()
}

// mustRun fails the test if the program ended by itself.
func (p *program) mustRun(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("the program ended by itself: %v", p.err)
	default:
	}
}

// terminate stops the program as an operator does: it has to end well.
func (p *program) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(happensWithin):
		t.Fatal("SIGTERM did not end the program")
	}
	if p.err != nil {
		t.Errorf("the program ended with %v", p.err)
	}
	p.client.CloseIdleConnections()
}

// limitWrites makes every write to a file at or beyond so many bytes fail, as a
// broken disk would; unix.RLIM_INFINITY makes them work again.
func (p *program) limitWrites(t *testing.T, bytes uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil && !errors.Is(err, unix.ESRCH) {
		t.Fatal(err)
	}
}

// get reads a page as JSON.
func (p *program) get(path string, into any) (status int, err error) {
	answer, err := p.client.Get(p.url + path)
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
	body := fmt.Sprintf(`{"event_id":%q}`+"\n"+`{"type":"event"}`+"\n"+`{"message":%q,"release":"shop@1.0"}`, id, message)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/1/envelope/?sentry_key="+p.key, strings.NewReader(body))
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
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	late := time.After(happensWithin)
	for !ok() {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// pause lets d pass: the random moments of this package are its subject.
func pause(d time.Duration) { <-time.After(d) }

// tail keeps the end of what is written to it, which is where programs say why
// they failed.
type tail struct {
	mu  sync.Mutex
	buf []byte // guarded by mu
}

func (w *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, p...)
	w.buf = w.buf[max(0, len(w.buf)-most):]
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(bytes.ToValidUTF8(w.buf, nil))
}
