//go:build aws

package aws

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

const home = "eu-central-1"

// TestDigesterDown: while there is neither a digester nor its database, everything
// is accepted; when it is back, everything arrives once.
func TestDigesterDown(t *testing.T) {
	const events = 10_000
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	p.Terminate(t)

	f := startFront(t, c.Region(home), 4)
	var m testimony
	began := time.Now()
	f.send(t.Context(), &m, p.Key, events, 8)
	if n := m.count(http.StatusOK); n != events {
		t.Fatalf("%d of %d events were accepted", n, events)
	}
	t.Logf("accepted %d events in %v", events, time.Since(began).Round(time.Millisecond))
	if n := inQueue(t, c.Region(home)); n < events {
		t.Fatalf("%d messages are in the queue", n)
	}
	began = time.Now()
	p = startDigester(t, dir, c, home)
	b := p.settle(t, events)
	t.Logf("digested in %v", time.Since(began).Round(time.Millisecond))
	if b.Accepted != events || b.Digested != events || b.Duplicate != 0 || b.Lost != 0 {
		t.Errorf("the books after %d events: %+v", events, b)
	}
	p.Terminate(t)
	checkStored(t, dir, &m)
	mustRun(t, command(dir, c, "check"))
	if n := inQueue(t, c.Region(home)); n != 0 {
		t.Errorf("%d messages are left in the queue", n)
	}
}

// TestKilledEnvironments: what an environment answered before it was killed is in
// the queue, and what it had numbered and not sent leaves no gap.
func TestKilledEnvironments(t *testing.T) {
	const (
		events = 200 // between two looks at whether it is over
		kills  = 25
	)
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	f := startFront(t, c.Region(home), 4)
	var m testimony
	within := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; n < kills; {
			pause(time.Duration(rand.IntN(100)) * time.Millisecond)
			if all := f.Environments(); len(all) > 0 {
				victim := all[rand.IntN(len(all))]
				if victim.Busy() {
					within++
				}
				victim.Kill()
				n++
			}
		}
	}()
	for killing := true; killing; {
		f.send(t.Context(), &m, p.Key, events, 8)
		select {
		case <-done:
			killing = false
		default:
		}
	}

	ok, bad := m.count(http.StatusOK), m.count(http.StatusBadGateway)
	if ok+bad != len(m.told) {
		t.Errorf("%d events: %d accepted, %d without an answer of the function; want no others", len(m.told), ok, bad)
	}
	b := p.settle(t, ok)
	if b.Lost != 0 || b.DeadLetters != 0 || b.Accepted > int64(ok+bad) || b.Digested != b.Accepted {
		t.Errorf("the books after %d events answered 200 and %d answered 502: %+v", ok, bad, b)
	}
	p.Terminate(t)
	checkStored(t, dir, &m)
	mustRun(t, command(dir, c, "check"))
	t.Logf("%d kills, %d of them within a request; %d accepted, %d answered 502, of which %d arrived", kills, within, ok, bad, b.Accepted-int64(ok))
	if within == 0 || bad == 0 {
		t.Error("this was no violence: something that should have happened did not")
	}
}

// TestQueueFails: SQS fails for a while, in calls of which it does what they ask and
// in others. Clients are told, and numbers that were in doubt leave no gap.
func TestQueueFails(t *testing.T) {
	const events = 200
	dir, c := t.TempDir(), startCloud(t, home)
	p := startDigester(t, dir, c, home)
	f := startFront(t, c.Region(home), 3)
	var m testimony
	for range 3 {
		f.send(t.Context(), &m, p.Key, events, 6)
		c.Region(home).Queue.Fail("SendMessage", 15, true)
		c.Region(home).Queue.Fail("SendMessage", 15, false)
	}
	f.send(t.Context(), &m, p.Key, events, 6)

	ok, refused := m.count(http.StatusOK), m.count(http.StatusServiceUnavailable)
	b := p.settle(t, ok)
	if ok+refused != 4*events || refused == 0 || b.Accepted > 4*events || b.Lost != 0 || b.Duplicate != 0 {
		t.Errorf("%d answered 200, %d answered 503 of %d; the books: %+v", ok, refused, 4*events, b)
	}
	p.Terminate(t)
	checkStored(t, dir, &m)
	mustRun(t, command(dir, c, "check"))
	t.Logf("%d accepted, %d refused, of which %d arrived; %d came twice", ok, refused, b.Accepted-int64(ok), b.Redelivered)
}

// pause lets d pass: the random moments of a kill are the subject.
func pause(d time.Duration) { <-time.After(d) }
