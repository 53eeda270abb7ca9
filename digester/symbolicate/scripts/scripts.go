// Package scripts finds the source maps of scripts, and remembers them.
//
// It exists because a map takes a hundred times longer to read than an event to be
// digested: it is read once and stays in memory, as long as there is room, and so does
// which map belongs to which script.
//
// Rules: nobody waits for a lock while something is loaded; what several want at the
// same time is loaded once; nobody waits longer than a bound, and while the database
// does not answer nobody waits at all. What was found, or not, is asked for again after
// a while, or when somebody says that something was uploaded (Forget).
package scripts

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
	"sundew/schema/event"
)

// ErrUnknown is returned where scripts could not be looked for: later they may be.
var ErrUnknown = errors.New("source maps cannot be read now")

const (
	// foundFor and missedFor are how long an answer is not asked for again. What is
	// uploaded elsewhere is not known here sooner.
	foundFor  = 10 * time.Minute
	missedFor = 30 * time.Second

	// awaited bounds how long somebody waits who has time.
	awaited = 5 * time.Minute

	// awayFor is how long nobody asks a database that did not answer.
	awayFor = 5 * time.Second

	// readersWait is how long a reader holds its transaction for maps.
	readersWait = time.Second

	// maxAnswers bounds how many answers are remembered: hostile events name many
	// scripts.
	maxAnswers = 20_000
)

// Settled is after how long every process knows of an upload.
const Settled = 2 * missedFor

// Reader is a database to read from.
type Reader interface {
	Read(ctx context.Context, fn func(rx *store.Rx) error) error
}

// Config says where scripts are looked for.
type Config struct {
	From   Reader
	Bytes  int              // that maps take in memory together; 0: 64 MiB
	Within time.Duration    // how long one call of Find takes at most; 0: 2 s
	Now    func() time.Time // nil: time.Now
}

// Cache finds scripts. It is safe for concurrent use.
type Cache struct {
	cfg  Config
	maps *mapCache

	mu      sync.Mutex
	answers map[question]answer        // guarded by mu, as all below
	bare    map[event.ProjectID]answer // for every script of a project that nothing was uploaded to
	asking  map[question]*pending      // under way
	forgot  map[event.ProjectID]uint64 // how often each project was forgotten
	away    time.Time                  // until when the database is not asked
	used    map[int64]struct{}         // bundles since TakeUses
}

// question is for the script of a frame.
type question struct {
	project event.ProjectID
	ref     symbolicate.Ref
}

// answer is what was found.
type answer struct {
	script symbolicate.Script // without its map
	file   mapFile            // of the map; zero: there is none
	bare   bool               // nothing was uploaded to the project
	until  time.Time
}

// pending is an answer that is waited for; what it is, is written before done is closed.
type pending struct {
	began  time.Time
	done   chan struct{}
	script symbolicate.Script
	err    error
}

// New returns an empty cache.
func New(cfg Config) *Cache {
	if cfg.Bytes == 0 {
		cfg.Bytes = 64 << 20
	}
	if cfg.Within == 0 {
		cfg.Within = 2 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Cache{
		cfg: cfg, maps: newMapCache(cfg.Bytes), answers: make(map[question]answer), bare: make(map[event.ProjectID]answer), asking: make(map[question]*pending),
		forgot: make(map[event.ProjectID]uint64), used: make(map[int64]struct{}),
	}
}

// Find returns what there is for scripts of a project. An error wraps ErrUnknown, or is
// ctx's.
func (c *Cache) Find(ctx context.Context, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error) {
	return c.find(ctx, project, refs, c.cfg.Within)
}

// Await is Find for who has time: it waits until maps that take long are read, as many
// as an event can name, even where there is no room to remember all of them.
func (c *Cache) Await(ctx context.Context, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error) {
	return c.find(ctx, project, refs, awaited)
}

func (c *Cache) find(ctx context.Context, project event.ProjectID, refs []symbolicate.Ref, within time.Duration) (map[symbolicate.Ref]symbolicate.Script, error) {
	found := make(map[symbolicate.Ref]symbolicate.Script, len(refs))
	var missing []symbolicate.Ref
	for _, ref := range refs {
		if script, ok := c.remembered(question{project, ref}); ok {
			found[ref] = script
		} else {
			missing = append(missing, ref)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	waits := make([]*pending, len(missing))
	for i, ref := range missing {
		if waits[i] = c.ask(ctx, question{project, ref}); waits[i].late(c.cfg.Now(), within) {
			return nil, ErrUnknown // others have waited long enough
		}
	}
	for i, ref := range missing {
		select {
		case <-waits[i].done:
			if waits[i].err != nil {
				return nil, waits[i].err
			}
			found[ref] = waits[i].script
		case <-ctx.Done():
			return nil, errors.Join(ErrUnknown, ctx.Err())
		}
	}
	return found, nil
}

// late reports whether an answer has not come in a time.
func (p *pending) late(now time.Time, within time.Duration) bool {
	select {
	case <-p.done:
		return false
	default:
		return now.Sub(p.began) >= within
	}
}

// remembered returns a script of which everything is in memory.
func (c *Cache) remembered(q question) (symbolicate.Script, bool) {
	c.mu.Lock()
	a, ok := c.bare[q.project]
	if !ok || !c.cfg.Now().Before(a.until) {
		a, ok = c.answers[q]
	}
	if ok = ok && c.cfg.Now().Before(a.until); ok {
		c.noteUse(a)
	}
	c.mu.Unlock()
	if !ok || a.file == (mapFile{}) {
		return a.script, ok
	}
	m, ok := c.maps.get(a.file)
	if !ok {
		return symbolicate.Script{}, false
	}
	return m.onto(a.script), true
}

// ask has an answer looked for, once for all who ask at the same time.
func (c *Cache) ask(ctx context.Context, q question) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.asking[q]; p != nil {
		return p
	}
	p := &pending{began: c.cfg.Now(), done: make(chan struct{})}
	if c.cfg.Now().Before(c.away) {
		p.err = ErrUnknown
		close(p.done)
		return p
	}
	c.asking[q] = p
	forgot := c.forgot[q.project]
	// It goes on when who asked first has stopped waiting: others wait too, and the
	// next event wants the same.
	go c.load(context.WithoutCancel(ctx), q, forgot, p)
	return p
}

// load looks for an answer and its map. Who asked may have stopped waiting.
func (c *Cache) load(ctx context.Context, q question, forgot uint64, p *pending) {
	a, err := c.look(ctx, q)
	script := a.script
	if err == nil && a.file != (mapFile{}) {
		var m loaded
		if m, err = c.maps.load(ctx, c.cfg.From, a.file); err == nil {
			script = m.onto(a.script)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking[q] == p {
		delete(c.asking, q)
	}
	if p.script = script; err != nil {
		p.err = errors.Join(ErrUnknown, err)
		c.away = c.cfg.Now().Add(awayFor)
	} else if c.forgot[q.project] == forgot && a.bare {
		c.bare[q.project] = a
	} else if c.forgot[q.project] == forgot {
		if len(c.answers) >= maxAnswers {
			clear(c.answers)
		}
		c.answers[q] = a
		c.noteUse(a)
	}
	close(p.done)
}

// look asks the database.
func (c *Cache) look(ctx context.Context, q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Within)
	defer cancel()
	err = c.cfg.From.Read(ctx, func(rx *store.Rx) error {
		a, err = c.lookIn(rx, q)
		return err
	})
	return a, err
}

// lookIn is look in a transaction.
func (c *Cache) lookIn(rx *store.Rx, q question) (answer, error) {
	found, err := rx.FindScript(q.project, q.ref.DebugID, q.ref.Release, q.ref.Dist, q.ref.URL)
	if err != nil {
		return answer{}, err
	}
	a := answer{script: describe(found), bare: found.Trouble == store.ScriptNoBundles, until: c.cfg.Now().Add(missedFor)}
	switch {
	case found.Map == nil:
		return a, nil
	case found.Map.Size > maxMapSize:
		a.script.Trouble, a.script.Detail = symbolicate.TooLargeMap, sizeInWords(found.Map.Size)
		return a, nil
	}
	a.until, a.file.id = c.cfg.Now().Add(foundFor), found.Map.ID
	a.file.sum, err = rx.ArtifactSum(found.Map.ID)
	return a, err
}

// FindIn returns what there is for scripts of a project at this moment, for who is
// reading. Maps that take long to read are said to.
func (c *Cache) FindIn(rx *store.Rx, project event.ProjectID, refs []symbolicate.Ref) (map[symbolicate.Ref]symbolicate.Script, error) {
	ctx, cancel := context.WithTimeout(rx.Context(), min(c.cfg.Within, readersWait))
	defer cancel()
	found := make(map[symbolicate.Ref]symbolicate.Script, len(refs))
	for _, ref := range refs {
		a, err := c.lookIn(rx, question{project, ref})
		if err != nil {
			return nil, err
		}
		found[ref] = a.script
		if a.file == (mapFile{}) {
			continue
		}
		m, err := c.maps.load(ctx, c.cfg.From, a.file)
		if err != nil {
			m = loaded{trouble: symbolicate.UnreadableMap, detail: "it is still being read; look again in a moment"}
		}
		found[ref] = m.onto(a.script)
	}
	return found, nil
}

// Forget has everything about a project asked for anew, because something of it was
// uploaded or removed. Maps that were read stay: their content does not change.
func (c *Cache) Forget(project event.ProjectID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot[project]++
	delete(c.bare, project)
	for q := range c.answers {
		if q.project == project {
			delete(c.answers, q)
		}
	}
	for q := range c.asking {
		if q.project == project {
			delete(c.asking, q) // who asks from now on does not get the old answer
		}
	}
}

// noteUse notes that a bundle helped. The caller holds mu.
func (c *Cache) noteUse(a answer) {
	if a.file == (mapFile{}) {
		return
	}
	c.used[a.script.Bundle.ID] = struct{}{}
}

// TakeUses returns the bundles that helped since it was last called.
func (c *Cache) TakeUses() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := slices.Sorted(maps.Keys(c.used))
	clear(c.used)
	return ids
}
