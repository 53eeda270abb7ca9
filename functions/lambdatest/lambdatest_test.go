package lambdatest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// TestMain makes the test binary behave as a function when it is started as one.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	switch os.Getenv("INIT") {
	case "fail":
		os.Exit(1)
	case "sigterm":
		lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
			fmt.Println("SIGTERM")
			os.Exit(0)
		}))
	default:
		lambda.Start(handle)
	}
}

// handle does what the path says.
func handle(ctx context.Context, e event) (response, error) {
	switch e.RawPath {
	case "/fail":
		return response{}, errors.New("it broke")
	case "/exit":
		os.Exit(3)
	case "/hang":
		select {} // Lambda kills it
	case "/slow":
		timer := time.NewTimer(100 * time.Millisecond)
		<-timer.C
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, ok := ctx.Deadline()
	if lc.AwsRequestID == "" || !strings.Contains(lc.InvokedFunctionArn, os.Getenv("AWS_REGION")) || !ok || time.Until(deadline) <= 0 {
		return response{}, fmt.Errorf("the context lacks something: %+v, %v", lc, deadline)
	}
	said, err := json.Marshal(said{PID: os.Getpid(), Body: e.Body, Region: os.Getenv("AWS_REGION")})
	return response{StatusCode: 201, Headers: map[string]string{"X-Said": "yes"}, Body: string(said)}, err
}

// said is what the function answers.
type said struct {
	PID          int
	Body, Region string
}

func newFunction(t *testing.T, cfg Config) *Function {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bootstrap = binary
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// call sends a request to the function's URL.
func call(f *Function, path string) (status int, s said) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", path, strings.NewReader("hello"))
	r.Header.Set("Content-Type", "text/plain")
	f.ServeHTTP(w, r)
	_ = json.NewDecoder(w.Body).Decode(&s) // a refusal says nothing of this
	return w.Code, s
}

// waitStopped waits until a process is stopped: the signal says so at once, the
// process is so a moment later.
func waitStopped(t *testing.T, pid int) {
	t.Helper()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	late := time.After(10 * time.Second)
	for stateOf(t, pid) != "T" {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("the state of the idle process is %s", stateOf(t, pid))
		}
	}
}

func TestInvoke(t *testing.T) {
	for _, freeze := range []bool{false, true} {
		t.Run(fmt.Sprintf("freeze=%v", freeze), func(t *testing.T) {
			f := newFunction(t, Config{Region: "eu-west-1", Concurrency: 2, Freeze: freeze})
			var first said
			for n := range 5 {
				status, s := call(f, "/")
				if status != 201 || s.Body != "hello" || s.Region != "eu-west-1" {
					t.Fatalf("answered %d, %+v", status, s)
				}
				if n == 0 {
					first = s
				}
				waitIdle(t, f)
				if s != first {
					t.Errorf("another environment answered although one was idle: %+v, %+v", first, s)
				}
				if freeze {
					waitStopped(t, s.PID)
				} else if state := stateOf(t, s.PID); state == "T" {
					t.Error("the idle process is stopped")
				}
			}
			if len(f.Inits()) != 1 || f.Inits()[0] <= 0 {
				t.Errorf("inits: %v", f.Inits())
			}
			f.Close()
			if stateOf(t, first.PID) != "" {
				t.Error("the process is still there after Close")
			}
			if status, _ := call(f, "/"); status != http.StatusServiceUnavailable {
				t.Errorf("answered %d after Close", status)
			}
		})
	}
}

// waitIdle waits until no environment is busy.
func waitIdle(t *testing.T, f *Function) {
	t.Helper()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	late := time.After(10 * time.Second)
	for {
		busy := false
		for _, e := range f.Environments() {
			busy = busy || e.Busy()
		}
		if !busy {
			return
		}
		select {
		case <-every.C:
		case <-late:
			t.Fatal("an environment stays busy")
		}
	}
}

// stateOf returns the letter that Linux has for a process's state, "" if there is
// none.
func stateOf(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[0]
}

func TestScaleOut(t *testing.T) {
	f := newFunction(t, Config{Concurrency: 3})
	var mu sync.Mutex
	pids := map[int]int{}
	var all sync.WaitGroup
	for range 9 {
		all.Go(func() {
			status, s := call(f, "/slow")
			mu.Lock()
			defer mu.Unlock()
			pids[s.PID]++
			if status != 201 {
				t.Errorf("answered %d", status)
			}
		})
	}
	all.Wait()
	if len(pids) != 3 || len(f.Environments()) != 3 {
		t.Errorf("answers by process: %v; environments: %d; want 3", pids, len(f.Environments()))
	}
}

func TestFunctionErrors(t *testing.T) {
	f := newFunction(t, Config{Timeout: 2 * time.Second})
	_, before := call(f, "/")
	if status, _ := call(f, "/fail"); status != http.StatusBadGateway {
		t.Errorf("an error was answered %d", status)
	}
	if _, s := call(f, "/"); s.PID != before.PID {
		t.Error("an error ended the environment")
	}
	for _, path := range []string{"/exit", "/hang"} {
		_, before := call(f, "/")
		if status, _ := call(f, path); status != http.StatusBadGateway {
			t.Errorf("%s was answered %d", path, status)
		}
		if status, s := call(f, "/"); status != 201 || s.PID == before.PID {
			t.Errorf("after %s: answered %d, same environment: %v", path, status, s.PID == before.PID)
		}
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"rawPath":"/fail"}`)); !errors.Is(err, ErrFunction) || !strings.Contains(err.Error(), "it broke") {
		t.Errorf("Invoke: %v", err)
	}
}

func TestInitFails(t *testing.T) {
	f := newFunction(t, Config{Env: []string{"INIT=fail"}})
	for range 2 { // the slot is free again
		if _, err := f.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, ErrExit) {
			t.Errorf("Invoke: %v", err)
		}
	}
}

func TestKill(t *testing.T) {
	f := newFunction(t, Config{Freeze: true})
	_, first := call(f, "/")
	waitIdle(t, f)
	f.Environments()[0].Kill()
	status, second := call(f, "/")
	if status != 201 || second.PID == first.PID || stateOf(t, first.PID) != "" {
		t.Errorf("after a kill between requests: %d, %+v, was %+v", status, second, first)
	}
	waitIdle(t, f)
	answered := make(chan int)
	go func() {
		status, _ := call(f, "/hang")
		answered <- status
	}()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for !f.Environments()[0].Busy() {
		<-every.C
	}
	f.Environments()[0].Kill()
	if status := <-answered; status != http.StatusBadGateway {
		t.Errorf("a kill within a request was answered %d", status)
	}
	if status, _ := call(f, "/"); status != 201 {
		t.Errorf("after it: %d", status)
	}
}

// A program that asks for SIGTERM gets it, frozen as it may be.
func TestRecycle(t *testing.T) {
	r, w := io.Pipe()
	f := newFunction(t, Config{Freeze: true, Env: []string{"INIT=sigterm"}, Log: w})
	if status, _ := call(f, "/"); status != 201 {
		t.Fatalf("answered %d", status)
	}
	waitIdle(t, f)
	go func() {
		f.Recycle()
		w.Close()
	}()
	if log, err := io.ReadAll(r); err != nil || !strings.Contains(string(log), "SIGTERM") {
		t.Errorf("the program wrote %q, %v", log, err)
	}
	if len(f.Environments()) != 0 {
		t.Error("an environment is left")
	}
}

func TestBrokenRequest(t *testing.T) {
	f := newFunction(t, Config{})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("POST", "/", iotest.ErrReader(io.ErrUnexpectedEOF)))
	if w.Code != http.StatusBadGateway || len(f.Environments()) != 0 {
		t.Errorf("answered %d with %d environments", w.Code, len(f.Environments()))
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []Config{{}, {Bootstrap: "x", Concurrency: -1}, {Bootstrap: "x", Timeout: -1}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	f, err := New(Config{Bootstrap: "/does/not/exist"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		if _, err := f.Invoke(t.Context(), nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Invoke: %v", err)
		}
	}
}
