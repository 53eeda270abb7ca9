package main

import (
	"net"
	"net/http"
	"sync"
)

// unusedConns knows the connections on which no request has begun. Browsers and
// HTTP clients open such in advance, and http.Server.Shutdown waits five seconds
// for each to say something.
type unusedConns struct {
	mu    sync.Mutex // guards conns
	conns map[net.Conn]struct{}
}

// track is the server's ConnState hook.
func (u *unusedConns) track(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		delete(u.conns, conn)
		return
	}
	if u.conns == nil {
		u.conns = make(map[net.Conn]struct{})
	}
	u.conns[conn] = struct{}{}
}

// close closes them.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for conn := range u.conns {
		conn.Close() // nobody waits for anything on it
	}
}
