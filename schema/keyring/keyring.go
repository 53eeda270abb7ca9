// Package keyring is the snapshot of keys that the edge answers from.
//
// It exists because the edge must know which key may report to which project
// without asking a database: the digester writes the snapshot, every region reads
// it, and keeps the last one while there is no newer. It is JSON with a version,
// so that an old edge can read what a new digester writes: what it does not know
// it skips.
package keyring

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sundew/schema/event"
	"sundew/schema/quota"
	"sundew/schema/scrub"
)

// Version is what Encode writes, and the newest that Decode reads.
const Version = 1

// ErrFormat means that bytes are not a snapshot that this program can read.
var ErrFormat = errors.New("keyring: not a snapshot of keys")

// Snapshot is all keys at one moment.
type Snapshot struct {
	At     time.Time // when the keys were read, millisecond precision
	Keys   []Key
	Limits []Limit // projects that are over a quota; others are left out

	// Origins are the projects whose browsers may report from some places only;
	// others are left out.
	Origins []Origins

	// Privacy is of the projects that have set something; others are left out. An edge
	// that is too old to know it scrubs by the usual rules, and the digester once more.
	Privacy []Privacy

	// Quotas are the limits that projects and the installation have, and how far they
	// were used up at a moment: that of the snapshot, unless it was put together from
	// several.
	Quotas   []quota.Quota
	QuotasAt time.Time
}

// Key says that a public key belongs to a project.
type Key struct {
	Project event.ProjectID `json:"project"`
	Public  string          `json:"key"` // 32 lower-case hex digits
	Enabled bool            `json:"enabled"`
}

// Limit says that a project may not report items of some categories for a while.
type Limit struct {
	Project    event.ProjectID `json:"project"`
	Categories []string        `json:"categories"` // the protocol's words; none: all of them
	Until      time.Time       `json:"until"`
	Reason     string          `json:"reason"` // a word for the client and the books, such as "project_quota"

	// Organization says that the limit is that of all projects together.
	Organization bool `json:"organization,omitempty"`
}

// Origins says from where browsers may report to a project, see ParseOrigins.
type Origins struct {
	Project event.ProjectID `json:"project"`
	Allowed []string        `json:"allowed"`
}

// Privacy says what is taken out of what a project reports before it is queued.
type Privacy struct {
	Project  event.ProjectID `json:"project"`
	Settings scrub.Settings  `json:"settings"`
}

// file is the snapshot as it is written.
type file struct {
	Version int           `json:"version"`
	At      time.Time     `json:"at"`
	Keys    []Key         `json:"keys"`
	Limits  []Limit       `json:"limits,omitempty"`
	Origins []Origins     `json:"origins,omitempty"`
	Privacy []Privacy     `json:"privacy,omitempty"`
	Quotas  []quota.Quota `json:"quotas,omitempty"`
}

// Encode returns the snapshot as JSON, everything in a fixed order: equal snapshots
// of one moment are equal bytes.
func (s *Snapshot) Encode() ([]byte, error) {
	f := file{
		Version: Version, At: s.At.UTC().Truncate(time.Millisecond),
		Keys: slices.Clone(s.Keys), Limits: slices.Clone(s.Limits), Origins: slices.Clone(s.Origins),
		Privacy: slices.Clone(s.Privacy),
		Quotas:  slices.Clone(s.Quotas),
	}
	slices.SortFunc(f.Keys, compareKeys)
	slices.SortFunc(f.Limits, func(a, b Limit) int { return compareProjects(a.Project, b.Project) })
	slices.SortFunc(f.Quotas, func(a, b quota.Quota) int {
		return cmp.Or(compareProjects(a.Project, b.Project), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Window, b.Window))
	})
	slices.SortFunc(f.Origins, func(a, b Origins) int { return compareProjects(a.Project, b.Project) })
	slices.SortFunc(f.Privacy, func(a, b Privacy) int { return compareProjects(a.Project, b.Project) })
	encoded, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return encoded, nil
}

// Decode reads what Encode wrote. Its error is ErrFormat: then what was known
// before stays valid.
func Decode(encoded []byte) (*Snapshot, error) {
	var f file
	if err := json.Unmarshal(encoded, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if f.Version < 1 || f.Version > Version {
		return nil, fmt.Errorf("%w: version %d, known are 1 to %d", ErrFormat, f.Version, Version)
	}
	if f.At.IsZero() {
		return nil, fmt.Errorf("%w: it does not say when it was made", ErrFormat)
	}
	return &Snapshot{At: f.At, Keys: f.Keys, Limits: f.Limits, Origins: f.Origins, Privacy: f.Privacy, Quotas: f.Quotas, QuotasAt: f.At}, nil
}

// SameKeys reports whether two snapshots say the same of every key and project,
// whenever they were made. How far a quota is used up is compared in tenths: nobody
// has to be told of every event.
func (s *Snapshot) SameKeys(other *Snapshot) bool {
	a, errA := s.essence().Encode()
	b, errB := other.essence().Encode()
	return errA == nil && errB == nil && string(a) == string(b)
}

// essence is what SameKeys compares.
func (s *Snapshot) essence() *Snapshot {
	e := &Snapshot{Keys: s.Keys, Limits: s.Limits, Origins: s.Origins, Privacy: s.Privacy, Quotas: slices.Clone(s.Quotas)}
	for i := range e.Quotas {
		e.Quotas[i].Used = 10 * e.Quotas[i].Used / max(e.Quotas[i].Limit, 1)
	}
	return e
}
