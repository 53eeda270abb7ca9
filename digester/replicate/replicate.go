// Package replicate keeps copies of the database elsewhere, and makes databases
// of them.
//
// It exists so that a lost disk costs about a second of what was stored, that a
// database can be had as it was at any second of the last day, and that pages
// can be read far from the process that writes. Litestream does the copying:
// Backup runs it in the process that writes, beside the store; Restore makes a
// database of a backup; a Follower keeps one up to date for reading.
//
// Rules: while a Backup runs it alone moves the WAL into the database, because
// what Litestream has not copied must not be overwritten (Backup.Checkpoint is
// made for store.Config.Checkpoint). Nothing waits for a backup that cannot be
// reached: what is copied waits beside the database. A Follower writes its file
// only while nobody reads it.
package replicate

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/benbjohnson/litestream"
	"github.com/benbjohnson/litestream/file"
	"github.com/benbjohnson/litestream/s3"
)

// Target is where a backup lies and how it is made.
type Target struct {
	url *url.URL

	// Every is how often what is new is copied: as much can be lost with a disk,
	// and as far a follower lags behind. 100 ms into a folder, 1 s to S3, where
	// each copy is a request to be paid for.
	Every time.Duration

	// Keep is for how long back any second can be restored; 24 h.
	Keep time.Duration
}

// errTarget is what is wrong with a target that is none.
var errTarget = errors.New("want file:///path or s3://bucket/prefix?region=eu-central-1")

// ParseTarget reads a target's address: file:///path, or s3://bucket/prefix with
// a region or an endpoint. Both take every and keep, durations of Go. The keys of
// S3 come from the environment or from where else AWS's tools look for them.
func ParseTarget(raw string) (Target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Target{}, errTarget // url's own error repeats the address, which may hold a secret
	}
	if u.User != nil {
		return Target{}, errors.New("want no password in the address; S3's keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	q := u.Query()
	t := Target{url: u, Every: time.Second, Keep: 24 * time.Hour}
	known := []string{"every", "keep"}
	switch u.Scheme {
	case "file":
		if u.Host != "" || !path.IsAbs(u.Path) || path.Clean(u.Path) == "/" {
			return Target{}, errTarget
		}
		t.Every = 100 * time.Millisecond
	case "s3":
		if u.Host == "" {
			return Target{}, errTarget
		}
		if q.Get("region") == "" && q.Get("endpoint") == "" {
			return Target{}, errors.New("want the bucket's region, for example ?region=eu-central-1, or an endpoint=")
		}
		known = append(known, "region", "endpoint", "force-path-style")
	default:
		return Target{}, errTarget
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return Target{}, fmt.Errorf("want none but %s behind the question mark", strings.Join(known, ", "))
		}
	}
	if err := duration(q, "every", 10*time.Millisecond, time.Hour, &t.Every); err != nil {
		return Target{}, err
	}
	return t, duration(q, "keep", time.Minute, 366*24*time.Hour, &t.Keep)
}

func duration(q url.Values, name string, least, most time.Duration, dst *time.Duration) error {
	v := q.Get(name)
	if v == "" {
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < least || d > most {
		return fmt.Errorf("want %s between %s and %s, for example %s", name, least, most, *dst)
	}
	*dst = d
	return nil
}

// String returns the address without what stands behind the question mark.
func (t Target) String() string {
	if t.url == nil {
		return ""
	}
	return t.url.Scheme + "://" + t.url.Host + t.url.Path
}

// IsZero says that there is no target.
func (t Target) IsZero() bool { return t.url == nil }

// client returns what speaks to the target.
func (t Target) client() (litestream.ReplicaClient, error) {
	if t.url.Scheme == "file" {
		return file.NewReplicaClient(path.Clean(t.url.Path)), nil
	}
	q := t.url.Query()
	q.Del("every")
	q.Del("keep")
	c, err := s3.NewReplicaClientFromURL("s3", t.url.Host, litestream.CleanReplicaURLPath(t.url.Path), q, nil)
	if err != nil {
		return nil, fmt.Errorf("backup at %s: %w", t, err)
	}
	return c, nil
}
