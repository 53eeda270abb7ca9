package sqld

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Proxy is a network between a client and a server: TCP with a delay, that can be
// cut.
type Proxy struct {
	Addr string // host:port; where clients connect

	target   string
	oneWay   time.Duration
	listener net.Listener

	mu    sync.Mutex
	cut   bool                  // guarded by mu
	conns map[net.Conn]struct{} // guarded by mu; both sides
	wait  sync.WaitGroup
}

// NewProxy listens and forwards to target. Whatever passes arrives half of rtt
// later.
func NewProxy(target string, rtt time.Duration) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, oneWay: rtt / 2, listener: l, conns: make(map[net.Conn]struct{})}
	p.wait.Go(p.accept)
	return p, nil
}

// Cut breaks every connection and refuses new ones until Restore.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		c.Close()
	}
}

// Restore lets connections through again.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

// Close ends the proxy and waits for its goroutines.
func (p *Proxy) Close() error {
	p.Cut()
	err := p.listener.Close()
	p.wait.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil || !p.add(client, server) {
			client.Close()
			if server != nil {
				server.Close()
			}
			continue
		}
		p.wait.Go(func() { p.forward(server, client) })
		p.wait.Go(func() { p.forward(client, server) })
	}
}

// add keeps a connection's two sides, unless the network is cut.
func (p *Proxy) add(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[client], p.conns[server] = struct{}{}, struct{}{}
	return true
}

func (p *Proxy) remove(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// piece is what was read at one time.
type piece struct {
	due  time.Time
	data []byte
}

// forward copies one direction, delayed: reading goes on while pieces wait, so
// that the delay does not limit how much is under way.
func (p *Proxy) forward(to, from net.Conn) {
	pieces := make(chan piece, 1024)
	p.wait.Go(func() {
		defer p.remove(to)
		for next := range pieces {
			if wait := time.Until(next.due); wait > 0 {
				<-time.After(wait)
			}
			if _, err := to.Write(next.data); err != nil {
				p.remove(from)
				for range pieces { // until the reader has noticed
				}
				return
			}
		}
	})
	defer close(pieces)
	defer p.remove(from)
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if n > 0 {
			pieces <- piece{time.Now().Add(p.oneWay), data[:n]}
		}
		if err != nil {
			return
		}
	}
}
