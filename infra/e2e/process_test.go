//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// killAfter is how long a program has between SIGTERM and SIGKILL.
const killAfter = 10 * time.Second

// newCommand returns a program that gets SIGTERM when ctx ends and SIGKILL if it
// does not heed it. It inherits nothing from the environment but where programs
// are, so that no proxy or SDK setting of the machine interferes.
func newCommand(ctx context.Context, t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home, "LANG=C.UTF-8"}, env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = killAfter
	return cmd
}

// process is a program that runs beside the test. It is stopped when the test
// ends; if the test failed, its standard error is shown.
type process struct {
	name   string
	cmd    *exec.Cmd
	lines  chan string // of standard output; closed after the last
	done   chan struct{}
	err    error // of Wait; valid once done is closed
	stderr output
}

func startProcess(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{name: name, cmd: cmd, lines: make(chan string, 64), done: make(chan struct{})}
	stdout, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.lines)
		in := bufio.NewScanner(stdout)
		in.Buffer(nil, 1<<20)
		for in.Scan() {
			p.lines <- in.Text()
		}
		stdout.CloseWithError(in.Err())
	}()
	go func() {
		defer close(p.done)
		p.err = cmd.Wait()
		w.Close()
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s wrote to standard error:\n%s", name, p.stderr.tail())
		}
	})
	return p
}

// line returns the next line of standard output.
func (p *process) line(ctx context.Context, t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-p.lines:
		if ok {
			return line
		}
		<-p.done
		t.Fatalf("%s ended: %v", p.name, p.err)
	case <-ctx.Done():
		t.Fatalf("%s did not answer: %v", p.name, context.Cause(ctx))
	}
	return ""
}

// stop ends the program and returns how it ended.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(killAfter):
		p.cmd.Process.Kill()
		<-p.done
	}
	return p.err
}

// output keeps what a program writes while the test may ask for it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// tail returns the end, which is where programs say why they failed.
func (o *output) tail() string {
	const most = 8 << 10
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.buf.Bytes()
	return string(b[max(0, len(b)-most):])
}
