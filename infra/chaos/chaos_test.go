//go:build chaos

// Package chaos proves the guarantees under violence: the built program is killed
// at random moments under load, with duplicates, poison, reordered messages and a
// disk that takes no more, and at the end the books balance to the event.
//
// It is a package of tests only. They run the program as an operator does, judge
// it by what its clients were told, and look at its files while it does not run.
// What fails inside of the program, each failure applied and not applied, is
// tested where it happens (digester/digest, digester/queue/local); here is what
// only a process has: signals, limits, system calls. The tag chaos keeps it out
// of `go test ./...`:
//
//	infra/chaos/setup.sh && go test -tags chaos -count=1 ./infra/chaos
//
// CHAOS_SEED repeats a run as far as chance can be repeated, CHAOS_BINARY takes
// the place of the program, to see that the tests notice when it is broken.
package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// executable is the program; TestMain sets it before any test runs.
var executable string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	if executable = os.Getenv("CHAOS_BINARY"); executable != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sundew-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	executable = filepath.Join(dir, "digester")
	build := exec.Command("go", "build", "-o", executable, "sundew/digester")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	kills = 54

	// roundEvents bounds what the clients send before a kill.
	roundEvents = 600
)

// TestChaos kills the program again and again, then counts.
func TestChaos(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CHAOS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CHAOS_SEED=%d", seed)
	c := &chaos{t: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0)), seed: seed, testimony: newTestimony()}
	for round := range kills {
		c.round(round)
		c.betweenRounds(round)
	}
	c.finish()
}

// chaos is one run of the test.
type chaos struct {
	t         *testing.T
	dir       string
	seed      uint64
	random    *rand.Rand
	testimony *testimony
	poison    poison
	shuffled  int
	squeezed  int
}

// round is one life of the program. In some it has the time to catch up first:
// the queue gives up a message that is delivered in eight lives which are all too
// short to digest it, and then would be right to.
func (c *chaos) round(round int) {
	p := start(c.t, command(c.dir, nil, "serve"))
	if round%4 == 3 {
		eventually(c.t, "the program has caught up", func() bool {
			b, ok := p.books()
			return ok && b.InFlight <= c.poison.left
		})
	}
	l := startLoad(c.t, p, c.testimony, c.seed+uint64(round), roundEvents)
	defer l.stop()
	pause(time.Duration(c.random.IntN(250)) * time.Millisecond)
	if round%6 == 5 {
		c.squeeze(p, round%12 == 11)
		pause(time.Duration(c.random.IntN(100)) * time.Millisecond)
	}
	p.MustRun(c.t)
	p.Kill()
}

// squeeze lets every write fail: at once, or from somewhere inside of the WAL on,
// which is the middle of a transaction. If the program is to survive, it has to
// refuse, and to recover when the disk does; else it is killed while it cannot
// write.
func (c *chaos) squeeze(p *program, survive bool) {
	t := c.t
	t.Helper()
	limit := uint64(0)
	if info, err := os.Stat(filepath.Join(c.dir, "queue.db-wal")); err == nil && !survive {
		limit = uint64(c.random.Int64N(info.Size() + 1))
	}
	p.limitWrites(t, limit)
	c.squeezed++
	if !survive {
		return
	}
	probe := c.testimony.choose(c.random)
	send := func() int {
		status := p.reportWithFile(t.Context(), probe, "is there room?")
		c.testimony.note(probe, status)
		return status
	}
	eventually(t, "intake refuses", func() bool { return send() == http.StatusServiceUnavailable })
	eventually(t, "the health page says so", func() bool {
		r, ok := p.ready()
		return !ok && r.Intake != "" && r.Intake != "ok" && r.Advice != ""
	})
	p.limitWrites(t, unix.RLIM_INFINITY)
	eventually(t, "intake accepts again", func() bool { return send() == http.StatusOK })
	eventually(t, "the health page is content", func() bool {
		_, ok := p.ready()
		return ok
	})
}

// betweenRounds does to the files what the network and hostile clients may do to
// the queue. Nothing but the recovery at the next start helps afterwards.
func (c *chaos) betweenRounds(round int) {
	if round%9 == 4 {
		mustCheck(c.t, command(c.dir, nil, "check"))
	}
	if round%5 == 2 {
		c.poison.add(c.t, c.dir, c.random)
	}
	if round%2 == 1 {
		c.shuffled += shuffle(c.t, c.dir, c.random)
	}
}

// finish lets the program come to rest and compares what it has with what its
// clients were told.
func (c *chaos) finish() {
	t := c.t
	p := start(t, command(c.dir, nil, "serve"))
	var b books
	defer func() {
		if t.Failed() {
			t.Logf("the last books: %+v; poison: %+v", b, c.poison)
		}
	}()
	eventually(t, "nothing but poison is in the queue", func() (ok bool) {
		b, ok = p.books()
		return ok && b.InFlight <= c.poison.left
	})
	p.Terminate(t)
	for _, name := range []string{"sundew.db-wal", "queue.db-wal"} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err == nil {
			t.Errorf("%s is still there: its database was not closed", name)
		}
	}
	bury(t, c.dir)
	p = start(t, command(c.dir, nil, "serve"))
	var ok bool
	if b, ok = p.books(); !ok {
		t.Fatal("the books cannot be read")
	}
	p.Terminate(t)
	mustCheck(t, command(c.dir, nil, "check"))

	stored, files := storedEvents(t, c.dir), storedFiles(t, c.dir)
	checkStored(t, c.testimony, "event", stored)
	checkStored(t, c.testimony, "attachment of", files)
	checkBooks(t, b, c.poison, int64(len(stored)+len(files)), c.testimony)
	sum := c.testimony.total()
	t.Logf("%d kills, %d times no writes; %d answered 200, %d refused, %d without an answer; %d stored, %d duplicates, %d dropped, %d dead letters, %d redelivered, %d shuffled",
		kills, c.squeezed, sum.accepted, sum.refused, sum.nothing, b.Digested, b.Duplicate, c.poison.badJSON+c.poison.badBody, b.DeadLetters, b.Redelivered, c.shuffled)
	if sum.accepted < 5*kills || sum.refused == 0 || b.Duplicate == 0 || b.Redelivered == 0 || c.shuffled == 0 {
		t.Error("this was no chaos: something that should have happened did not")
	}
}

// checkStored compares event by event, or attachment by attachment.
func checkStored(t *testing.T, m *testimony, what string, stored map[string]int) {
	t.Helper()
	for id, told := range m.told {
		switch n := stored[id]; {
		case told.accepted > 0 && n == 0:
			t.Errorf("%s %s was answered 200 and is gone", what, id)
		case n > 1:
			t.Errorf("%s %s is stored %d times", what, id, n)
		}
	}
	for id := range stored {
		if m.told[id] == (told{}) {
			t.Errorf("%s %s is stored and was never sent", what, id)
		}
	}
}

// checkBooks compares the sums. Only an answer that never came leaves open
// whether its message was accepted; one refused was not, unless the process died
// before the same room of the WAL was written again.
func checkBooks(t *testing.T, b books, bad poison, stored int64, m *testimony) {
	t.Helper()
	dropped := int64(0)
	for _, n := range b.Dropped {
		dropped += n
	}
	if b.Accepted != b.Digested+b.Duplicate+dropped+b.InFlight {
		t.Errorf("the books do not balance: %+v", b)
	}
	if b.Digested != stored {
		t.Errorf("%d events and attachments are stored, the books say %d", stored, b.Digested)
	}
	if b.DeadLetters != bad.left || b.InFlight != bad.left {
		t.Errorf("%d dead letters and %d in flight, want %d of poison", b.DeadLetters, b.InFlight, bad.left)
	}
	if b.Dropped["bad_json"] != bad.badJSON || b.Dropped["bad_body"] != bad.badBody || dropped != bad.badJSON+bad.badBody {
		t.Errorf("dropped %v, want %+v", b.Dropped, bad)
	}
	sum := m.total()
	healthy := b.Accepted - bad.left - dropped
	if healthy < 2*sum.accepted || healthy > 2*(sum.accepted+sum.nothing+sum.refused) { // an event and its file
		t.Errorf("%d accepted; the clients were told 200 %d times, 503 %d times and nothing %d times", healthy, sum.accepted, sum.refused, sum.nothing)
	}
}
