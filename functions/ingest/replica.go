package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/tursodatabase/libsql-client-go/libsql"
	"golang.org/x/sync/errgroup"

	"sundew/schema/keyring"
)

// selectKeys is the only query outside of the digester: package store is not for
// programs that must not link SQLite. Keys of a deleted project are off.
const selectKeys = `
	SELECT k.project_id, k.public_key, k.enabled AND p.deleted_at IS NULL
	FROM project_keys k JOIN projects p ON p.id = k.project_id`

// replica is a keySource: the nearest libSQL replica of the digester's database. It
// knows of a key before the next snapshot is published, but of no quotas, no origins
// and no project's privacy.
type replica struct {
	db  *sql.DB
	now func() time.Time
}

// openReplica returns the replica at an address of libSQL's kinds. It is not asked
// before the first read.
func openReplica(url, token string, now func() time.Time) (*replica, error) {
	var options []libsql.Option
	if token != "" {
		options = append(options, libsql.WithAuthToken(token))
	}
	connector, err := libsql.NewConnector(url, options...)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return &replica{db: db, now: now}, nil
}

// errDriver means that libSQL's driver gave up in its own way.
var errDriver = errors.New("the driver cannot read the answer")

// read returns all keys.
func (r *replica) read(ctx context.Context) (snapshot *keyring.Snapshot, err error) {
	defer func() {
		if recover() != nil { // the driver trusts what it is sent
			err = errDriver
		}
		if err != nil {
			snapshot, err = nil, fmt.Errorf("reading the keys of the replica: %w", err)
		}
	}()
	snapshot = &keyring.Snapshot{At: r.now()}
	rows, err := r.db.QueryContext(ctx, selectKeys)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k keyring.Key
		if err := rows.Scan(&k.Project, &k.Public, &k.Enabled); err != nil {
			return nil, err
		}
		snapshot.Keys = append(snapshot.Keys, k)
	}
	return snapshot, rows.Err()
}

// bothSources is the keySource of an edge with a replica: keys from there, quotas and
// origins from the bucket, and either alone while the other is out of reach. Then
// what only the bucket knows does not hold, but for privacy: what people do not want
// kept must not be kept because something is out of reach.
type bothSources struct {
	replica keySource
	bucket  keySource
	privacy []keyring.Privacy // of the bucket, when it was last read
}

// read reads both at once.
func (b *bothSources) read(ctx context.Context) (*keyring.Snapshot, error) {
	var fromReplica, fromBucket *keyring.Snapshot
	var replicaErr, bucketErr error
	var group errgroup.Group
	group.Go(func() error {
		fromReplica, replicaErr = b.replica.read(ctx)
		return nil
	})
	group.Go(func() error {
		fromBucket, bucketErr = b.bucket.read(ctx)
		return nil
	})
	_ = group.Wait() // the errors are above
	if bucketErr == nil {
		b.privacy = fromBucket.Privacy
	}
	switch {
	case replicaErr != nil && bucketErr != nil:
		return nil, errors.Join(replicaErr, bucketErr)
	case replicaErr != nil:
		return fromBucket, nil
	case bucketErr != nil:
		return &keyring.Snapshot{At: fromReplica.At, Keys: fromReplica.Keys, Privacy: b.privacy}, nil
	}
	return &keyring.Snapshot{At: fromReplica.At, Keys: fromReplica.Keys, Limits: fromBucket.Limits, Origins: fromBucket.Origins, Privacy: b.privacy,
		Quotas: fromBucket.Quotas, QuotasAt: fromBucket.QuotasAt}, nil
}
