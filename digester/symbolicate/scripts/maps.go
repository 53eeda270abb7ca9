package scripts

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"sundew/digester/sourcemap"
	"sundew/digester/store"
	"sundew/digester/symbolicate"
)

const (
	// maxMapSize is how large a map is read at most. One of a large application has
	// 20 MiB.
	maxMapSize = 64 << 20

	// readWithin bounds the reading of one, whoever still waits for it.
	readWithin = 30 * time.Second

	// readAtOnce is how many are read at the same time: an event names up to 64 scripts,
	// and each map takes several times its size until it is read.
	readAtOnce = 2

	// maxCuts is how often reading one begins again that was cut off.
	maxCuts = 3

	// unreadableSize is what a map that cannot be read counts as.
	unreadableSize = 1 << 10
)

// loaded is a map, or why there is none.
type loaded struct {
	m       *sourcemap.Map
	trouble symbolicate.Trouble
	detail  string
}

// onto completes a script.
func (l loaded) onto(s symbolicate.Script) symbolicate.Script {
	s.Map = l.m
	if l.m == nil {
		s.Trouble, s.Detail = l.trouble, l.detail
	}
	return s
}

// mapFile names the content of a stored map: rows' ids are given again.
type mapFile struct {
	id  int64
	sum [sha256.Size]byte
}

// mapCache has the maps that were used last, by their content.
type mapCache struct {
	most  int           // bytes
	turns chan struct{} // holds a token for each map that is being read

	mu      sync.Mutex
	size    int                       // guarded by mu, as all below
	entries map[mapFile]*list.Element // of *entry
	order   list.List                 // the last used in front
	loading map[mapFile]*loading
}

type entry struct {
	file mapFile
	size int
	loaded
}

// loading is a map that is read; what it is, is written before done is closed.
type loading struct {
	done chan struct{}
	loaded
	err error
}

func newMapCache(most int) *mapCache {
	return &mapCache{most: most, turns: make(chan struct{}, readAtOnce), entries: make(map[mapFile]*list.Element), loading: make(map[mapFile]*loading)}
}

// get returns a map that is in memory.
func (c *mapCache) get(file mapFile) (loaded, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[file]
	if e == nil {
		return loaded{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).loaded, true
}

// load returns a map, reading it if nobody does. An error is about the database.
func (c *mapCache) load(ctx context.Context, from Reader, file mapFile) (loaded, error) {
	c.mu.Lock()
	if e := c.entries[file]; e != nil {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*entry).loaded, nil
	}
	l := c.loading[file]
	if l == nil {
		l = &loading{done: make(chan struct{})}
		c.loading[file] = l
		go c.read(context.Background(), from, file, l) // it is nobody's who waits, nor part of their transactions
	}
	c.mu.Unlock()
	select {
	case <-l.done:
		return l.loaded, l.err
	case <-ctx.Done():
		return loaded{}, ctx.Err()
	}
}

// read reads a map and keeps it. Who asks for too many waits here, and not for the
// database.
func (c *mapCache) read(ctx context.Context, from Reader, file mapFile, l *loading) {
	c.turns <- struct{}{}
	defer func() { <-c.turns }()
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	l.loaded, l.err = read(ctx, from, file)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loading, file)
	if l.err == nil {
		c.keep(file, l.loaded)
	}
	close(l.done)
}

// keep remembers a map and forgets those that were not used for the longest. One that
// is larger than all the room stays alone until there is another. The caller holds mu.
func (c *mapCache) keep(file mapFile, l loaded) {
	if l.trouble == symbolicate.NoMap { // what is gone may come again
		return
	}
	e := &entry{file: file, size: unreadableSize, loaded: l}
	if l.m != nil {
		e.size = l.m.Size()
	}
	c.entries[file] = c.order.PushFront(e)
	c.size += e.size
	for c.size > c.most && c.order.Len() > 1 {
		last := c.order.Remove(c.order.Back()).(*entry)
		delete(c.entries, last.file)
		c.size -= last.size
	}
}

// read reads a map. An error says that the database could not be read; what is wrong
// with the map itself, or with what is stored of it, is its trouble.
func read(ctx context.Context, from Reader, file mapFile) (loaded, error) {
	var content []byte
	fetch := func(rx *store.Rx) (err error) {
		content, err = rx.ArtifactFile(file.id)
		return err
	}
	err := from.Read(ctx, fetch)
	for n := 0; n < maxCuts && errors.Is(err, store.ErrCut); n++ {
		err = from.Read(ctx, fetch)
	}
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && sha256.Sum256(content) != file.sum:
		return loaded{trouble: symbolicate.NoMap, detail: "it was just removed"}, nil
	case err == nil:
		return parse(content), nil
	case errors.Is(err, store.ErrDamaged):
		return loaded{trouble: symbolicate.UnreadableMap, detail: "what is stored of it is damaged"}, nil
	}
	return loaded{}, err
}

// parse makes a map of its text. A panic is a trouble of the map: it comes from outside.
func parse(content []byte) (l loaded) {
	defer func() {
		if r := recover(); r != nil {
			l = loaded{trouble: symbolicate.UnreadableMap, detail: "reading it failed"}
		}
	}()
	m, err := sourcemap.Parse(content)
	if err != nil {
		return loaded{trouble: symbolicate.UnreadableMap, detail: err.Error()}
	}
	return loaded{m: m}
}

func sizeInWords(bytes int64) string {
	return fmt.Sprintf("it has %d MiB; at most %d are read", bytes>>20, maxMapSize>>20)
}
