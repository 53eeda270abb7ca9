//go:build chaos

package chaos

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk is a small file system that only the program sees. Where the
// system lets nobody mount one, a limit on the size of files takes its place:
// that is an I/O error in place of a full disk, and has to end the same way.
type smallDisk struct {
	dir     string   // of the data, as the program sees it
	wrapper []string // what the program is run with
	ballast string   // path of a file that fills it, as we see it; empty: there is no such disk
}

func newSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	dir := t.TempDir()
	holder := exec.Command("unshare", "--user", "--map-root-user", "--mount",
		"sh", "-c", `mount -t tmpfs -o size=96m tmpfs "$0" && echo mounted && exec cat`, dir)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err == nil {
		t.Cleanup(func() {
			in.Close()
			_ = holder.Wait() // it ends with its input
		})
		if line, _ := bufio.NewReader(out).ReadString('\n'); line == "mounted\n" {
			pid := fmt.Sprint(holder.Process.Pid)
			return &smallDisk{
				dir:     dir,
				wrapper: []string{"nsenter", "--target", pid, "--user", "--mount", "--preserve-credentials", "--"},
				ballast: filepath.Join("/proc", pid, "root", dir, "ballast"),
			}
		}
	}
	t.Log("this system lets us mount nothing: the disk is not full but broken")
	return &smallDisk{dir: dir}
}

func (d *smallDisk) fill(t *testing.T, p *program) {
	t.Helper()
	if d.ballast == "" {
		p.limitWrites(t, 0)
		return
	}
	f, err := os.Create(d.ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); err == nil {
		t.Fatal("the disk does not get full")
	}
}

func (d *smallDisk) empty(t *testing.T, p *program) {
	t.Helper()
	if d.ballast == "" {
		p.limitWrites(t, unix.RLIM_INFINITY)
		return
	}
	if err := os.Remove(d.ballast); err != nil {
		t.Fatal(err)
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestFullDisk fills the disk under load, again and again, once with a kill
// while it is full: intake refuses and does not hang, digesting is held, the
// health page says both, and when there is room everything goes on by itself.
func TestFullDisk(t *testing.T) {
	disk := newSmallDisk(t)
	m := newTestimony()
	random := rand.New(rand.NewPCG(1, 2))
	p := start(t, command(disk.dir, disk.wrapper, "serve"))
	for round := range 3 {
		l := startLoad(t, p, m, uint64(round), 1<<20)
		eventually(t, "something is digested", func() bool {
			b, ok := p.books()
			return ok && b.Digested > int64(100*(round+1))
		})
		disk.fill(t, p)
		waitUntilFull(t, p, m, random)
		l.stop()
		p.MustRun(t)
		if round == 1 {
			p.Kill()
			disk.empty(t, p)
			p = start(t, command(disk.dir, disk.wrapper, "serve"))
		} else {
			disk.empty(t, p)
		}
		eventually(t, "the health page is content and the queue empty", func() bool {
			_, ready := p.ready()
			b, ok := p.books()
			return ready && ok && b.InFlight == 0
		})
		id := m.choose(random)
		status := p.reportWithFile(t.Context(), id, "is there room?")
		if m.note(id, status); status != http.StatusOK {
			t.Fatalf("there is room, and intake answers %d", status)
		}
	}
	eventually(t, "the queue is empty", func() bool {
		b, ok := p.books()
		return ok && b.InFlight == 0
	})
	b, _ := p.books()
	p.signIn(t)
	for id, told := range m.told {
		var page struct{}
		if status, _ := p.get("/events/"+id, &page); told.accepted > 0 && status != http.StatusOK {
			t.Errorf("event %s was answered 200 and is gone: its page answers %d", id, status)
		}
	}
	p.Terminate(t)
	mustCheck(t, command(disk.dir, disk.wrapper, "check"))
	sum := m.total()
	checkBooks(t, b, poison{}, b.Digested, m)
	t.Logf("%d answered 200, %d refused, %d without an answer; books %+v", sum.accepted, sum.refused, sum.nothing, b)
}

// waitUntilFull waits until intake refuses and the health page says everything
// that an operator has to know.
func waitUntilFull(t *testing.T, p *program, m *testimony, r *rand.Rand) {
	t.Helper()
	var last readiness
	eventually(t, "intake refuses", func() bool {
		id := m.choose(r)
		status := p.reportWithFile(t.Context(), id, "is there room?")
		m.note(id, status)
		return status == http.StatusServiceUnavailable
	})
	// With nothing in the queue there is nothing to hold.
	eventually(t, "the health page says that intake refuses and digesting is held", func() bool {
		var ok bool
		last, ok = p.ready()
		return !ok && last.Intake != "ok" && (last.Digester != "ok" || last.InFlight == 0) && last.Advice != ""
	})
	t.Logf("health: %+v", last)
}
