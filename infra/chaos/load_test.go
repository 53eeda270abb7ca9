//go:build chaos

package chaos

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const senders = 4

// testimony is what the clients were told.
type testimony struct {
	mu   sync.Mutex
	ids  []string        // of every event ever sent; guarded by mu
	told map[string]told // guarded by mu
}

// told is what the answers to one event were. Who got no answer knows nothing.
type told struct{ accepted, refused, nothing int64 }

func newTestimony() *testimony { return &testimony{told: make(map[string]told)} }

// choose returns the id of a new event or, one time in five, of one sent before,
// in this round or long ago.
func (m *testimony) choose(r *rand.Rand) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ids) > 0 && r.IntN(5) == 0 {
		return m.ids[r.IntN(len(m.ids))]
	}
	var id [16]byte
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	text := hex.EncodeToString(id[:])
	m.ids = append(m.ids, text)
	return text
}

func (m *testimony) note(id string, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := m.told[id]
	switch status {
	case http.StatusOK:
		seen.accepted++
	case http.StatusServiceUnavailable:
		seen.refused++
	case noAnswer:
		seen.nothing++
	}
	m.told[id] = seen
}

func (m *testimony) total() (sum told) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.told {
		sum.accepted += s.accepted
		sum.refused += s.refused
		sum.nothing += s.nothing
	}
	return sum
}

// load sends events from several clients until the program is gone, stop is
// called or so many were sent. An answer other than 200 and 503 fails the test.
type load struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	left   atomic.Int64
}

func startLoad(t *testing.T, p *program, m *testimony, seed uint64, most int64) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel}
	l.left.Store(most)
	for s := range uint64(senders) {
		l.all.Go(func() {
			r := rand.New(rand.NewPCG(seed, s))
			for ctx.Err() == nil && l.left.Add(-1) >= 0 {
				id := m.choose(r)
				status := p.reportWithFile(ctx, id, message(r))
				m.note(id, status)
				switch status {
				case http.StatusOK, http.StatusServiceUnavailable:
				case noAnswer, notSent: // it was killed, or a test waits in vain for a program that hangs
					return
				default:
					t.Errorf("event %s was answered %d", id, status)
				}
			}
		})
	}
	return l
}

// stop ends the clients. What they were told is then in the testimony.
func (l *load) stop() {
	l.cancel()
	l.all.Wait()
}

// message makes events of some dozen issues and of all sizes up to some KB, of
// which a part does not compress.
func message(r *rand.Rand) string {
	noise := make([]byte, r.IntN(1500))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	return fmt.Sprintf("order failed in step %s: %s %s", string(rune('a'+r.IntN(26))), strings.Repeat("x", r.IntN(500)), hex.EncodeToString(noise))
}
