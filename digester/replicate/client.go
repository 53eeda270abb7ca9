package replicate

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// client is Litestream's, with two things more: it knows when a whole copy of
// the database is under way, and can do as if there was nothing at the target.
type client struct {
	litestream.ReplicaClient
	snapshots atomic.Int32 // under way
	blind     atomic.Bool
}

// WriteLTXFile writes one file of the backup.
func (c *client) WriteLTXFile(ctx context.Context, level int, minTXID, maxTXID ltx.TXID, r io.Reader) (*ltx.FileInfo, error) {
	if level == litestream.SnapshotLevel {
		c.snapshots.Add(1)
		defer c.snapshots.Add(-1)
	}
	return c.ReplicaClient.WriteLTXFile(ctx, level, minTXID, maxTXID, r)
}

// LTXFiles lists a level of the backup.
func (c *client) LTXFiles(ctx context.Context, level int, seek ltx.TXID, useMetadata bool) (ltx.FileIterator, error) {
	if c.blind.Load() {
		return ltx.NewFileInfoSliceIterator(nil), nil
	}
	return c.ReplicaClient.LTXFiles(ctx, level, seek, useMetadata)
}

// list returns a level's files from seek on.
func list(ctx context.Context, c litestream.ReplicaClient, level int, seek ltx.TXID) ([]*ltx.FileInfo, error) {
	itr, err := c.LTXFiles(ctx, level, seek, false)
	if err != nil {
		return nil, err
	}
	return ltx.SliceFileIterator(itr)
}
