package lambdatest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"time"
)

// patience is how long a process has between SIGTERM and SIGKILL: what Lambda
// grants a function that asked for SIGTERM.
const patience = 500 * time.Millisecond

// Environment is one process of the function, which handles one event at a time.
type Environment struct {
	function *Function
	cmd      *exec.Cmd
	api      *http.Server
	began    time.Time
	first    chan struct{}    // closed when it asks for its first event
	events   chan *invocation // to the request for the next event
	ended    chan struct{}    // closed when the process is gone

	busy bool // has an event or starts for one, and so a slot; guarded by function.mu
	dead bool // guarded by function.mu

	current *invocation // answered by the process; guarded by function.mu
}

// invocation is one event on its way.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answered chan answer // takes one
}

// answer is what the process said to an event.
type answer struct {
	body []byte
	err  error
}

// startEnvironment starts a process that will ask its Runtime API for events. The
// caller holds a slot for it.
func startEnvironment(f *Function, number int) (*Environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Environment{
		function: f, busy: true,
		first: make(chan struct{}), events: make(chan *invocation), ended: make(chan struct{}),
	}
	e.api = &http.Server{Handler: e.runtimeAPI(), ReadHeaderTimeout: time.Minute}
	e.cmd = exec.Command(f.cfg.Bootstrap)
	e.cmd.Env = environ(f.cfg, listener.Addr().String(), number)
	e.cmd.Stdout, e.cmd.Stderr = f.cfg.Log, f.cfg.Log
	e.cmd.SysProcAttr = dieWithParent()
	e.began = time.Now()
	if err := e.cmd.Start(); err != nil {
		listener.Close()
		return nil, err
	}
	go func() { _ = e.api.Serve(listener) }() // until it is closed
	go func() {
		_ = e.cmd.Wait() // however it ended, it is gone
		e.api.Close()
		f.bury(e)
		close(e.ended)
	}()
	return e, nil
}

// environ is what Lambda puts into the environment, and then the function's own
// configuration: of several values of a name the last one counts.
func environ(cfg Config, api string, number int) []string {
	return append([]string{
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"LAMBDA_TASK_ROOT=/var/task",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"_HANDLER=bootstrap",
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=function",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/function",
		fmt.Sprintf("AWS_LAMBDA_LOG_STREAM_NAME=%06d", number),
		"AWS_LAMBDA_LOG_FORMAT=JSON",
		"AWS_REGION=" + cfg.Region,
		"AWS_DEFAULT_REGION=" + cfg.Region,
		"AWS_ACCESS_KEY_ID=EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example",
		"AWS_SESSION_TOKEN=example",
	}, cfg.Env...)
}

// invoke hands an event to the process and waits for its answer, whoever still
// waits for that: Lambda does not break an invocation off either.
func (e *Environment) invoke(payload []byte) ([]byte, error) {
	f := e.function
	call := &invocation{id: newUUID(), payload: payload, deadline: time.Now().Add(f.cfg.Timeout), answered: make(chan answer, 1)}
	f.mu.Lock()
	e.current = call
	f.mu.Unlock()
	ctx, cancel := context.WithDeadline(context.Background(), call.deadline)
	defer cancel()
	if f.cfg.Freeze {
		_ = thaw(e.cmd.Process) // it may have ended: that is noticed below
	}
	select {
	case e.events <- call:
	case <-e.ended:
		return nil, ErrExit
	case <-ctx.Done():
		e.Kill()
		return nil, ErrTimeout
	}
	select {
	case a := <-call.answered:
		return a.body, a.err
	case <-e.ended:
	case <-ctx.Done():
		e.Kill()
		return nil, ErrTimeout
	}
	select {
	case a := <-call.answered: // its last words
		return a.body, a.err
	default:
		return nil, ErrExit
	}
}

// Busy reports whether the environment handles an event or starts to.
func (e *Environment) Busy() bool {
	e.function.mu.Lock()
	defer e.function.mu.Unlock()
	return e.busy
}

// PID returns the number of the process.
func (e *Environment) PID() int { return e.cmd.Process.Pid }

// Kill ends the process without a warning, in the middle of an event if it has one,
// and returns when it is gone.
func (e *Environment) Kill() {
	e.function.bury(e)
	_ = e.cmd.Process.Kill() // it may have ended
	<-e.ended
}

// terminate asks the process to end, and kills it if it does not in time.
func (e *Environment) terminate() {
	e.function.bury(e)
	_ = terminate(e.cmd.Process) // it may have ended
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-e.ended:
	case <-timer.C:
		e.Kill()
	}
}
