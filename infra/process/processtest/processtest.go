// Package processtest runs the product in a process of its own, for tests.
//
// It exists because several suites start, stop and kill the real program, and the
// order of things is the same in each: the ready line is waited for, what it wrote
// is shown if the test fails, and no process outlives its test.
package processtest

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"sundew/infra/process"
)

// Within is how long the program has to start, and to end when it is told to.
const Within = 30 * time.Second

var readyLine = regexp.MustCompile(`Dashboard(?: of a copy)?: (http://\S+)/(?:  DSN: http://([0-9a-f]{32})@)?`)

// Process is a program that has said that it is ready.
type Process struct {
	Cmd *exec.Cmd
	URL string // of the dashboard, without a slash at its end
	Key string // of the first project; empty for a process without intake

	stderr process.Tail
	ended  chan struct{} // closed once the process has ended, and then err is set
	err    error
}

// Start starts the program and waits for its ready line. It is killed when the test
// ends, if it still runs.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, ended: make(chan struct{})}
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
		p.Kill()
		if t.Failed() {
			t.Logf("the program wrote to standard error:\n%s", &p.stderr)
		}
	})
	if err := out.SetReadDeadline(time.Now().Add(Within)); err != nil {
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
	p.URL, p.Key = found[1], found[2]
	return p
}

// Kill ends the program without a warning, as a power cut would, and waits until it
// is gone.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended
	<-p.ended
}

// MustRun fails the test if the program ended by itself.
func (p *Process) MustRun(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("the program ended by itself: %v", p.err)
	default:
	}
}

// Terminate stops the program as an operator does: it has to end well.
func (p *Process) Terminate(t testing.TB) {
	t.Helper()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(Within):
		t.Fatal("SIGTERM did not end the program")
	}
	if p.err != nil {
		t.Errorf("the program ended with %v", p.err)
	}
}

// Eventually polls until ok returns true, and fails the test after within.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	late := time.After(within)
	for !ok() {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
