package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sundew/infra/visitor"
)

// server is a digester that runs for one measurement.
type server struct {
	cmd     *exec.Cmd
	binary  string
	data    string
	addr    string
	key     string
	project string
}

// build builds the digester as a release would be.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "digester")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, "sundew/digester")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the digester: %w\n%s", err, out)
	}
	return binary, nil
}

var readyLine = regexp.MustCompile(`DSN: (http://\S+)`)

// start starts a digester on an empty directory and waits for its ready line.
func start(ctx context.Context, binary string) (*server, error) {
	data, err := os.MkdirTemp("", "sundew-bench-data-")
	if err != nil {
		return nil, err
	}
	s := &server{binary: binary, data: data}
	s.cmd = exec.CommandContext(ctx, binary, "serve")
	s.cmd.Env = append(append(os.Environ(), visitor.Env()...), "SUNDEW_DATA="+data, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=warn", "SUNDEW_RETENTION_EVENTS=0")
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the digester did not start: %w", err)
	}
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		s.stop()
		return nil, fmt.Errorf("no DSN in %q", line)
	}
	dsn, err := url.Parse(found[1])
	if err != nil {
		s.stop()
		return nil, err
	}
	s.addr, s.key, s.project = dsn.Host, dsn.User.Username(), strings.TrimPrefix(dsn.Path, "/")
	return s, nil
}

// stop ends the digester if it runs and removes its data.
func (s *server) stop() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	os.RemoveAll(s.data)
}

// books are the numbers of /ledger.json that matter here.
type books struct {
	Digested      int   `json:"digested"`
	Duplicate     int   `json:"duplicate"`
	InFlight      int   `json:"in_flight"`
	StoredEvents  int   `json:"stored_events"`
	DatabaseBytes int64 `json:"database_bytes"`
}

func (s *server) books(ctx context.Context) (books, error) {
	var b books
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/ledger.json", nil)
	if err != nil {
		return b, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return b, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return b, fmt.Errorf("/ledger.json answered %s", answer.Status)
	}
	return b, json.NewDecoder(answer.Body).Decode(&b)
}

// drained waits until so many events are readable and returns when that was.
func (s *server) drained(ctx context.Context, events int) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for {
		b, err := s.books(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if b.StoredEvents >= events {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%d of %d events after five minutes", b.StoredEvents, events)
		case <-every.C:
		}
	}
}

// cost returns the server's peak memory and the processor time it used.
func (s *server) cost() (rss int64, cpu time.Duration, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, fmt.Errorf("peak memory is read from /proc: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			if err != nil {
				return 0, 0, err
			}
			rss = kb << 10
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return rss, time.Duration(user+system) * time.Second / 100, nil
}

// finish checks that every event is there exactly once, stops the server and
// returns the bytes of database an event took.
func (s *server) finish(ctx context.Context, events int) (int64, error) {
	b, err := s.books(ctx)
	if err != nil {
		return 0, err
	}
	if b.StoredEvents != events || b.Duplicate != 0 || b.InFlight != 0 {
		return 0, fmt.Errorf("sent %d events, the books say %+v", events, b)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if err := s.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("the digester did not stop cleanly: %w", err)
	}
	check := exec.CommandContext(ctx, s.binary, "check")
	check.Env = append(os.Environ(), "SUNDEW_DATA="+s.data)
	if out, err := check.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return b.DatabaseBytes / int64(events), nil
}
