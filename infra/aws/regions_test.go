//go:build aws

package aws

import (
	"net/http"
	"testing"
)

// TestRegionAway: the digester cannot reach one of two regions. Both accept; the
// events of the other one are seen as ever, those of the one when it is back.
func TestRegionAway(t *testing.T) {
	const far, events = "us-east-1", 300
	dir, c := t.TempDir(), startCloud(t, home, far)
	p := startDigester(t, dir, c, home, far)
	near, away := startFront(t, c.Region(home), 2), startFront(t, c.Region(far), 2)
	var m testimony

	away.send(t.Context(), &m, p.Key, events, 4)
	near.send(t.Context(), &m, p.Key, events, 4)
	p.settle(t, 2*events)

	c.Region(far).CutOff(true)
	away.send(t.Context(), &m, p.Key, events, 4)
	near.send(t.Context(), &m, p.Key, events, 4)
	if n := m.count(http.StatusOK); n != 4*events {
		t.Fatalf("%d of %d events were accepted", n, 4*events)
	}
	eventually(t, "the region that is there is digested", func() bool { return p.books(t).Digested >= 3*events })
	if status, page := p.get(t, "/ledger.json"); status != http.StatusOK || p.books(t).Digested != 3*events {
		t.Errorf("while a region is away: %d, %s", status, page)
	}
	if n := inQueue(t, c.Region(far)); n < events {
		t.Errorf("%d messages wait in the region that is away", n)
	}

	c.Region(far).CutOff(false)
	b := p.settle(t, 4*events)
	if b.Digested != 4*events || b.Duplicate != 0 || b.Lost != 0 {
		t.Errorf("the books after %d events: %+v", 4*events, b)
	}
	p.Terminate(t)
	checkStored(t, dir, &m)
	mustRun(t, command(dir, c, "check"))
}
