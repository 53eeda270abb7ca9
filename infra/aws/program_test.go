//go:build aws

package aws

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sundew/infra/aws/cloud"
	"sundew/infra/process/processtest"
	"sundew/infra/visitor"
)

// Bounds of everything that is waited for. What a digester had received when it lost
// its queue comes again after a minute.
const (
	answersWithin = 15 * time.Second
	happensWithin = 100 * time.Second
)

// program is the digester in a process of its own.
type program struct {
	*processtest.Process
	owner  *http.Client // signed in
	queues []*cloud.Region
}

// command returns the digester with arguments on a data directory and, unless it is
// nil, a cloud. It inherits nothing that could lead out of this machine.
func command(dir string, c *cloud.Cloud, args ...string) *exec.Cmd {
	cmd := exec.Command(digester, args...)
	cmd.Env = append(visitor.Env(), "PATH="+os.Getenv("PATH"), "HOME="+dir, "SUNDEW_DATA="+dir, "SUNDEW_LISTEN=127.0.0.1:0", "SUNDEW_LOG_LEVEL=warn")
	if c != nil {
		cmd.Env = append(cmd.Env, c.DigesterEnv()...)
	}
	return cmd
}

// start starts the program and waits until it is ready.
func start(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{Process: processtest.Start(t, cmd), owner: visitor.New()}
	if err := visitor.SignIn(t.Context(), p.owner, p.URL); err != nil {
		t.Fatal(err)
	}
	return p
}

// startDigester starts the digester of a cloud and waits until its keys are in every
// bucket.
func startDigester(t *testing.T, dir string, c *cloud.Cloud, regions ...string) *program {
	t.Helper()
	p := start(t, command(dir, c, "serve"))
	for _, name := range regions {
		p.queues = append(p.queues, c.Region(name))
		eventually(t, "the keys are published in "+name, func() bool { return len(objects(t, c.Region(name), "keys/")) == 1 })
	}
	return p
}

// objects returns the keys of a bucket's objects.
func objects(t *testing.T, r *cloud.Region, prefix string) []string {
	t.Helper()
	keys, err := r.Objects(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// inQueue returns how many messages are in a region's queue.
func inQueue(t *testing.T, r *cloud.Region) int {
	t.Helper()
	n, err := r.Waiting()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// get returns the status of a page and what is on it.
func (p *program) get(t *testing.T, path string) (int, string) {
	t.Helper()
	answer, err := p.owner.Get(p.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(page)
}

// books are the numbers of /ledger.json.
type books struct {
	Accepted    int64                       `json:"accepted"`
	Digested    int64                       `json:"digested"`
	Duplicate   int64                       `json:"duplicate"`
	Dropped     map[string]int64            `json:"dropped"`
	InFlight    int64                       `json:"in_flight"`
	DeadLetters int64                       `json:"dead_letters"`
	Lost        int64                       `json:"lost"`
	Redelivered int64                       `json:"redelivered"`
	Edge        map[string]map[string]int64 `json:"edge"`
}

func (p *program) books(t *testing.T) (b books) {
	t.Helper()
	status, page := p.get(t, "/ledger.json")
	if status != http.StatusOK {
		t.Fatalf("/ledger.json answered %d", status)
	}
	if err := json.Unmarshal([]byte(page), &b); err != nil {
		t.Fatal(err)
	}
	dropped := int64(0)
	for _, n := range b.Dropped {
		dropped += n
	}
	if b.Accepted != b.Digested+b.Duplicate+dropped+b.InFlight {
		t.Fatalf("the books do not balance: %+v", b)
	}
	return b
}

// settle waits until the queues are empty, at least so many events are accepted, and
// nothing is in flight, which a number that is missing would be.
func (p *program) settle(t *testing.T, accepted int) books {
	t.Helper()
	var b books
	defer func() {
		if t.Failed() {
			t.Logf("the last books: %+v", b)
		}
	}()
	eventually(t, "everything is digested", func() bool {
		waiting := 0
		for _, r := range p.queues {
			waiting += inQueue(t, r)
		}
		b = p.books(t)
		return waiting == 0 && b.InFlight == 0 && b.Accepted >= int64(accepted)
	})
	return b
}

// mustRun runs a command of the digester to its end.
func mustRun(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args[1:], " "), err, out)
	}
}

// eventually polls until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	processtest.Eventually(t, happensWithin, what, ok)
}
