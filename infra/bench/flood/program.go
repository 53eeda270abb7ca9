package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"sundew/infra/visitor"
)

// program is the program for one measurement.
type program struct {
	dir    string
	binary string
	env    []string
	cmd    *exec.Cmd
	url    string
	first  string       // the DSN of the project that is flooded
	owner  *http.Client // signed in
	client *http.Client // of the load
}

var readyLine = regexp.MustCompile(`Dashboard: (http://\S+)/  DSN: (http://\S+)`)

// startProgram builds the program and starts it on an empty directory.
func startProgram(ctx context.Context) (*program, error) {
	dir, err := os.MkdirTemp("", "sundew-flood-")
	if err != nil {
		return nil, err
	}
	p := &program{
		dir: dir, binary: filepath.Join(dir, "digester"), owner: visitor.New(),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}},
		env:    append(append(os.Environ(), visitor.Env()...), "SUNDEW_DATA="+filepath.Join(dir, "data"), "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=error"),
	}
	if err := p.start(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *program) start(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", p.binary, "sundew/digester").CombinedOutput(); err != nil {
		return fmt.Errorf("building the digester: %w\n%s", err, out)
	}
	p.cmd = exec.CommandContext(ctx, p.binary, "serve")
	p.cmd.Env, p.cmd.Stderr = p.env, os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the digester did not start: %w", err)
	}
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		return fmt.Errorf("no DSN in %q", line)
	}
	p.url, p.first = found[1], found[2]
	return visitor.SignIn(ctx, p.owner, p.url)
}

// stop ends the program if it runs and removes its data.
func (p *program) stop() {
	if p.cmd != nil && p.cmd.Process != nil && p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
	os.RemoveAll(p.dir)
}

// createProject makes a project and returns its DSN.
func (p *program) createProject(ctx context.Context, name string) (string, error) {
	cmd := exec.CommandContext(ctx, p.binary, "project", "create", name)
	cmd.Env = append(p.env, "SUNDEW_URL="+p.url)
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// limit sets the first project's limit of events in five minutes, as its admin does.
func (p *program) limit(ctx context.Context, events int) error {
	form := url.Values{"events-minutes": {fmt.Sprint(events)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/projects/1/settings/limits", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := p.owner.Do(req)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("setting the limit was answered %s", answer.Status)
	}
	return nil
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// report sends an event with an id and returns the answer's status.
func (p *program) report(ctx context.Context, dsn, id, message string) (int, error) {
	at, err := url.Parse(dsn)
	if err != nil {
		return 0, err
	}
	body := fmt.Sprintf(`{"event_id":%q,"message":%q,"platform":"other","release":"shop@1.0","extra":{"pad":%q}}`, id, message, strings.Repeat("x", 2000))
	to := fmt.Sprintf("%s/api%s/store/?sentry_key=%s", p.url, at.Path, at.User.Username())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	answer, err := p.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// probe sends events one after the other and returns how long each took from being
// sent to its page being there.
func (p *program) probe(ctx context.Context, dsn string, during time.Duration) (took []time.Duration, err error) {
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	p.owner.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for end := time.Now().Add(during); time.Now().Before(end); <-every.C {
		id, began := newID(), time.Now()
		if status, err := p.report(ctx, dsn, id, "probe"); err != nil || status != http.StatusOK {
			return took, fmt.Errorf("an event of the other project was answered %d, %w", status, err)
		}
		for {
			answer, err := p.owner.Get(p.url + "/events/" + id)
			if err != nil {
				return took, err
			}
			answer.Body.Close()
			if answer.StatusCode < http.StatusBadRequest {
				break
			}
			<-look.C
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// check stops the program and verifies every invariant of what it leaves.
func (p *program) check(ctx context.Context) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the digester did not stop cleanly: %w", err)
	}
	check := exec.CommandContext(ctx, p.binary, "check")
	check.Env = p.env
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}
