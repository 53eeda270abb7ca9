package main

import (
	"crypto/rand"
	"sync"

	"sundew/schema/event"
	"sundew/schema/wire"
)

// maxLanes bounds how many projects one numberer counts: keys that nobody vouches
// for may name any project they like.
const maxLanes = 10_000

// numberer numbers messages as one instance of the edge: for each project from 1
// upwards.
type numberer struct {
	instance wire.InstanceID
	last     map[event.ProjectID]uint64
}

// number gives a message its number.
func (n *numberer) number(m *wire.Message) {
	n.last[m.Project]++
	m.Instance, m.Seq = n.instance, n.last[m.Project]
}

// numberers keeps the books' promise: below a number that the queue acknowledged
// there is no other of its instance and project that did not arrive, and no number
// is ever given to two messages. Each message on its way has a numberer to itself. It
// is given back when the queue has acknowledged the message, and thrown away when
// that is in doubt: then its last number, arrived or not, is never followed by
// another. So no order between messages has to be kept, whatever fails.
type numberers struct {
	mu   sync.Mutex
	idle []*numberer // the one given back last is at the end; guarded by mu
}

// take returns a numberer that nobody else has.
func (p *numberers) take() *numberer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		taken := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return taken
	}
	n := &numberer{last: map[event.ProjectID]uint64{}}
	_, _ = rand.Read(n.instance[:]) // never fails
	return n
}

// giveBack makes a numberer's next number available.
func (p *numberers) giveBack(n *numberer) {
	if len(n.last) >= maxLanes {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, n)
}
