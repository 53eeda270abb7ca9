package quota

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"sundew/schema/event"
)

// maxProjects bounds how many projects a meter counts for that have no limit: keys
// that nobody vouches for may name any project they like.
const maxProjects = 2_000

// Meter counts what was accepted and says what is over its limit. It is safe for
// concurrent use, and has no clock: whoever asks says what time it is.
type Meter struct {
	mu       sync.Mutex // guards all below
	quotas   map[event.ProjectID][]Quota
	read     time.Time // when Used of the quotas was counted
	projects map[event.ProjectID]*counters
	changed  map[event.ProjectID]struct{} // since Changed was asked
}

// counters count one project.
type counters [Classes][Windows]counter

// NewMeter returns a meter without limits.
func NewMeter() *Meter {
	return &Meter{
		quotas: make(map[event.ProjectID][]Quota), projects: make(map[event.ProjectID]*counters),
		changed: make(map[event.ProjectID]struct{}),
	}
}

// Set replaces the limits. Their Used was counted at a moment by somebody who may
// have seen what this meter counted before it, and not what it counted afterwards.
func (m *Meter) Set(quotas []Quota, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.quotas)
	for _, q := range quotas {
		if q.Class >= 0 && q.Class < Classes && q.Window >= 0 && q.Window < Windows && q.Limit > 0 { // a newer digester may know more
			m.quotas[q.Project] = append(m.quotas[q.Project], q)
		}
	}
	for project := range m.quotas {
		if m.projects[project] == nil { // that nothing was counted yet is worth writing down
			m.projects[project] = new(counters)
			m.changed[project] = struct{}{}
		}
	}
	m.read = at
}

// Take counts one item that is accepted now, unless the project or the installation
// has reached a limit for it: then it returns which, the one that ends last, and true.
func (m *Meter) Take(project event.ProjectID, class Class, now time.Time) (Over, bool) {
	return m.take(project, class, now, true)
}

// TakeLate is Take for an item that was accepted some time ago: what was accepted
// after it does not stand in its way.
func (m *Meter) TakeLate(project event.ProjectID, class Class, accepted time.Time) (Over, bool) {
	return m.take(project, class, accepted, false)
}

func (m *Meter) take(project event.ProjectID, class Class, at time.Time, strict bool) (over Over, is bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, scope := range scopes(project) {
		for _, q := range m.quotas[scope] {
			if q.Class != class || m.used(q, at, strict) < q.Limit {
				continue
			}
			if until := m.until(q, at); !is || until.After(over.Until) {
				over, is = Over{scope, class, q.Window, until}, true
			}
		}
	}
	if !is {
		m.add(project, class, at, 1)
	}
	return over, is
}

// scopes are the limits that hold for a project.
func scopes(project event.ProjectID) []event.ProjectID {
	if project == Installation {
		return []event.ProjectID{Installation}
	}
	return []event.ProjectID{project, Installation}
}

// used returns how much of a limit is used up at a moment: what this meter counted in
// the window or, if that is more, what somebody else counted at the last reading and
// this meter since. The former is what holds while nobody else counts: a digester
// that stands still reads the same again and again. What was read leaves its window
// evenly.
func (m *Meter) used(q Quota, at time.Time, strict bool) int64 {
	c := m.counter(q)
	now := stepOf(at, q.Window)
	end := now
	if strict && c != nil {
		end = max(now, c.newest)
	}
	var own, since int64
	if c != nil {
		own = c.sum(now-steps, end)
		since = c.sum(max(stepOf(m.read, q.Window), now-steps), end)
	}
	if q.Used == 0 {
		return own
	}
	left := 1 - float64(at.Sub(m.read))/float64(q.Window.Duration())
	return max(own, int64(math.Ceil(float64(q.Used)*min(max(left, 0), 1)))+since)
}

// until returns when a limit that is reached has room again. Where it is reached only
// together with what others counted, that is at the latest with the next step.
func (m *Meter) until(q Quota, at time.Time) time.Time {
	now := stepOf(at, q.Window)
	next := now + 1
	if c := m.counter(q); c != nil && c.sum(now-steps, max(now, c.newest)) >= q.Limit {
		next = c.room(now, q.Limit)
	}
	return time.UnixMilli(next * q.Window.step().Milliseconds()).UTC()
}

// counter returns what counts for a quota, nil if nothing was counted.
func (m *Meter) counter(q Quota) *counter {
	if p := m.projects[q.Project]; p != nil {
		return &p[q.Class][q.Window]
	}
	return nil
}

// Add counts n items that were accepted elsewhere, or takes them back if n is
// negative: what was taken and could not be accepted.
func (m *Meter) Add(project event.ProjectID, class Class, at time.Time, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(project, class, at, n)
}

// Recall adds items to one of the counts alone, the installation's say: what a loaded
// record lacks.
func (m *Meter) Recall(scope event.ProjectID, class Class, at time.Time, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.addTo(scope, class, at, n)
}

func (m *Meter) add(project event.ProjectID, class Class, at time.Time, n int64) {
	for _, scope := range scopes(project) {
		m.addTo(scope, class, at, n)
	}
}

func (m *Meter) addTo(scope event.ProjectID, class Class, at time.Time, n int64) {
	p := m.projects[scope]
	if p == nil {
		if len(m.projects) >= maxProjects && len(m.quotas[scope]) == 0 {
			return
		}
		p = new(counters)
		m.projects[scope] = p
	}
	for w := range Window(Windows) {
		p[class][w].add(stepOf(at, w), n)
	}
	m.changed[scope] = struct{}{}
}

// Quotas returns all limits, with what this meter counted as Used.
func (m *Meter) Quotas(now time.Time) []Quota {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Quota
	for _, project := range slices.Sorted(maps.Keys(m.quotas)) {
		for _, q := range m.quotas[project] {
			q.Used = m.used(Quota{Project: q.Project, Class: q.Class, Window: q.Window}, now, true)
			all = append(all, q)
		}
	}
	return all
}

// Over returns the limits that are reached at a moment.
func (m *Meter) Over(now time.Time) []Over {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Over
	for _, project := range slices.Sorted(maps.Keys(m.quotas)) {
		for _, q := range m.quotas[project] {
			if m.used(q, now, true) >= q.Limit {
				all = append(all, Over{project, q.Class, q.Window, m.until(q, now)})
			}
		}
	}
	return all
}

// Record is what was counted for a project, to be written down.
type Record [Classes][Windows]Uses

// Changed returns the records of the projects with limits that have changed since it
// was last asked, and of the installation if it has one.
func (m *Meter) Changed() map[event.ProjectID]Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed := make(map[event.ProjectID]Record)
	for project := range m.changed {
		if len(m.quotas[project]) > 0 {
			changed[project] = m.projects[project].record()
			delete(m.changed, project)
		}
	}
	return changed
}

// HasChanged reports whether Changed has anything to return.
func (m *Meter) HasChanged() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for project := range m.changed {
		if len(m.quotas[project]) > 0 {
			return true
		}
	}
	return false
}

// Again has projects returned by Changed once more: they could not be written down.
func (m *Meter) Again(projects map[event.ProjectID]Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for project := range projects {
		m.changed[project] = struct{}{}
	}
}

// Load makes a project's counters what was written down of them.
func (m *Meter) Load(project event.ProjectID, r Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := new(counters)
	for c := range r {
		for w := range r[c] {
			p[c][w].load(r[c][w])
		}
	}
	m.projects[project] = p
}

func (p *counters) record() (r Record) {
	for c := range p {
		for w := range p[c] {
			r[c][w] = p[c][w].uses()
		}
	}
	return r
}

// Use is how far one limit is used up.
type Use struct {
	Quota
	Open time.Time // when there is room again; zero: there is
}

// Read returns how far limits are used up by what was written down.
func Read(project event.ProjectID, limits Limits, r Record, now time.Time) []Use {
	m := NewMeter()
	m.Load(project, r)
	m.Set(limits.Quotas(project), time.Time{})
	var uses []Use
	for _, q := range m.Quotas(now) {
		u := Use{Quota: q}
		if q.Used >= q.Limit {
			u.Open = m.until(q, now)
		}
		uses = append(uses, u)
	}
	return uses
}

// Quotas returns the limits that are set, as a project's.
func (l Limits) Quotas(project event.ProjectID) []Quota {
	var all []Quota
	for c := range l {
		for w, limit := range l[c] {
			if limit > 0 {
				all = append(all, Quota{Project: project, Class: Class(c), Window: Window(w), Limit: limit})
			}
		}
	}
	return all
}
