// Package process is what is common to all that starts other programs: servers
// beside a measurement, and the product in a test.
package process

import (
	"bytes"
	"sync"
)

// tailBytes is how much a Tail keeps.
const tailBytes = 16 << 10

// Tail keeps the end of what is written to it, which is where programs say why
// they failed. Its zero value is ready, and it is safe for concurrent use.
type Tail struct {
	mu  sync.Mutex
	buf []byte // guarded by mu
}

// Write implements io.Writer; it never fails.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-tailBytes):]
	return len(p), nil
}

// String returns what is kept, as valid UTF-8.
func (t *Tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.ToValidUTF8(t.buf, nil))
}
