package digest

import (
	"crypto/sha256"
	"sync"
)

// maxLeftovers bounds how many messages a digester remembers the trouble of.
const maxLeftovers = 1000

// leftovers remembers why messages were left in the queue, for people who find
// them among its dead letters. It knows what happened in this process only.
type leftovers struct {
	mu   sync.Mutex
	last map[[sha256.Size]byte]error // by the message's hash; guarded by mu
}

func (l *leftovers) note(body []byte, err error) {
	key := sha256.Sum256(body)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil || len(l.last) >= maxLeftovers {
		l.last = make(map[[sha256.Size]byte]error)
	}
	l.last[key] = err
}

// LastError returns why a message was left in the queue when it was last
// delivered to this digester; nil: it never was, or that is forgotten. body is
// the message as the queue delivered it.
func (d *Digester) LastError(body []byte) error {
	key := sha256.Sum256(body)
	d.left.mu.Lock()
	defer d.left.mu.Unlock()
	return d.left.last[key]
}
