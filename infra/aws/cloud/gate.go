package cloud

import (
	"context"
	"net/http"
	"sync"
)

// Gate is the network in front of a service.
type Gate struct {
	service http.Handler

	mu    sync.Mutex
	whole context.Context    // done while the network is cut; guarded by mu
	cut   context.CancelFunc // guarded by mu
}

func newGate(service http.Handler) *Gate {
	g := &Gate{service: service}
	g.whole, g.cut = context.WithCancel(context.Background())
	return g
}

// Cut takes the network away, from requests under way too, or gives it back.
func (g *Gate) Cut(cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cut()
	if !cut {
		g.whole, g.cut = context.WithCancel(context.Background())
	}
}

// ServeHTTP passes a request on. What the service did before the network was cut is
// done, but nobody hears of it.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	whole := g.whole
	g.mu.Unlock()
	if whole.Err() != nil {
		panic(http.ErrAbortHandler)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(whole, cancel)
	defer stop()
	g.service.ServeHTTP(w, r.WithContext(ctx))
	if whole.Err() != nil {
		panic(http.ErrAbortHandler)
	}
}
